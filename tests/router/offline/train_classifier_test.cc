#include "router/offline/train_classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <numeric>
#include <sstream>

#include "router/classifier/artifact.h"
#include "router/classifier/classifier.h"
#include "tests/support/embedding.h"
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

TEST_F(TrainTest, ThePageStandsAloneAndShowsTheSameFigures) {
  std::string rows = ReadFile(pointsman::testing::TopicRows());
  for (std::size_t at = 0; (at = rows.find("\"music\"", at)) != std::string::npos; ++at) {
    rows.replace(at, 7, "\"<music>\"");
  }
  TrainOptions options = TopicOptions(dir_.path() / "a.pmc");
  options.rows.files = {dir_.Write("rows.jsonl", rows)};
  const TrainReport report = Train(options);
  const std::string page = TrainPage(report);
  EXPECT_THAT(page, ::testing::AllOf(HasSubstr("&lt;music&gt;"), ::testing::Not(HasSubstr("<music>")),
                                     ::testing::Not(HasSubstr("<script")), ::testing::Not(HasSubstr("http")),
                                     HasSubstr("class=\"matrix\""), HasSubstr("threshold ")));
  char accuracy[32];
  std::snprintf(accuracy, sizeof accuracy, "%.2f %% (standard", 100 * report.metrics.accuracy);
  EXPECT_THAT(page, HasSubstr(accuracy));
  const auto json = boost::json::parse(ReportJson(report));
  EXPECT_EQ(json.at("out_of_fold").at("calibration").as_array().size(), 15U);
  EXPECT_EQ(json.at("out_of_fold").at("confusion_table").at(3).as_array().size(), 4U);
  EXPECT_GT(json.at("out_of_fold").at("categories").at(0).at("mean_probability").as_double(), 0);
  EXPECT_THAT(ReportText(report), HasSubstr("Calibration, by the largest probability"));
}

TEST_F(TrainTest, ThePageOfManyCategoriesListsTheMostConfusedPairs) {
  std::string rows;
  for (int i = 0; i < 410; ++i) {
    rows += "{\"text\": \"word" + std::to_string(i) + " number " + std::to_string(i % 41) + "\", \"topic\": \"t" +
            std::to_string(i % 41) + "\", \"from\": \"x\"}\n";
  }
  TrainOptions options = TopicOptions(dir_.path() / "a.pmc");
  options.rows.files = {dir_.Write("rows.jsonl", rows)};
  const std::string page = TrainPage(Train(options));
  EXPECT_THAT(page, ::testing::AllOf(HasSubstr("most frequent errors"), ::testing::Not(HasSubstr("class=\"matrix\""))));
}

// Half of the rows without their labels.
class UnlabelledTest : public TrainTest {
 protected:
  UnlabelledTest() {
    std::istringstream in(ReadFile(pointsman::testing::TopicRows()));
    std::string labelled, unlabelled;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line); ++number) {
      if (number / 4 % 2 == 0) {  // the topics take turns
        labelled += line + "\n";
      } else {
        unlabelled += "{\"text\": " + boost::json::serialize(boost::json::parse(line).at("text")) + "}\n";
      }
    }
    options_ = TopicOptions(dir_.path() / "a.pmc");
    options_.fit.embedding = pointsman::testing::TopicEmbedding();
    options_.rows.files = {dir_.Write("labelled.jsonl", labelled)};
    options_.unlabelled = {dir_.Write("unlabelled.jsonl", unlabelled + labelled)};
  }
  TrainOptions options_;
};

TEST_F(UnlabelledTest, RowsWithoutALabelJoinTheTrainingAndAreReported) {
  options_.fit.unlabelled_confidence = 0;
  const TrainReport report = Train(options_);
  ASSERT_TRUE(report.unlabelled);
  EXPECT_EQ(report.unlabelled->rows, 28U);  // those that are labelled as well do not count
  EXPECT_EQ(std::accumulate(report.unlabelled->taken.begin(), report.unlabelled->taken.end(), std::size_t{0}), 28U);
  EXPECT_EQ(report.metrics.rows, 32U);  // measured on labelled rows alone
  EXPECT_DOUBLE_EQ(report.unlabelled->accuracy_with, report.metrics.accuracy);
  EXPECT_EQ(classifier::ReadArtifact(options_.out)->artifact.neighbours().labels().size(), 60U);
  EXPECT_THAT(ReportText(report), HasSubstr("Unlabelled rows: 28, of which 28"));
  const auto json = boost::json::parse(ReportJson(report));
  EXPECT_EQ(json.at("unlabelled").at("rows").to_number<int>(), 28);
  EXPECT_EQ(json.at("unlabelled").at("taken").as_object().size(), 4U);
}

TEST_F(UnlabelledTest, WhatNobodyIsSureOfStaysOut) {
  options_.fit.unlabelled_confidence = 0;
  const TrainReport all = Train(options_);
  options_.fit.unlabelled_confidence = 0.9;
  const TrainReport sure = Train(options_);
  const auto taken = [](const TrainReport& report) {
    return std::accumulate(report.unlabelled->taken.begin(), report.unlabelled->taken.end(), std::size_t{0});
  };
  EXPECT_LT(taken(sure), taken(all));
  options_.unlabelled.clear();
  EXPECT_DOUBLE_EQ(sure.unlabelled->accuracy_without, Train(options_).metrics.accuracy);
}

TEST_F(UnlabelledTest, WrongOptionsAreNamed) {
  options_.fit.unlabelled_confidence = 1.5;
  auto report = TrainClassifier(options_);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, HasSubstr("--unlabelled-confidence"));
  options_.fit.unlabelled_confidence = 0.5;
  options_.fit.embedding = nullptr;
  report = TrainClassifier(options_);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, HasSubstr("token vectors"));
  options_.fit.embedding = pointsman::testing::TopicEmbedding();
  options_.unlabelled = options_.rows.files;
  report = TrainClassifier(options_);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, HasSubstr("no unlabelled rows besides"));
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
