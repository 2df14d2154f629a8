#include "router/offline/pair_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct PairRowsTest : ::testing::Test {
  ::pointsman::testing::TempDir dir;
  ScoredOptions options;

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir.path() / name) << text;
    options.files.push_back(dir.path() / name);
  }
  std::string ErrorOf() {
    const auto rows = ReadScoredRows(options);
    return rows ? "" : rows.error().message;
  }
};

TEST_F(PairRowsTest, ReadsScoresListsAndFieldsAndTakesTheFirstTurn) {
  Write("a.jsonl",
        "{\"prompt\":\"one\",\"domain\":\"law\",\"weak_correct\":1,\"strong_correct\":false}\n"
        "{\"turns\":[\"two\",\"then\"],\"category\":\"art\",\"scores\":{\"A\":[4,6],\"B\":7,\"C\":9}}\n"
        "{\"question\":\"three\",\"weak\":0.25,\"strong\":\"0.5\"}\n");
  options.columns = {{"weak", {"A", "weak"}}, {"strong", {"B", "C", "strong"}}};
  const auto rows = ReadScoredRows(options);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->rows.size(), 3U);
  EXPECT_THAT(rows->rows[0].scores, ElementsAre(1, 0));
  EXPECT_THAT(rows->rows[1].scores, ElementsAre(5, 8));
  EXPECT_THAT(rows->rows[2].scores, ElementsAre(0.25, 0.5));
  EXPECT_EQ(rows->rows[1].text, "two");
  EXPECT_EQ(rows->rows[2].text, "three");
  EXPECT_THAT(rows->labels, ElementsAre("law", "art"));
  EXPECT_EQ(rows->rows[2].label, kNoLabel);
}

TEST_F(PairRowsTest, LeavesOutContaminatedRowsAndThoseOutsideTheRange) {
  Write("a.jsonl",
        "{\"prompt\":\"in\",\"h\":\"00000031ffff\",\"weak\":0,\"strong\":1,\"contaminated\":0}\n"   // 49
        "{\"prompt\":\"out\",\"h\":\"00000032ffff\",\"weak\":0,\"strong\":1,\"contaminated\":0}\n"  // 50
        "{\"prompt\":\"seen\",\"h\":\"00000000ffff\",\"weak\":0,\"strong\":1,\"contaminated\":1}\n");
  options.columns = {{"weak", {"weak"}}, {"strong", {"strong"}}};
  options.range = HashRange{0, 50};
  const auto rows = ReadScoredRows(options);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->rows[0].text, "in");
  EXPECT_EQ(rows->contaminated, 1U);
}

TEST_F(PairRowsTest, FaultsNameFileLineAndWhatIsThere) {
  options.columns = {{"weak", {"small"}}};
  Write("a.jsonl", "{\"prompt\":\"x\",\"scores\":{\"small\":1}}\n{\"prompt\":\"x\",\"scores\":{\"tiny\":1}}\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("a.jsonl:2"));
  EXPECT_THAT(ErrorOf(), HasSubstr("there are: tiny"));
  options.files.clear();
  Write("b.jsonl", "{\"prompt\":\"x\",\"scores\":{\"small\":\"good\"}}\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("is not a number"));
  options.files.clear();
  Write("c.jsonl", "{\"body\":\"x\",\"small\":1}\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("--text"));
  options.text_field = "body";
  EXPECT_EQ(ErrorOf(), "");
  options.label_field = "topic";
  EXPECT_THAT(ErrorOf(), HasSubstr("topic"));
  options.label_field = "";
  options.range = HashRange{0, 50};
  EXPECT_THAT(ErrorOf(), HasSubstr("h"));
}

TEST_F(PairRowsTest, NamesAreThoseOfTheFirstRow) {
  Write("a.jsonl", "{\"scores\":{\"b\":1,\"a\":0}}\n{\"scores\":{\"c\":1}}\n");
  EXPECT_THAT(*ScoredNames(dir.path() / "a.jsonl"), ElementsAre("a", "b"));
  Write("b.jsonl", "{\"weak_correct\":1,\"strong_correct\":0,\"x\":1}\n");
  EXPECT_THAT(*ScoredNames(dir.path() / "b.jsonl"), ElementsAre("strong", "weak"));
  Write("c.jsonl", "{\"x\":1}\n");
  EXPECT_FALSE(ScoredNames(dir.path() / "c.jsonl").ok());
}

}  // namespace
}  // namespace pointsman::offline
