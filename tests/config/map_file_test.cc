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
  EXPECT_THAT(map.experts.at("math"), ElementsAre(1, 0));  // far, tiny
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
              HasSubstr("map.json:2:2: categories: has no \"general\""));
  EXPECT_THAT(ProblemsOf("{\"version\": 2, \"categories\": {}}"), HasSubstr("this program reads version 1"));
  EXPECT_THAT(ProblemsOf("{\"categories\": {\"general\": [\"tiny\"]}}"), HasSubstr("has no \"version\""));
  EXPECT_THAT(ProblemsOf("{\"version\": 1}"), HasSubstr("has no \"categories\""));
  EXPECT_THAT(ProblemsOf("{\"version\": 1, \"more\": 2, \"categories\": {\"general\": [\"tiny\"]}}"),
              HasSubstr("more: is not known"));
  EXPECT_THAT(ProblemsOf("{\"version\": 1,\n \"categories\": {"), HasSubstr("is not JSON"));
}

TEST_F(MapFile, ValuesAreReadLessTheirCharges) {
  const Parsed parsed = ParseWithMap(
      "{\"version\": 1, \"categories\": {\"math\": [\"far\"], \"general\": [\"tiny\"]},\n"
      " \"values\": {\"math\": {\"far\": 0.75, \"tiny\": 0.25}, \"general\": {\"tiny\": 0.5, \"far\": 0.5}},\n"
      " \"charges\": {\"far\": 0.25}}");
  ASSERT_TRUE(parsed.ok()) << ToString(parsed.problems);
  const auto& map = std::get<CategoryMap>(parsed.config->policies[0].score);
  const auto index = [&](const char* name) {
    return static_cast<std::size_t>(parsed.config->FindExpert(name) - parsed.config->experts.data());
  };
  EXPECT_EQ(map.worth.at("math")[index("far")], 0.5);
  EXPECT_EQ(map.worth.at("math")[index("tiny")], 0.25);
  EXPECT_EQ(map.worth.at("general")[index("far")], 0.25);
}

TEST_F(MapFile, ValuesThatMakeNoSenseAreProblems) {
  const auto with = [this](std::string_view values) {
    return ProblemsOf("{\"version\": 1, \"categories\": {\"general\": [\"tiny\"]}, " + std::string(values) + "}");
  };
  EXPECT_THAT(with("\"values\": {\"math\": {\"far\": 0.5}}"), HasSubstr("values: has no \"general\""));
  EXPECT_THAT(with("\"values\": {\"general\": {\"fra\": 0.5}}"), HasSubstr("there is no expert \"fra\""));
  EXPECT_THAT(with("\"values\": {\"general\": {\"far\": 1.5}}"), HasSubstr("values.general.far"));
  EXPECT_THAT(with("\"values\": {\"general\": {\"far\": 0.5}, \"math\": {\"tiny\": 0.5}}"),
              HasSubstr("has not the same experts"));
  EXPECT_THAT(with("\"charges\": {\"nobody\": 0.5}"), HasSubstr("there is no expert \"nobody\""));
}

TEST_F(MapFile, AMissingFileIsReportedWhereItIsNamed) {
  const Parsed parsed = ParseText(kEngine + kExperts + "policies: {all: {score: category_map, map: gone.json}}\n",
                                  dir_.path() / "test.yaml", {});
  EXPECT_THAT(ToString(parsed.problems), HasSubstr("test.yaml:3:44: policies.all.map: cannot open"));
}

}  // namespace
}  // namespace pointsman::config
