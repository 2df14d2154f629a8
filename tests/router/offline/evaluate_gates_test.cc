#include "router/offline/evaluate_gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "router/offline/random.h"
#include "tests/support/embedding.h"
#include "tests/support/gates.h"
#include "tests/support/topics.h"

namespace pointsman::offline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

EvaluateTrainedGatesOptions Options() {
  EvaluateTrainedGatesOptions options;
  options.rows.files = {pointsman::testing::TopicRows()};
  options.rows.label_field = "topic";
  options.test = options.rows;
  options.pool.files = {pointsman::testing::PoolRows()};
  options.pool.label_field.clear();
  options.embedding = pointsman::testing::TopicEmbedding();
  return options;
}

TEST(EvaluateTrainedGates, MeasuresEveryFormAndTheJointClassifierOnTheSameRows) {
  const auto evaluation = EvaluateTrainedGates(Options());
  ASSERT_TRUE(evaluation) << evaluation.error().message;
  EXPECT_EQ(evaluation->experts, (std::vector<std::string>{"astronomy", "cooking", "music", "sailing"}));
  EXPECT_EQ(evaluation->rows, 60U);
  EXPECT_EQ(evaluation->test_rows, 60U);
  ASSERT_EQ(evaluation->forms.size(), std::size(classifier::kGateForms));
  ASSERT_TRUE(evaluation->joint);
  for (const GateFormFigures& form : evaluation->forms) {
    EXPECT_GT(form.top1, 0.43) << form.name;  // by chance 0.25, with a deviation of 0.056
    EXPECT_GE(form.top2, form.top1) << form.name;
    EXPECT_GT(form.temperature, 0) << form.name;
    EXPECT_NEAR(form.behind_joint, evaluation->joint->top1 - form.top1, 1e-9) << form.name;
  }
  EXPECT_EQ(evaluation->forms[0].name, "ensemble");
  EXPECT_GT(evaluation->add_seconds, 0);
  EXPECT_GT(evaluation->gate_bytes, 196'000);
  const auto json = boost::json::parse(EvaluationJson(*evaluation));
  EXPECT_EQ(json.at("forms").as_array().size(), evaluation->forms.size());
  EXPECT_EQ(json.at("merged_top1").as_double(), 0.25);
  EXPECT_THAT(EvaluationText(*evaluation),
              AllOf(HasSubstr("ensemble"), HasSubstr("joint"), HasSubstr("oracle"), HasSubstr("to add one expert")));
}

TEST(EvaluateTrainedGates, SaysWhichLabelHasTooFewRowsAndWhichIsUnknown) {
  const pointsman::testing::TempDir dir;
  auto options = Options();
  options.rows.files.push_back(dir.Write("few.jsonl", "{\"text\": \"Mix the paint\", \"topic\": \"painting\"}\n"));
  const auto few = EvaluateTrainedGates(options);
  ASSERT_FALSE(few);
  EXPECT_THAT(few.error().message, AllOf(HasSubstr("\"painting\" has 1 rows"), HasSubstr("--drop")));
  options = Options();
  options.test.files = {dir.Write("odd.jsonl", "{\"text\": \"Mix the paint\", \"topic\": \"painting\"}\n")};
  const auto odd = EvaluateTrainedGates(options);
  ASSERT_FALSE(odd);
  EXPECT_THAT(odd.error().message, HasSubstr("odd.jsonl:1: unknown label \"painting\""));
}

TEST(EvaluateGateFiles, MeasuresGatesByTheNamesOfTheirExperts) {
  const pointsman::testing::TempDir dir;
  EvaluateGateFilesOptions options;
  options.classifier = pointsman::testing::WriteTopicEmbedding(dir);
  for (const char* topic : {"sailing", "astronomy", "music"}) {
    const auto report = TrainGate(pointsman::testing::TopicGateOptions(dir, topic));
    ASSERT_TRUE(report) << report.error().message;
    options.gates.push_back(report->out);
  }
  options.rows.files = {pointsman::testing::TopicRows()};
  options.rows.label_field = "topic";
  const auto unknown = EvaluateGateFiles(options);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("unknown label \"cooking\""));
  options.rows.drop_labels = {"cooking"};
  const auto evaluation = EvaluateGateFiles(options);
  ASSERT_TRUE(evaluation) << evaluation.error().message;
  EXPECT_EQ(evaluation->experts, (std::vector<std::string>{"astronomy", "music", "sailing"}));
  EXPECT_EQ(evaluation->test_rows, 45U);
  EXPECT_GT(evaluation->forms[0].top1, 0.9);
  EXPECT_FALSE(evaluation->joint);

  auto twice = options;
  twice.gates.push_back(options.gates[0]);
  EXPECT_THAT(EvaluateGateFiles(twice).error().message, HasSubstr("another file is a gate of \"sailing\""));
  auto one = options;
  one.gates.resize(1);
  EXPECT_THAT(EvaluateGateFiles(one).error().message, HasSubstr("two or more"));
}

}  // namespace
}  // namespace pointsman::offline
