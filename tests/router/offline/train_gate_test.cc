#include "router/offline/train_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "router/classifier/gate_file.h"
#include "tests/support/gates.h"
#include "tests/support/read_file.h"

namespace pointsman::offline {
namespace {

using pointsman::testing::TopicGateOptions;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(TrainGate, WritesTheGateOfTheRowsThatWereAskedFor) {
  const pointsman::testing::TempDir dir;
  TrainGateOptions options = TopicGateOptions(dir, "sailing");
  options.source = "logbook";
  options.licence = "MIT";
  const auto report = TrainGate(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->rows, 15U);
  EXPECT_EQ(report->pool_rows, 371U);
  EXPECT_GT(report->auroc, 0.62);
  EXPECT_LT(report->auroc, 1);
  EXPECT_EQ(report->bytes, std::filesystem::file_size(options.out));
  const auto gate = classifier::ReadGate(options.out);
  ASSERT_TRUE(gate) << gate.error().message;
  EXPECT_EQ(gate->expert(), "sailing");
  EXPECT_EQ(gate->embedding(), classifier::EmbeddingChecksum(*options.embedding));
  EXPECT_EQ(gate->sources(0).name(), "logbook");
  EXPECT_EQ(gate->sources(0).licence(), "MIT");
  EXPECT_EQ(gate->report().rows(), 15U);
  EXPECT_THAT(ReportText(*report), AllOf(HasSubstr("the gate of sailing, 15 own prompts"), HasSubstr("AUROC")));
  EXPECT_EQ(boost::json::parse(ReportJson(*report)).at("pool_rows").as_int64(), 371);
}

TEST(TrainGate, EqualInputGivesEqualBytes) {
  const pointsman::testing::TempDir one, two;
  const auto first = TrainGate(TopicGateOptions(one, "music")), second = TrainGate(TopicGateOptions(two, "music"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(pointsman::testing::ReadFile(first->out), pointsman::testing::ReadFile(second->out));
}

TEST(TrainGate, APoolTextThatIsAnOwnPromptDoesNotCount) {
  const pointsman::testing::TempDir dir;
  TrainGateOptions options = TopicGateOptions(dir, "music");
  options.pool.files.push_back(options.rows.files[0]);
  const auto report = TrainGate(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->shared, 15U);
  EXPECT_EQ(report->pool_rows, 371U + 45U);
}

TEST(TrainGate, SaysWhatIsMissing) {
  const pointsman::testing::TempDir dir;
  const auto error = [&](auto change) {
    TrainGateOptions options = TopicGateOptions(dir, "music");
    change(options);
    const auto report = TrainGate(options);
    EXPECT_FALSE(std::filesystem::exists(options.out));
    return report ? std::string() : report.error().message;
  };
  EXPECT_THAT(error([](TrainGateOptions& o) { o.expert.clear(); }), HasSubstr("--expert"));
  EXPECT_THAT(error([](TrainGateOptions& o) { o.embedding = nullptr; }), HasSubstr("--embedding"));
  EXPECT_THAT(error([](TrainGateOptions& o) { o.rows.where_value = "painting"; }),
              AllOf(HasSubstr("0 own prompts"), HasSubstr("--where")));
  EXPECT_THAT(error([](TrainGateOptions& o) { o.pool.range = HashRange{0, 1}; }), HasSubstr("no field \"h\""));
  const auto small = dir.Write("pool.jsonl", "{\"text\": \"one\"}\n");
  EXPECT_THAT(error([&](TrainGateOptions& o) { o.pool.files = {small}; }), HasSubstr("1 texts of the pool"));
}

TEST(TrainGate, BadRowsStopItWithTheirPlaceUnlessTheyAreSkipped) {
  const pointsman::testing::TempDir dir;
  TrainGateOptions options = TopicGateOptions(dir, "music");
  const auto bad = dir.Write("bad.jsonl", "{\"text\": \"no topic here\"}\nno json\n");
  options.rows.files.push_back(bad);
  const auto refused = TrainGate(options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("bad.jsonl:1: no field \"topic\""),
                                             HasSubstr("bad.jsonl:2: not JSON"), HasSubstr("--skip-bad")));
  options.rows.skip_bad = true;
  const auto report = TrainGate(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->bad, 2U);
  EXPECT_THAT(ReportText(*report), HasSubstr("bad.jsonl:2"));
}

}  // namespace
}  // namespace pointsman::offline
