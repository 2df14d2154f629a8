#include "router/cli/map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "router/cli/evaluate.h"
#include "tests/router/offline/map_rows.h"
#include "tests/support/command.h"
#include "tests/support/temp_dir.h"

namespace pointsman::cli {
namespace {

using ::testing::HasSubstr;

using Called = pointsman::testing::CommandOutcome;

Called Call(std::vector<std::string> arguments) {
  return pointsman::testing::CallCommand({RegisterMap, RegisterEvaluate}, std::move(arguments));
}

class MapCommand : public ::testing::Test {
 protected:
  pointsman::testing::TempDir dir_;
  std::string rows_ = dir_.Write("rows.csv", offline::MapRows(300).outcomes);
  std::string experts_ = dir_.Write("experts.json", offline::kMapExperts);
};

TEST_F(MapCommand, WritesTheMapAndThePageAndPrintsOnlyJson) {
  const std::string out = dir_.path() / "map.json", html = dir_.path() / "map.html";
  const Called called = Call(
      {"map", "--outcomes", rows_, "--experts", experts_, "--points", "2", "--out", out, "--html", html, "--json"});
  EXPECT_EQ(called.exit_code, 0) << called.err;
  EXPECT_GT(boost::json::parse(called.out).at("quality").as_double(), 0.5);
  EXPECT_TRUE(std::filesystem::exists(out));
  EXPECT_TRUE(std::filesystem::exists(html));
}

TEST_F(MapCommand, ErrorsGoToStderrWithExitCodeOne) {
  const std::string bad = dir_.Write("bad.csv", "category,answer,pred:big,pred:maths,pred:poet\nx,A,A,A\n");
  const Called called = Call({"map", "--outcomes", bad, "--experts", experts_});
  EXPECT_EQ(called.exit_code, 1);
  EXPECT_EQ(called.out, "");
  EXPECT_THAT(called.err, HasSubstr("bad.csv:2: 4 fields, but 5 columns"));
  EXPECT_THAT(Call({"map", "--outcomes", rows_, "--share", "x"}).err, HasSubstr("CATEGORY=WEIGHT"));
  EXPECT_THAT(Call({"map", "--outcomes", rows_, "--h", "9:1"}).err, HasSubstr("no range of h"));
}

TEST_F(MapCommand, EvaluateMapSplitsOneFileByH) {
  const Called called = Call({"evaluate", "map", "--experts", experts_, "--train", rows_, "--test", rows_, "--train-h",
                              "0:50", "--test-h", "50:100", "--json"});
  EXPECT_EQ(called.exit_code, 0) << called.err;
  EXPECT_EQ(boost::json::parse(called.out).at("n").as_int64(), 150);
  EXPECT_EQ(Call({"evaluate", "map", "--train", rows_, "--test", rows_}).exit_code, 1);
}

}  // namespace
}  // namespace pointsman::cli
