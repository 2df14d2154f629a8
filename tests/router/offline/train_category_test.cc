#include "router/offline/train_category.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "router/classifier/artifact.h"
#include "router/classifier/classifier.h"
#include "router/offline/train_classifier.h"
#include "tests/support/embedding.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::offline {
namespace {

using pointsman::testing::ReadFile;
using ::testing::HasSubstr;

// A classifier of three topics, to which the rows of the fourth (sailing) are added.
class TrainCategoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TrainOptions options = pointsman::testing::TopicOptions(dir_.path() / "three.pmc");
    options.fit.embedding = pointsman::testing::TopicEmbedding();
    options.rows.drop_labels = {"sailing"};
    options.fit.linear.bucket_bits = 14;  // few collisions: words of sailing alone stay unknown
    const auto report = TrainClassifier(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    options_.artifact = options.out;
    options_.rows.files = {pointsman::testing::TopicRows()};
    options_.rows.label_field = "topic";
    options_.rows.drop_labels = {"astronomy", "cooking", "music"};
    options_.source = "logbook";
    options_.licence = "MIT";
    options_.out = dir_.path() / "four.pmc";
  }

  TrainCategoryReport Add() {
    auto report = TrainCategory(options_);
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message);
    return report.ok() ? *std::move(report) : TrainCategoryReport{};
  }
  std::string ErrorOf(const std::function<void(TrainCategoryOptions&)>& change) {
    TrainCategoryOptions options = options_;
    change(options);
    const auto report = TrainCategory(options);
    EXPECT_FALSE(std::filesystem::exists(options_.out));
    return report.ok() ? "" : report.error().message;
  }

  pointsman::testing::TempDir dir_;
  TrainCategoryOptions options_;
};

TEST_F(TrainCategoryTest, TheNewCategoryIsFoundAndTheOthersStay) {
  const TrainCategoryReport report = Add();
  ASSERT_EQ(report.added.size(), 1U);
  EXPECT_EQ(report.added[0].name, "sailing");
  EXPECT_TRUE(report.added[0].fresh);
  EXPECT_EQ(report.added[0].rows, 15U);
  EXPECT_EQ(report.added[0].before, 0U);
  EXPECT_EQ(report.categories, 4U);
  const auto classifier = classifier::Classifier::Load(options_.out, std::nullopt);
  ASSERT_TRUE(classifier.ok()) << classifier.error().message;
  RowOptions all = pointsman::testing::TopicOptions("").rows;
  const auto rows = ReadRows(all, nullptr);
  std::size_t old = 0, fresh = 0;
  for (const Row& row : rows->rows) {
    const policies::Evidence evidence = (*classifier)->Classify(row.text);
    if ((*classifier)->categories()[evidence.likeliest] != rows->labels[row.label]) continue;
    ++(rows->labels[row.label] == "sailing" ? fresh : old);
  }
  EXPECT_GE(old, 41U);    // of 45
  EXPECT_GE(fresh, 13U);  // of 15
}

TEST_F(TrainCategoryTest, WhatWasAddedIsOnRecord) {
  const TrainCategoryReport report = Add();
  const auto before = classifier::ReadArtifact(options_.artifact), after = classifier::ReadArtifact(options_.out);
  ASSERT_TRUE(after.ok()) << after.error().message;
  EXPECT_EQ(after->checksum, report.checksum);
  EXPECT_NE(after->checksum, before->checksum);
  const v1::Artifact& artifact = after->artifact;
  ASSERT_EQ(artifact.additions_size(), 1);
  EXPECT_EQ(artifact.additions(0).category(), "sailing");
  EXPECT_TRUE(artifact.additions(0).fresh());
  EXPECT_EQ(artifact.additions(0).rows(), 15U);
  EXPECT_EQ(artifact.additions(0).artifact(), before->checksum);
  const v1::Source& source = artifact.sources(artifact.sources_size() - 1);
  EXPECT_EQ(source.name() + " " + source.licence(), "logbook MIT");
  EXPECT_EQ(source.rows(), 15U);
  EXPECT_EQ(artifact.sources_size(), before->artifact.sources_size() + 1);
  EXPECT_EQ(artifact.neighbours().labels().size(), 60U);
  EXPECT_EQ(artifact.ensemble().weights(0), before->artifact.ensemble().weights(0));
  EXPECT_EQ(artifact.ensemble().novelty_threshold(), before->artifact.ensemble().novelty_threshold());
}

TEST_F(TrainCategoryTest, RowsOfAKnownCategoryAreAddedToIt) {
  options_.rows.drop_labels = {"astronomy", "cooking", "sailing"};
  const TrainCategoryReport report = Add();
  ASSERT_EQ(report.added.size(), 1U);
  EXPECT_FALSE(report.added[0].fresh);
  EXPECT_EQ(report.added[0].before, 15U);
  EXPECT_EQ(report.categories, 3U);
  EXPECT_EQ(classifier::ReadArtifact(options_.out)->artifact.neighbours().labels().size(), 60U);
}

TEST_F(TrainCategoryTest, OneRowIsEnoughForAKnownCategory) {
  options_.rows.drop_labels.clear();
  options_.rows.files = {dir_.Write("one.jsonl", "{\"text\": \"a violin in tune\", \"topic\": \"music\"}\n")};
  const TrainCategoryReport report = Add();
  EXPECT_EQ(report.added[0].rows, 1U);
  EXPECT_EQ(classifier::ReadArtifact(options_.out)->artifact.neighbours().labels().size(), 46U);
}

TEST_F(TrainCategoryTest, OneNameForAllRows) {
  options_.rows.label_field = "";
  options_.rows.drop_labels.clear();
  options_.rows.files = {dir_.Write("rows.jsonl",
                                    "{\"text\": \"the anchor drags in mud\"}\n{\"text\": \"reef the main sail\"}\n"
                                    "{\"text\": \"tie the boat to the buoy\"}\n{\"text\": \"the tide turns\"}\n")};
  options_.label = "boats";
  const TrainCategoryReport report = Add();
  EXPECT_EQ(report.added[0].name, "boats");
  EXPECT_EQ(report.added[0].rows, 4U);
}

TEST_F(TrainCategoryTest, EqualInputGivesEqualBytes) {
  Add();
  const std::string first = ReadFile(options_.out);
  options_.out = dir_.path() / "again.pmc";
  Add();
  EXPECT_EQ(ReadFile(options_.out), first);
}

TEST_F(TrainCategoryTest, MayWriteOverWhatItReads) {
  options_.out = options_.artifact;
  Add();
  EXPECT_EQ(classifier::ReadArtifact(options_.artifact)->artifact.classifier().categories_size(), 4);
}

TEST_F(TrainCategoryTest, WrongInputIsNamed) {
  EXPECT_THAT(ErrorOf([](TrainCategoryOptions& o) { o.out.clear(); }), HasSubstr("--out"));
  EXPECT_THAT(ErrorOf([](TrainCategoryOptions& o) { o.label = "x"; }), HasSubstr("--label-field"));
  EXPECT_THAT(ErrorOf([](TrainCategoryOptions& o) { o.rows.label_field = "colour"; }),
              HasSubstr("topics.jsonl:1: no field \"colour\""));
  EXPECT_THAT(ErrorOf([](TrainCategoryOptions& o) { o.rows.drop_labels.insert("sailing"); }), HasSubstr("no rows"));
  EXPECT_THAT(ErrorOf([](TrainCategoryOptions& o) { o.artifact = "/none.pmc"; }), HasSubstr("/none.pmc"));
  const std::filesystem::path one = dir_.Write("one.jsonl", "{\"text\": \"hoist\", \"topic\": \"rigging\"}\n");
  EXPECT_THAT(ErrorOf([&](TrainCategoryOptions& o) { o.rows.files = {one}; }),
              HasSubstr("\"rigging\" has one row; at least 2"));
  const std::filesystem::path huge =
      dir_.Write("huge.jsonl", "{\"text\": \"" + std::string(1100000, 'a') + "\", \"topic\": \"rigging\"}\n");
  EXPECT_THAT(ErrorOf([&](TrainCategoryOptions& o) { o.rows.files = {huge}; }),
              HasSubstr("huge.jsonl:1: field \"text\" is longer than 1 MiB"));
  std::string many;
  for (int i = 0; i < 254; ++i) {
    const std::string label = std::to_string(i);
    for (const char* word : {"a ", "b "})
      many += "{\"text\": \"" + (word + label) + "\", \"topic\": \"" + label + "\"}\n";
  }
  const std::filesystem::path categories = dir_.Write("many.jsonl", many);
  EXPECT_THAT(ErrorOf([&](TrainCategoryOptions& o) { o.rows.files = {categories}; }), HasSubstr("257 categories"));
}

TEST_F(TrainCategoryTest, AnArtifactWithoutNeighboursIsRefusedWithTheMend) {
  TrainOptions options = pointsman::testing::TopicOptions(dir_.path() / "plain.pmc");
  ASSERT_TRUE(TrainClassifier(options).ok());
  EXPECT_THAT(ErrorOf([&](TrainCategoryOptions& o) { o.artifact = options.out; }),
              ::testing::AllOf(HasSubstr("plain.pmc: it has no neighbours"), HasSubstr("without --embedding none")));
}

TEST_F(TrainCategoryTest, ReportsAsTextAndAsJson) {
  const TrainCategoryReport report = Add();
  EXPECT_THAT(ReportText(report), ::testing::AllOf(HasSubstr("sailing"), HasSubstr("new"), HasSubstr(report.checksum)));
  const auto json = boost::json::parse(ReportJson(report));
  EXPECT_EQ(json.at("added").at(0).at("category").as_string(), "sailing");
  EXPECT_EQ(json.at("added").at(0).at("rows").to_number<int>(), 15);
  EXPECT_EQ(json.at("artifact").at("sha256").as_string(), report.checksum);
}

}  // namespace
}  // namespace pointsman::offline
