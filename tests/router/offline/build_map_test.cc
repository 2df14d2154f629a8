#include "router/offline/build_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "config/parse.h"
#include "tests/router/offline/map_rows.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BuildMapTest : public ::testing::Test {
 protected:
  BuildMapTest() {
    options_.outcomes = dir_.Write("rows.csv", MapRows(600).outcomes);
    options_.experts = dir_.Write("experts.json", kMapExperts);
    options_.points = 3;
  }
  std::string First(const BuiltMap& map, std::size_t category) {
    return map.facts[map.choices[category].experts[0]].name;
  }
  std::string Error() {
    const auto map = BuildMap(options_);
    return map.ok() ? "" : map.error().message;
  }

  pointsman::testing::TempDir dir_;
  MapOptions options_;
};

TEST_F(BuildMapTest, EachTopicGetsItsExpertAndGeneralTheBestOfAll) {
  const auto map = BuildMap(options_);
  ASSERT_TRUE(map.ok()) << map.error().message;
  ASSERT_THAT(map->categories, ElementsAre("algebra", "history", "poetry"));
  EXPECT_EQ(First(*map, 0), "maths");
  EXPECT_EQ(First(*map, 1), "big");
  EXPECT_EQ(First(*map, 2), "poet");
  EXPECT_EQ(map->choices[3].name, "general");
  EXPECT_EQ(First(*map, 3), "big");
  EXPECT_EQ(map->solution.gap, 0);
  EXPECT_GT(map->solution.quality, map->best_single_quality + 0.1);
  EXPECT_EQ(map->inputs.size(), 2U);
}

TEST_F(BuildMapTest, LimitsAreKeptAndTheirPriceIsWhatRelaxingBuys) {
  options_.max_active = 10;
  options_.delta = 25;
  const auto map = BuildMap(options_);
  ASSERT_TRUE(map.ok()) << map.error().message;
  EXPECT_LE(map->solution.active, 10 + 1e-6);
  ASSERT_EQ(map->shadow_prices.size(), 1U);
  options_.max_active = 35;
  EXPECT_NEAR(BuildMap(options_)->solution.quality, map->solution.quality + map->shadow_prices[0].gain, 1e-9);
  EXPECT_GT(map->shadow_prices[0].gain, 0.05);
}

TEST_F(BuildMapTest, TheFileHoldsWhatTheLiveRouterWeighs) {
  options_.max_active = 10;
  const auto map = BuildMap(options_);
  ASSERT_TRUE(map.ok()) << map.error().message;
  const boost::json::object file = boost::json::parse(MapFileText(*map)).as_object();
  const auto& values = file.at("values").as_object();
  EXPECT_EQ(values.size(), 4U);
  for (std::size_t m = 0; m < map->facts.size(); ++m) {
    const std::string& name = map->facts[m].name;
    EXPECT_EQ(values.at("general").as_object().contains(name), map->solution.used[m]);
    if (!map->solution.used[m]) continue;
    EXPECT_EQ(values.at("algebra").as_object().at(name).to_number<double>(), map->values.value[0][m]);
  }
}

TEST_F(BuildMapTest, FiltersSayWhyAnExpertIsLeftOut) {
  options_.licences = {"MIT"};
  options_.max_p95_ms = 500;
  const auto map = BuildMap(options_);
  ASSERT_TRUE(map.ok()) << map.error().message;
  EXPECT_THAT(map->why_not, ElementsAre("too slow", "", "licence other"));
  EXPECT_EQ(First(*map, 2), "maths");
  options_.regions = {"eu"};
  EXPECT_THAT(Error(), HasSubstr("no expert keeps the limits"));
}

TEST_F(BuildMapTest, FrontiersNeverFall) {
  options_.points = 6;
  const auto map = BuildMap(options_);
  for (const auto* frontier : {&map->active_frontier, &map->deployed_frontier}) {
    ASSERT_GE(frontier->size(), 2U);
    for (std::size_t i = 1; i < frontier->size(); ++i) {
      EXPECT_GE((*frontier)[i].solution.quality, (*frontier)[i - 1].solution.quality - 1e-9);
    }
    EXPECT_NEAR(frontier->back().solution.quality, map->solution.quality, 1e-9);
  }
}

TEST_F(BuildMapTest, SharesOfTheTrafficCount) {
  options_.share = {{"algebra", 1}, {"poetry", 0}, {"history", 0}};
  EXPECT_NEAR(BuildMap(options_)->solution.active, 7, 1e-9);
  options_.share = {{"algebra", 1}};
  EXPECT_THAT(Error(), HasSubstr("not \"history\""));
  options_.share = {{"algebra", 1}, {"poetry", 0}, {"history", 0}, {"art", 1}};
  EXPECT_THAT(Error(), HasSubstr("no row has the category \"art\""));
}

TEST_F(BuildMapTest, ALimitWithoutItsFigureIsAnError) {
  options_.max_price = 1;
  EXPECT_THAT(Error(), HasSubstr("--max-price needs an --experts file with \"price\""));
}

TEST_F(BuildMapTest, TheConfigurationReadsTheFile) {
  dir_.Write("map.json", MapFileText(*BuildMap(options_)));
  const auto parsed = config::ParseText(
      "experts: {big: {openai: {url: 'https://a.b/v1', model: m}}, maths: {openai: {url: 'https://a.b/v1', model: m}},"
      " poet: {openai: {url: 'https://a.b/v1', model: m}}}\n"
      "policies: {all: {score: category_map, map: map.json}}\n",
      dir_.path() / "c.yaml");
  ASSERT_TRUE(parsed.ok()) << config::ToString(parsed.problems);
  const auto& map = std::get<config::CategoryMap>(parsed.config->policies[0].score);
  EXPECT_EQ(map.experts.at("algebra")[0], 1U);  // maths
  EXPECT_EQ(map.experts.at("general")[0], 0U);
}

TEST_F(BuildMapTest, ReportsHaveTheFrontierAndThePageEscapes) {
  options_.max_deployed = 50;
  auto map = BuildMap(options_);
  ASSERT_TRUE(map.ok()) << map.error().message;
  EXPECT_THAT(MapText(*map), HasSubstr("5 B more of max_deployed buy"));
  const auto json = boost::json::parse(MapJson(*map));
  EXPECT_EQ(json.at("deployed_frontier").as_array().size(), map->deployed_frontier.size());
  map->facts[0].name = "<big>";
  const std::string page = MapPage(*map);
  EXPECT_THAT(page, ::testing::AllOf(HasSubstr("<svg"), HasSubstr("&lt;big&gt;"), ::testing::Not(HasSubstr("<big>"))));
}

}  // namespace
}  // namespace pointsman::offline
