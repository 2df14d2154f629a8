#include "router/offline/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "router/offline/lines.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using pointsman::testing::ReadFile;
using pointsman::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TableTest : public ::testing::Test {
 protected:
  // The given field of every row, or the error.
  Result<std::vector<std::string>> Column(const std::filesystem::path& file, const std::string& name) {
    std::vector<std::string> column;
    lines_.clear();
    auto read = VisitTable(file, {name}, [&](const TableRow& row) -> Result<void> {
      auto text = row.Text(name);
      if (!text) return std::move(text).error();
      column.push_back(*std::move(text));
      lines_.push_back(row.line);
      return {};
    });
    if (!read) return std::move(read).error();
    return column;
  }
  std::string ErrorOf(const std::string& file_name, std::string_view text, const std::string& column = "a") {
    const auto read = Column(dir_.Write(file_name, text), column);
    return read.ok() ? "" : read.error().message;
  }
  std::filesystem::path Gzip(const std::string& name, std::string_view text) {
    const auto file = dir_.path() / name;
    gzFile out = gzopen(file.c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    return file;
  }

  TempDir dir_;
  std::vector<std::uint64_t> lines_;
};

TEST_F(TableTest, CsvFieldsMayHoldCommasQuotesAndLineEnds) {
  const auto column = Column(dir_.Write("t.csv",
                                        "\xEF\xBB\xBF"
                                        "a,b\r\n\"x, \"\"y\"\"\",1\r\n\n\"two\nlines\",2\nlast,\"\""),
                             "a");
  ASSERT_TRUE(column.ok()) << column.error().message;
  EXPECT_THAT(*column, ElementsAre("x, \"y\"", "two\nlines", "last"));
  EXPECT_THAT(lines_, ElementsAre(2, 4, 6));
}

TEST_F(TableTest, JsonFieldsKeepTheirTypes) {
  double sum = 0;
  const auto file = dir_.Write("t.jsonl", "{\"n\": 2, \"s\": \"0.5\", \"b\": true, \"scores\": {\"m\": 0.25}}\n\n");
  const auto read = VisitTable(file, {}, [&](const TableRow& row) -> Result<void> {
    EXPECT_EQ(*row.Number("n"), 2);
    EXPECT_EQ(*row.Number("s"), 0.5);
    EXPECT_EQ(*row.Number("b"), 1);
    EXPECT_EQ(row.Find("absent"), nullptr);
    EXPECT_THAT(row.Number("scores").error().message, HasSubstr("\"scores\" is not a number"));
    EXPECT_THAT(row.Object("n").error().message, HasSubstr("\"n\" is not an object"));
    EXPECT_THAT(row.Text("n").error().message, HasSubstr("\"n\" is not a string"));
    sum += (*row.Object("scores"))->at("m").to_number<double>();
    return {};
  });
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(sum, 0.25);
}

TEST_F(TableTest, GzipIsReadAlikeAndACutFileIsAnError) {
  std::string text = "a,b\n";
  for (int i = 0; i < 2000; ++i) text += "row" + std::to_string(i * 7919) + ",x\n";
  const auto file = Gzip("t.csv.gz", text);
  const auto column = Column(file, "a");
  ASSERT_TRUE(column.ok()) << column.error().message;
  EXPECT_EQ(column->size(), 2000U);

  const std::string whole = ReadFile(file);
  const std::string cut = ErrorOf("cut.csv.gz", std::string_view(whole).substr(0, whole.size() - 100));
  EXPECT_THAT(cut, HasSubstr("cut.csv.gz:"));
  EXPECT_THAT(cut, HasSubstr("damaged or cut"));
}

TEST_F(TableTest, EveryFaultHasFileAndLine) {
  EXPECT_THAT(ErrorOf("t.jsonl", "{\"a\": \"x\"}\n\n{\"a\": \n"), HasSubstr("t.jsonl:3: not JSON"));
  EXPECT_THAT(ErrorOf("t.jsonl", "[1]\n"), HasSubstr("t.jsonl:1: not a JSON object"));
  EXPECT_THAT(ErrorOf("t.jsonl", "{\"b\": \"x\"}\n"), HasSubstr("t.jsonl:1: no field \"a\""));
  EXPECT_THAT(ErrorOf("t.csv", "b,c\n1,2\n"), HasSubstr("t.csv:1: no column \"a\""));
  EXPECT_THAT(ErrorOf("t.csv", "a,a\n1,2\n"), HasSubstr("t.csv:1: two columns are named \"a\""));
  EXPECT_THAT(ErrorOf("t.csv", "a,b\n1,2\n3\n"), HasSubstr("t.csv:3: 1 fields, but 2 columns"));
  EXPECT_THAT(ErrorOf("t.csv", "a,b\n\"1\"x,2\n"), HasSubstr("t.csv:2: column 1 goes on after its closing quote"));
  EXPECT_THAT(ErrorOf("t.csv", "a,b\n1,2\n\"3,4\n5,6\n"), HasSubstr("t.csv:3: the quoted field has no end"));
  EXPECT_THAT(ErrorOf("t.csv", "a,b\n1,2\n ,4\n"), HasSubstr("t.csv:3: field \"a\" is empty"));  // from visit
  EXPECT_THAT(ErrorOf("t.csv", "a,b\n"), HasSubstr("t.csv: no rows"));
  EXPECT_THAT(ErrorOf("t.txt", "a\n1\n"), HasSubstr("neither .csv nor .jsonl"));
  EXPECT_THAT(Column(dir_.path() / "absent.csv", "a").error().message, HasSubstr("absent.csv: No such file"));
}

TEST_F(TableTest, ALineTooLongIsAnErrorNotMemory) {
  const std::string text = "{\"a\": \"x\"}\n{\"a\": \"" + std::string(kMaxLineBytes, 'x') + "\"}\n";
  EXPECT_THAT(ErrorOf("t.jsonl", text), HasSubstr("t.jsonl:2: the line is longer than 16 MiB"));
}

}  // namespace
}  // namespace pointsman::offline
