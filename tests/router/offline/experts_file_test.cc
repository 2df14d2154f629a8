#include "router/offline/experts_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::testing::HasSubstr;

Result<std::vector<ExpertFacts>> Read(std::string_view text) {
  const pointsman::testing::TempDir dir;
  return ReadExpertsFile(dir.Write("experts.json", text));
}
std::string ErrorOf(std::string_view entries) {
  const auto read = Read("{\"experts\": [" + std::string(entries) + "]}");
  return read.ok() ? "" : read.error().message;
}

TEST(ExpertsFile, ReadsFactsAndDefaultsTheTotalToTheActiveParameters) {
  const auto read = Read(
      "{\"experts\": [{\"name\": \"a\", \"active_billion\": 7}, {\"name\": \"b\", \"active_billion\": 13, "
      "\"total_billion\": 47, \"price\": 0, \"p95_ms\": 9.5, \"licence\": \"MIT\", \"regions\": [\"eu\", \"us\"]}]}");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ((*read)[0].total_billion, 7);
  EXPECT_EQ((*read)[0].price, std::nullopt);
  EXPECT_EQ((*read)[1].total_billion, 47);
  EXPECT_EQ((*read)[1].price, 0);
  EXPECT_EQ((*read)[1].regions.size(), 2U);
}

TEST(ExpertsFile, ErrorsNameTheEntryAndItsKey) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("at least one expert"));
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("experts[0]: has no \"name\""));
  EXPECT_THAT(ErrorOf("{\"name\": \"a\"}, {\"name\": \"a\"}"), HasSubstr("experts[1]: the name \"a\" is there twice"));
  EXPECT_THAT(ErrorOf("{\"name\": \"a\", \"active_billion\": 0}"), HasSubstr("\"active_billion\" is not above 0"));
  EXPECT_THAT(ErrorOf("{\"name\": \"a\", \"price\": \"1\"}"), HasSubstr("\"price\" is not a number"));
  EXPECT_THAT(ErrorOf("{\"name\": \"a\", \"prize\": 1}"), HasSubstr("\"prize\" is not known"));
  EXPECT_THAT(ErrorOf("{\"name\": \"a\", \"regions\": \"eu\"}"), HasSubstr("\"regions\" is not a list"));
  EXPECT_THAT(ErrorOf("{\"name\": \"a\", \"active_billion\": 7, \"total_billion\": 1}"), HasSubstr("is less than"));
  EXPECT_THAT(Read("{\"experts\":\n [{\"name\" \"a\"}]}").error().message, HasSubstr("experts.json:2: not JSON"));
}

}  // namespace
}  // namespace pointsman::offline
