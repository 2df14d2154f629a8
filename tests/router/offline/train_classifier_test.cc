#include "router/offline/train_classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>

#include "router/classifier/artifact.h"
#include "router/classifier/classifier.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::offline {
namespace {

using pointsman::testing::ReadFile;
using pointsman::testing::TempDir;
using pointsman::testing::TopicOptions;
using ::testing::HasSubstr;

class TrainTest : public ::testing::Test {
 protected:
  TrainReport Train(const TrainOptions& options) {
    auto report = TrainClassifier(options);
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message);
    return report.ok() ? *std::move(report) : TrainReport{};
  }
  TempDir dir_;
};

TEST_F(TrainTest, EqualSeedsGiveEqualBytesAndOthersDoNot) {
  TrainOptions options = TopicOptions(dir_.path() / "a.pmc");
  Train(options);
  options.out = dir_.path() / "b.pmc";
  Train(options);
  options.out = dir_.path() / "c.pmc";
  options.fit.linear.seed = 2;
  Train(options);
  EXPECT_EQ(ReadFile(dir_.path() / "a.pmc"), ReadFile(dir_.path() / "b.pmc"));
  EXPECT_NE(ReadFile(dir_.path() / "a.pmc"), ReadFile(dir_.path() / "c.pmc"));
}

TEST_F(TrainTest, LearnsMoreThanChance) {
  const TrainReport report = Train(TopicOptions(dir_.path() / "a.pmc"));
  EXPECT_EQ(report.rows, 60U);
  EXPECT_EQ(report.folds, 4U);
  EXPECT_GT(report.metrics.accuracy, 0.5);  // chance: 0.25
}

TEST_F(TrainTest, FitsItsOwnRowsWhenServed) {
  Train(TopicOptions(dir_.path() / "a.pmc"));
  const auto classifier = classifier::Classifier::Load(dir_.path() / "a.pmc", std::nullopt);
  ASSERT_TRUE(classifier.ok());
  RowOptions rows = TopicOptions("").rows;
  const auto read = ReadRows(rows, nullptr);
  std::size_t right = 0;
  for (const Row& row : read->rows) right += (*classifier)->Classify(row.text).likeliest == row.label;
  EXPECT_GE(right, 58U);
}

TEST_F(TrainTest, TheArtifactHoldsSourcesLicencesAndFigures) {
  TrainOptions options = TopicOptions(dir_.path() / "a.pmc");
  options.licences = {{"notebook", "Apache-2.0"}};
  const TrainReport report = Train(options);
  const auto read = classifier::ReadArtifact(dir_.path() / "a.pmc");
  ASSERT_TRUE(read.ok());
  const v1::Artifact& artifact = read->artifact;
  ASSERT_EQ(artifact.sources_size(), 2);
  EXPECT_EQ(artifact.sources(0).name(), "letters");
  EXPECT_EQ(artifact.sources(0).licence(), "NOASSERTION");
  EXPECT_EQ(artifact.sources(0).rows(), 12U);
  EXPECT_EQ(artifact.sources(1).licence(), "Apache-2.0");
  EXPECT_EQ(artifact.report().rows(), report.rows);
  EXPECT_DOUBLE_EQ(artifact.report().accuracy(), report.metrics.accuracy);
  EXPECT_EQ(read->checksum, report.checksum);
  EXPECT_GE(artifact.classifier().entropy_threshold(), report.entropy_threshold);
}

TEST_F(TrainTest, CoverageSetsTheThreshold) {
  TrainOptions options = TopicOptions(dir_.path() / "a.pmc");
  options.fit.coverage = 0.5;
  const TrainReport half = Train(options);
  options.fit.coverage = 1;
  const TrainReport all = Train(options);
  EXPECT_LT(half.entropy_threshold, all.entropy_threshold);
  EXPECT_GE(half.coverage, 0.5);
  EXPECT_EQ(all.coverage, 1);
}

TEST_F(TrainTest, BalanceShiftsWeightToSmallCategories) {
  std::string rows = ReadFile(pointsman::testing::TopicRows());
  for (int i = 0; i < 300; ++i)
    rows += "{\"text\": \"the boat number " + std::string(i, 'n') + "\", \"topic\": \"sailing\", \"from\": \"x\"}\n";
  TrainOptions options = TopicOptions(dir_.path() / "a.pmc");
  options.rows.files = {dir_.Write("rows.jsonl", rows)};
  const auto sailing = [&](double balance) {
    options.fit.linear.balance = balance;
    Train(options);
    return (*classifier::Classifier::Load(options.out, std::nullopt))->Classify("q").probabilities[3];
  };
  EXPECT_LT(sailing(1), sailing(0));
}

TEST_F(TrainTest, WrongOptionsAreNamed) {
  const auto error = [&](const std::function<void(TrainOptions&)>& change) {
    TrainOptions options = TopicOptions(dir_.path() / "a.pmc");
    change(options);
    const auto report = TrainClassifier(options);
    return report.ok() ? std::string() : report.error().message;
  };
  EXPECT_THAT(error([](TrainOptions& o) { o.fit.folds = 1; }), HasSubstr("--folds"));
  EXPECT_THAT(error([](TrainOptions& o) { o.fit.coverage = 1.5; }), HasSubstr("--coverage"));
  EXPECT_THAT(error([](TrainOptions& o) { o.fit.coverage = std::nan(""); }), HasSubstr("--coverage"));
  EXPECT_THAT(error([](TrainOptions& o) { o.fit.linear.dropout = 1; }), HasSubstr("--dropout"));
  EXPECT_THAT(error([](TrainOptions& o) { o.fit.linear.epochs = 0; }), HasSubstr("--epochs"));
  EXPECT_THAT(error([](TrainOptions& o) { o.fit.linear.bucket_bits = 40; }), HasSubstr("--bucket-bits"));
  EXPECT_THAT(error([](TrainOptions& o) { o.fit.linear.max_bytes = 1; }), HasSubstr("--max-bytes"));
  EXPECT_THAT(error([](TrainOptions& o) { o.out.clear(); }), HasSubstr("--out"));
  EXPECT_THAT(error([](TrainOptions& o) { o.rows.label_field = "colour"; }),
              HasSubstr("topics.jsonl:1: no field \"colour\""));
  EXPECT_THAT(error([](TrainOptions& o) {
                o.rows.drop_labels = {"music", "sailing", "cooking"};
              }),
              HasSubstr("at least 2 labels"));
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "a.pmc"));
}

TEST_F(TrainTest, ReportsAsTextAndAsJson) {
  const TrainReport report = Train(TopicOptions(dir_.path() / "a.pmc"));
  EXPECT_THAT(ReportText(report),
              ::testing::AllOf(HasSubstr("60 rows, 4 categories"), HasSubstr("astronomy"),
                               HasSubstr("fitted without its fold"), HasSubstr("cannot measure it")));
  const auto json = boost::json::parse(ReportJson(report));
  EXPECT_EQ(json.at("rows").to_number<int>(), 60);
  EXPECT_EQ(json.at("out_of_fold").at("categories").as_array().size(), 4U);
  EXPECT_EQ(json.at("artifact").at("sha256").as_string(), report.checksum);
}

TEST_F(TrainTest, ProgressRunsForwardThroughItsStages) {
  TrainOptions options = TopicOptions(dir_.path() / "a.pmc");
  options.fit.linear.epochs = 60;
  std::string stages;
  double last = 0;
  options.progress = [&](std::string_view stage, double share) {
    if (stages.find(stage) == std::string::npos) {
      stages += stage;
      last = 0;
    }
    EXPECT_GE(share, last);
    EXPECT_LE(share, 1);
    last = share;
  };
  Train(options);
  EXPECT_THAT(stages, HasSubstr("fitting"));
}

}  // namespace
}  // namespace pointsman::offline
