#include "router/offline/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using pointsman::testing::ReadFile;
using pointsman::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RowsTest : public ::testing::Test {
 protected:
  Result<Rows> Read(std::string_view text) {
    options_.files = {dir_.Write("rows.jsonl", text)};
    return ReadRows(options_, nullptr);
  }
  std::string ErrorOf(std::string_view text) {
    const auto rows = Read(text);
    return rows.ok() ? "" : rows.error().message;
  }

  TempDir dir_;
  RowOptions options_;
};

constexpr std::string_view kGood =
    "{\"text\": \"one\", \"label\": \"b\", \"src\": \"x\"}\n\n{\"text\": \"two\", \"label\": \"a\", \"src\": \"y\"}\r\n"
    "{\"text\": \"three\", \"label\": \"b\", \"src\": \"x\"}";

TEST_F(RowsTest, LabelsAreSortedAndSourcesInOrder) {
  options_.source_field = "src";
  const auto rows = Read(kGood);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->labels, ElementsAre("a", "b"));
  EXPECT_THAT(rows->sources, ElementsAre("x", "y"));
  ASSERT_EQ(rows->rows.size(), 3U);
  EXPECT_EQ(rows->rows[0].label, 1U);
  EXPECT_EQ(rows->rows[1].text, "two");
  EXPECT_EQ(rows->rows[1].source, 1U);
}

TEST_F(RowsTest, GzipIsReadAlike) {
  const auto file = dir_.path() / "rows.jsonl.gz";
  gzFile out = gzopen(file.c_str(), "wb");
  gzwrite(out, kGood.data(), static_cast<unsigned>(kGood.size()));
  gzclose(out);
  options_.files = {file};
  const auto rows = ReadRows(options_, nullptr);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows.size(), 3U);

  const std::string whole = ReadFile(file);
  options_.files = {dir_.Write("cut.jsonl.gz", std::string_view(whole).substr(0, whole.size() - 12))};
  const auto cut = ReadRows(options_, nullptr);
  ASSERT_FALSE(cut.ok());
  EXPECT_THAT(cut.error().message, ::testing::AllOf(HasSubstr("cut.jsonl.gz:"), HasSubstr("damaged or cut")));
}

TEST_F(RowsTest, BadRowsAreNamedByFileAndLine) {
  const std::string good = "{\"text\": \"t\", \"label\": \"l\"}\n";
  EXPECT_THAT(ErrorOf(good + "{\"text\": 1"), HasSubstr("rows.jsonl:2: not JSON"));
  EXPECT_THAT(ErrorOf(good + "\n[1]"), HasSubstr("rows.jsonl:3: not a JSON object"));
  EXPECT_THAT(ErrorOf("{\"text\": \"t\"}"), HasSubstr("rows.jsonl:1: no field \"label\""));
  EXPECT_THAT(ErrorOf("{\"label\": \"t\"}"), HasSubstr("no field \"text\""));
  EXPECT_THAT(ErrorOf("{\"text\": \"t\", \"label\": 3}"), HasSubstr("\"label\" is not a string"));
  EXPECT_THAT(ErrorOf("{\"text\": \" \", \"label\": \"l\"}"), HasSubstr("\"text\" is empty"));
  EXPECT_THAT(ErrorOf("{\"text\": \"t\", \"label\": \"\"}"), HasSubstr("\"label\" is empty"));
}

TEST_F(RowsTest, OneTextWithTwoLabelsNamesBothPlaces) {
  const std::string error = ErrorOf("{\"text\": \"t\", \"label\": \"a\"}\n{\"text\": \"t\", \"label\": \"b\"}\n");
  EXPECT_THAT(error, ::testing::AllOf(HasSubstr("rows.jsonl:2:"), HasSubstr("rows.jsonl:1")));
  options_.rename = {{"b", "a"}};
  const auto rows = Read("{\"text\": \"t\", \"label\": \"a\"}\n{\"text\": \"t\", \"label\": \"b\"}\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->duplicates, 1U);
}

TEST_F(RowsTest, SkipBadCountsAndKeepsTheRest) {
  options_.skip_bad = true;
  const auto rows = Read("nonsense\n{\"text\": \"t\", \"label\": \"a\"}\n{\"text\": \"t\", \"label\": \"b\"}\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->bad, 2U);
  EXPECT_THAT(rows->bad_examples, ElementsAre(HasSubstr(":1: not JSON"), HasSubstr(":3: the text has label")));
}

TEST_F(RowsTest, LabelsAndSourcesCanBeDroppedAndRenamed) {
  options_.source_field = "src";
  options_.drop_sources = {"y"};
  options_.rename = {{"b", "c"}};
  const auto rows = Read(kGood);
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT(rows->labels, ElementsAre("c"));
  EXPECT_EQ(rows->dropped, 1U);
  options_.drop_labels = {"b"};
  EXPECT_EQ(Read(kGood)->rows.size(), 0U);
}

TEST_F(RowsTest, OnlyTheRowsThatWereAskedForAreRead) {
  options_.where_field = "src";
  options_.where_value = "x";
  const auto rows = Read(kGood);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->rows.size(), 2U);
  EXPECT_EQ(rows->rows[1].text, "three");
  EXPECT_EQ(rows->dropped, 1U);
  EXPECT_THAT(ErrorOf("{\"text\": \"four\", \"label\": \"b\"}"), HasSubstr("rows.jsonl:1: no field \"src\""));
}

TEST_F(RowsTest, OnlyTheRowsOfTheRangeAreRead) {
  options_.range = HashRange{0, 50};
  const auto rows = Read(
      "{\"text\": \"in\", \"label\": \"a\", \"h\": \"00000031\"}\n"
      "{\"text\": \"out\", \"label\": \"a\", \"h\": \"00000032\"}");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->rows[0].text, "in");
  EXPECT_THAT(ErrorOf("{\"text\": \"in\", \"label\": \"a\", \"h\": \"31\"}"),
              HasSubstr("rows.jsonl:1: field \"h\" does not begin with 8 hexadecimal digits"));
}

TEST_F(RowsTest, AMissingFileIsNamed) {
  options_.files = {dir_.path() / "none.jsonl"};
  const auto rows = ReadRows(options_, nullptr);
  ASSERT_FALSE(rows.ok());
  EXPECT_THAT(rows.error().message, HasSubstr("none.jsonl: No such file"));
}

}  // namespace
}  // namespace pointsman::offline
