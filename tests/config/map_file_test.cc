#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"
#include "tests/config/support.h"
#include "tests/support/temp_dir.h"

namespace pointsman::config {
namespace {

using pointsman::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MapFile : public ::testing::Test {
 protected:
  Parsed ParseWithMap(std::string_view map) {
    dir_.Write("map.json", map);
    return ParseText(kEngine + kExperts + "policies: {all: {score: category_map, map: map.json}}\n",
                     dir_.path() / "test.yaml", {});
  }
  std::string ProblemsOf(std::string_view map) { return ToString(ParseWithMap(map).problems); }

  TempDir dir_;
};

constexpr std::string_view kMap =
    "{\"version\": 1, \"report\": {\"x\": [1]},\n \"categories\": {\"math\": [\"far\", \"tiny\"], \"general\": "
    "[\"tiny\"]}}";

TEST_F(MapFile, StandsForTheTableInPlace) {
  const Parsed parsed = ParseWithMap(kMap);
  ASSERT_TRUE(parsed.ok()) << ToString(parsed.problems);
  const auto& map = std::get<CategoryMap>(parsed.config->policies[0].score);
  EXPECT_EQ(map.experts.size(), 2U);
  EXPECT_THAT(map.experts.at("math"), ElementsAre("far", "tiny"));
}

TEST_F(MapFile, ChangesTheFingerprintWithItsContent) {
  const auto before = ParseWithMap(kMap).config->fingerprint;
  EXPECT_EQ(before, ParseWithMap(kMap).config->fingerprint);
  EXPECT_NE(before, ParseWithMap(std::string(kMap) + " ").config->fingerprint);
}

TEST_F(MapFile, ProblemsHaveTheFilesOwnPlaces) {
  EXPECT_THAT(ProblemsOf("{\"version\": 1,\n \"categories\": {\"math\": [\"fra\"], \"general\": [\"tiny\"]}}"),
              HasSubstr("map.json:2:26: categories.math[0]: there is no expert \"fra\" (did you mean \"far\"?)"));
  EXPECT_THAT(ProblemsOf("{\"version\": 1,\n \"categories\": {\"math\": [\"far\"]}}"),
              HasSubstr("map.json:2:16: categories: has no \"general\""));
  EXPECT_THAT(ProblemsOf("{\"version\": 2, \"categories\": {}}"), HasSubstr("this program reads version 1"));
  EXPECT_THAT(ProblemsOf("{\"categories\": {\"general\": [\"tiny\"]}}"), HasSubstr("has no \"version\""));
  EXPECT_THAT(ProblemsOf("{\"version\": 1}"), HasSubstr("has no \"categories\""));
  EXPECT_THAT(ProblemsOf("{\"version\": 1, \"more\": 2, \"categories\": {\"general\": [\"tiny\"]}}"),
              HasSubstr("more: is not known"));
  EXPECT_THAT(ProblemsOf("{\"version\": 1,\n \"categories\": {"), HasSubstr("is not JSON"));
}

TEST_F(MapFile, AMissingFileIsReportedWhereItIsNamed) {
  const Parsed parsed = ParseText(kEngine + kExperts + "policies: {all: {score: category_map, map: gone.json}}\n",
                                  dir_.path() / "test.yaml", {});
  EXPECT_THAT(ToString(parsed.problems), HasSubstr("test.yaml:3:44: policies.all.map: cannot open"));
}

}  // namespace
}  // namespace pointsman::config
