// From rows to a head that is served, with an encoder of the test's own: the embedding knows what n-grams cannot.
#include "router/offline/train_encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "router/classifier/classifier.h"
#include "router/classifier/encoder_head.h"
#include "router/offline/evaluate_classifier.h"
#include "router/offline/train_classifier.h"
#include "tests/support/encoder_head.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kRows = 600;

struct TrainEncoderTest : ::testing::Test {
  testing::TempDir folder;
  TrainEncoderOptions options;

  // Half of the words of a text tell its category, and a third of the texts have none of them: "q17".
  static std::string Rows(std::size_t first) {
    std::mt19937 random(2);
    std::string rows;
    const char* const words[3] = {"law court judge", "sum root angle", "cell gene virus"};
    for (std::size_t i = first; i < first + kRows; ++i) {
      const bool plain = random() % 3 == 0;
      rows += R"({"text": ")" + std::string(plain ? "" : words[i % 3]) + " q" + std::to_string(i) + R"(", "label": ")" +
              std::string(1, static_cast<char>('a' + i % 3)) + "\"}\n";
    }
    return rows;
  }

  TrainEncoderTest() {
    options.rows.files = {folder.Write("rows.jsonl", Rows(0))};
    TrainOptions fast;
    fast.rows = options.rows;
    fast.out = folder.path() / "fast.pmc";
    fast.fit.linear.bucket_bits = 10;
    fast.fit.linear.epochs = 5;
    EXPECT_TRUE(TrainClassifier(fast).ok());
    options.classifier = fast.out;
    options.out = folder.path() / "head.pmh";
    options.embed = [](std::span<const std::string_view> texts, const std::function<void(double)>&) {
      EmbeddedTexts result;
      result.encoder = "test-encoder";
      std::mt19937 noise(1);
      std::normal_distribution<double> normal(0, 0.5);
      for (const std::string_view text : texts) {
        const auto number = static_cast<std::size_t>(std::stoul(std::string(text.substr(text.find('q') + 1))));
        std::vector<double> values(8);
        for (double& value : values) value = normal(noise);
        values[number % 3] += 2;
        result.vectors.push_back(testing_support::Unit(values));
      }
      return Result<EmbeddedTexts>(std::move(result));
    };
  }
};

TEST_F(TrainEncoderTest, TheHeadRefinesWhatTheFastLaneCannotKnow) {
  const auto report = TrainEncoder(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->rows, kRows);
  EXPECT_GT(report->held_out, kRows / 10);
  ASSERT_EQ(report->curve.size(), 6u);
  EXPECT_LT(report->curve.front().accuracy, 0.9);
  EXPECT_GT(report->curve.back().accuracy, 0.95);
  EXPECT_NEAR(report->fast_weight + report->linear_weight + report->neighbour_weight, 1, 1e-5);

  const auto head = classifier::EncoderHead::Load(options.out, std::nullopt);
  ASSERT_TRUE(head.ok()) << head.error().message;
  const auto fast = classifier::Classifier::Load(options.classifier, std::nullopt);
  EXPECT_EQ((*head)->classifier(), (*fast)->checksum());
  EXPECT_EQ((*head)->categories(), (*fast)->categories());
  EXPECT_EQ((*head)->encoder(), "test-encoder");
  EXPECT_LE((*head)->ThresholdForShare(0.2), (*head)->ThresholdForShare(0.8));
  // A third of the texts have no telling word: escalating as many mends nearly all that can be mended.
  EXPECT_GT(report->curve[4].accuracy, (report->curve.front().accuracy + report->curve.back().accuracy) / 2);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GE(report->curve[i].accuracy, report->curve[i - 1].accuracy);

  // Texts that nobody has seen, without a telling word.
  const std::vector<std::string> texts = {"q9000", "q9001", "q9002", "q9003", "q9004", "q9005"};
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto embedded = options.embed(views, nullptr);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto precise = (*head)->PreciseEvidence((*fast)->Classify(texts[i]), embedded->vectors[i]);
    ASSERT_TRUE(precise.ok());
    EXPECT_EQ(precise->likeliest, i % 3) << texts[i];
  }
  EXPECT_NE(ReportText(*report).find("escalated"), std::string::npos);
  EXPECT_NE(ReportJson(*report).find("\"sha256\""), std::string::npos);
}

// `evaluate classifier` with the lane: the unsure rows, which have no telling word, are the ones that it mends.
TEST_F(TrainEncoderTest, TheLaneIsMeasuredAsTheRouterWouldUseIt) {
  ASSERT_TRUE(TrainEncoder(options).ok());
  EvaluateClassifierOptions evaluate;
  evaluate.artifact = options.classifier;
  evaluate.rows.files = {folder.Write("unseen.jsonl", Rows(3 * kRows))};
  const auto fast = EvaluateClassifier(evaluate);
  ASSERT_TRUE(fast.ok()) << fast.error().message;
  EXPECT_FALSE(fast->escalated);
  evaluate.encoder = EvaluateEncoderLane{options.out, 0.2, options.embed};
  const auto some = EvaluateClassifier(evaluate);
  evaluate.encoder->share = 1;
  const auto all = EvaluateClassifier(evaluate);
  ASSERT_TRUE(some.ok() && all.ok());
  EXPECT_GT(*some->escalated, 0);
  EXPECT_LT(*some->escalated, 0.6);
  EXPECT_EQ(*all->escalated, 1);
  EXPECT_GE(some->metrics.accuracy, fast->metrics.accuracy);
  EXPECT_GT(all->metrics.accuracy, 0.95);
  EXPECT_NE(EvaluationJson(*some).find("\"escalated\""), std::string::npos);
  EXPECT_EQ(EvaluationJson(*fast).find("\"escalated\""), std::string::npos);

  evaluate.encoder->share = 0;
  auto wrong = EvaluateClassifier(evaluate);
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("--share"), std::string::npos);
  evaluate.encoder->share = 0.2;
  evaluate.encoder->embed = [&](std::span<const std::string_view> texts, const std::function<void(double)>& progress) {
    auto embedded = options.embed(texts, progress);
    embedded->encoder = "another";
    return embedded;
  };
  wrong = EvaluateClassifier(evaluate);
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("test-encoder, and this one is another"), std::string::npos);
  TrainOptions other;
  other.rows = options.rows;
  other.out = folder.path() / "other.pmc";
  other.fit.linear.bucket_bits = 10;
  other.fit.linear.seed = 7;
  ASSERT_TRUE(TrainClassifier(other).ok());
  evaluate.artifact = other.out;
  wrong = EvaluateClassifier(evaluate);
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("made for another classifier"), std::string::npos);
}

TEST_F(TrainEncoderTest, EqualInputGivesEqualBytes) {
  const auto first = TrainEncoder(options);
  const auto second = TrainEncoder(options);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->checksum, second->checksum);
}

TEST_F(TrainEncoderTest, SaysWhatIsWrong) {
  TrainEncoderOptions wrong = options;
  wrong.rows.rename = {{"a", "alpha"}};
  auto report = TrainEncoder(wrong);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message.find("no category \"alpha\""), std::string::npos) << report.error().message;
  wrong = options;
  wrong.holdout = 0.9;
  EXPECT_FALSE(TrainEncoder(wrong).ok());
  wrong = options;
  wrong.rows.drop_labels = {"b"};
  report = TrainEncoder(wrong);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message.find("category b"), std::string::npos) << report.error().message;
  wrong = options;
  wrong.classifier = folder.path() / "nothing.pmc";
  EXPECT_FALSE(TrainEncoder(wrong).ok());
}

}  // namespace
}  // namespace pointsman::offline
