#include "router/classifier/contradiction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "router/classifier/artifact.h"
#include "router/classifier/ensemble.h"
#include "router/offline/train_classifier.h"
#include "tests/support/embedding.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::classifier {
namespace {

// Counts a's and b's; equal numbers, or none, are undecided.
class Letters final : public Classifier {
 public:
  policies::Evidence Classify(std::string_view text) const override {
    const auto a = std::count(text.begin(), text.end(), 'a'), b = std::count(text.begin(), text.end(), 'b');
    const float p = a + b == 0 ? 0.5F : (0.01F + static_cast<float>(a)) / (0.02F + static_cast<float>(a + b));
    policies::Evidence evidence;
    evidence.categories = categories_;
    evidence.probabilities = {p, 1 - p};
    evidence.likeliest = p >= 0.5F ? 0 : 1;
    evidence.bytes_read = text.size();
    longest = std::max(longest, text.size());
    return evidence;
  }
  std::vector<std::pair<std::string, double>> Explain(std::string_view, std::size_t, std::size_t) const override {
    return {};
  }
  const std::vector<std::string>& categories() const override { return categories_; }
  std::string_view checksum() const override { return ""; }

  mutable std::size_t longest = 0;

 private:
  std::vector<std::string> categories_ = {"a", "b"};
};

TEST(Contradiction, IsNoneWhereAllPartsAgree) {
  EXPECT_EQ(Contradiction(Letters(), "aaa aab aaa", 1000), 0);
  EXPECT_EQ(Contradiction(Letters(), "", 1000), 0);
  EXPECT_EQ(Contradiction(Letters(), "b", 1000), 0);
  EXPECT_EQ(Contradiction(Letters(), "bbbbbbbbbbbb", 1000), 0);  // no space to cut at
}

TEST(Contradiction, IsHowLittleTwoPartsBelieveEachOther) {
  // "aaab", " aabb", " bbbb": first and last; the middle one is undecided
  EXPECT_NEAR(Contradiction(Letters(), "aaab aabb bbbb", 1000), -std::log(1.01 / 4.02), 1e-4);
  EXPECT_GT(Contradiction(Letters(), "aaaa aabb bbbb", 1000), 4);
  EXPECT_GT(Contradiction(Letters(), "bbbb aaaa aaaa", 1000), 4);
}

TEST(Contradiction, OfALongTextReadsItsHeadAndTail) {
  const Letters letters;
  EXPECT_GT(Contradiction(letters, std::string(500, 'a') + std::string(5000, ' ') + std::string(500, 'b'), 1000), 4);
  EXPECT_EQ(letters.longest, 500U);
}

TEST(Contradiction, AnEnsembleCallsATextOfTwoThingsMixed) {
  pointsman::testing::TempDir dir;
  offline::TrainOptions options = pointsman::testing::TopicOptions(dir.path() / "a.pmc");
  options.fit.embedding = pointsman::testing::TopicEmbedding();
  ASSERT_TRUE(offline::TrainClassifier(options).ok());
  v1::Artifact artifact = ReadArtifact(options.out)->artifact;
  EXPECT_EQ(artifact.ensemble().contradiction_threshold(), 0);  // its rows are too short to tell
  const std::string mixed =
      "How long do I boil an egg until the yolk is soft? Chop two onions and fry them in butter until golden. Which "
      "planet "
      "has the largest moon? How far away is the nearest star from the sun?";
  EXPECT_FALSE(EnsembleModel(artifact, "", std::nullopt).Classify(mixed).mixed);
  artifact.mutable_ensemble()->set_contradiction_threshold(0.5);
  const EnsembleModel model(artifact, "", std::nullopt);
  const policies::Evidence evidence = model.Classify(mixed);
  EXPECT_TRUE(evidence.mixed && evidence.uncertain);
  EXPECT_GT(evidence.contradiction, 0.5);
  const policies::Evidence brief = model.Classify(mixed.substr(0, 120));
  EXPECT_FALSE(brief.mixed);
  EXPECT_EQ(brief.contradiction_threshold, 0);
}

TEST(Contradiction, TrainingSetsTheThresholdFromLongerRows) {
  pointsman::testing::TempDir dir;
  offline::TrainOptions options = pointsman::testing::TopicOptions(dir.path() / "a.pmc");
  options.fit.embedding = pointsman::testing::TopicEmbedding();
  const auto rows = offline::ReadRows(options.rows, nullptr);
  ASSERT_TRUE(rows.ok());
  // Three rows of one topic make a longer one.
  std::string longer;
  for (std::size_t i = 0; i < rows->rows.size(); ++i) {
    std::string text = rows->rows[i].text;
    for (std::size_t j = i + 1; j < rows->rows.size() && text.size() < 150; ++j) {
      if (rows->rows[j].label == rows->rows[i].label) text += " " + rows->rows[j].text;
    }
    for (const char* opening : {"", "Well: ", "So, "}) {
      const boost::json::object row = {{"text", opening + text}, {"topic", rows->labels[rows->rows[i].label]}};
      longer += boost::json::serialize(row) + "\n";
    }
  }
  options.rows.files = {dir.Write("longer.jsonl", longer)};
  options.rows.source_field = "";
  const auto report = offline::TrainClassifier(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(ReadArtifact(options.out)->artifact.ensemble().contradiction_threshold(), 0);
}

}  // namespace
}  // namespace pointsman::classifier
