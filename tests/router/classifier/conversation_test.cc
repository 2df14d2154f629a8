#include "router/classifier/conversation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace pointsman::classifier {
namespace {

// Says of each text what the test wrote down for it.
class Known final : public Classifier {
 public:
  struct Answer {
    std::vector<float> probabilities;
    double novelty = 0;
  };
  std::map<std::string, Answer, std::less<>> answers;

  policies::Evidence Classify(std::string_view text) const override {
    policies::Evidence evidence;
    const Answer& answer = answers.find(text)->second;
    evidence.categories = categories_;
    evidence.probabilities = answer.probabilities;
    for (std::size_t c = 0; c < 3; ++c) {
      const double p = evidence.probabilities[c];
      evidence.entropy -= p * std::log(p);
      if (p > evidence.probabilities[evidence.likeliest]) evidence.likeliest = c;
    }
    evidence.entropy_threshold = 0.8;
    evidence.novelty = answer.novelty;
    evidence.novelty_threshold = 1;
    evidence.foreign = answer.novelty > 1;
    evidence.uncertain = evidence.foreign || evidence.entropy > 0.8;
    evidence.bytes_read = evidence.bytes_total = text.size();
    return evidence;
  }
  std::vector<std::pair<std::string, double>> Explain(std::string_view, std::size_t, std::size_t) const override {
    return {};
  }
  const std::vector<std::string>& categories() const override { return categories_; }
  std::string_view checksum() const override { return ""; }

 private:
  std::vector<std::string> categories_ = {"math", "law", "code"};
};

struct ConversationTest : ::testing::Test {
  Known classifier;
  ConversationTest() {
    classifier.answers["why?"] = {{0.4F, 0.3F, 0.3F}, 0.5};
    classifier.answers["hm"] = {{0.4F, 0.3F, 0.3F}, 2};
    classifier.answers["sue them"] = {{0.01F, 0.98F, 0.01F}, 0};
    classifier.answers["fix the bug"] = {{0.04F, 0.01F, 0.95F}, 0};
    classifier.answers["lovely weather"] = {{0.05F, 0.9F, 0.05F}, 3};
  }
  policies::Evidence Ask(std::string_view last, std::string_view history, std::string_view system = "",
                         PartWeights weights = {}) {
    return Classify(classifier, {system, history, last}, weights);
  }
};

TEST_F(ConversationTest, ALoneTurnIsItsOwn) {
  const auto alone = classifier.Classify("why?"), asked = Ask("why?", "");
  EXPECT_EQ(asked.probabilities, alone.probabilities);
  EXPECT_TRUE(asked.parts.empty());
  EXPECT_TRUE(Ask("why?", "fix the bug", "sue them", {0, 0}).parts.empty());
}

TEST_F(ConversationTest, AFollowUpInheritsItsConversationsCategory) {
  const auto evidence = Ask("why?", "fix the bug");
  EXPECT_EQ(evidence.categories[evidence.likeliest], "code");
  EXPECT_NEAR(evidence.probabilities[2] / evidence.probabilities[0],
              0.3 * (0.7 * 0.95 + 0.1) / (0.4 * (0.7 * 0.04 + 0.1)), 1e-4);
  EXPECT_NEAR(evidence.probabilities[0] + evidence.probabilities[1] + evidence.probabilities[2], 1, 1e-6);
  EXPECT_LT(evidence.entropy, classifier.Classify("why?").entropy);
  EXPECT_EQ(evidence.bytes_read, 15U);
  ASSERT_EQ(evidence.parts.size(), 2U);
  EXPECT_EQ(evidence.parts[1].part, policies::ConversationPart::kHistory);
  EXPECT_DOUBLE_EQ(evidence.parts[1].weight, 0.7);
}

TEST_F(ConversationTest, ATurnThatIsCertainChangesTheSubject) {
  const auto evidence = Ask("sue them", "fix the bug");
  EXPECT_EQ(evidence.categories[evidence.likeliest], "law");
  EXPECT_GT(evidence.probabilities[1], 0.9);
}

TEST_F(ConversationTest, AForeignPartSaysNothing) {
  const auto evidence = Ask("why?", "lovely weather", "fix the bug");
  EXPECT_EQ(evidence.parts[1].weight, 0);
  EXPECT_EQ(evidence.parts[2].weight, 0.3);
  EXPECT_EQ(evidence.categories[evidence.likeliest], "code");
}

TEST_F(ConversationTest, AForeignFollowUpOfAKnownConversationIsNotForeign) {
  EXPECT_TRUE(Ask("hm", "").foreign);
  EXPECT_TRUE(Ask("hm", "", "fix the bug").foreign);  // a system prompt is the same for all requests
  EXPECT_TRUE(Ask("hm", "lovely weather").foreign);
  const auto evidence = Ask("hm", "fix the bug");
  EXPECT_FALSE(evidence.foreign);
  EXPECT_LE(evidence.novelty, evidence.novelty_threshold);
  EXPECT_EQ(evidence.parts[0].weight, 0);
  EXPECT_GT(evidence.probabilities[2], evidence.probabilities[0]);
}

}  // namespace
}  // namespace pointsman::classifier
