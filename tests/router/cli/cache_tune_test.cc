#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "router/cli/cache.h"
#include "router/cli/evaluate.h"
#include "tests/support/command.h"
#include "tests/support/faq.h"

namespace pointsman::cli {
namespace {

using ::testing::HasSubstr;

pointsman::testing::CommandOutcome Call(std::vector<std::string> arguments) {
  return pointsman::testing::CallCommand({RegisterCache, RegisterEvaluate}, std::move(arguments));
}

struct CacheTuneCommand : ::testing::Test {
  const pointsman::testing::TempDir dir;
  const std::string rows = dir.Write("faq.jsonl", pointsman::testing::FaqRows());
  const std::string out = dir.path() / "faq.pmc";
};

TEST_F(CacheTuneCommand, TunesAndEvaluates) {
  const auto tuned = Call({"cache", "tune", "--rows", rows, "--out", out});
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  EXPECT_THAT(tuned.out, HasSubstr("576 questions of 8 answers"));
  EXPECT_THAT(tuned.out, HasSubstr("cosine alone"));
  EXPECT_THAT(tuned.out, HasSubstr("The highest precision that a policy can ask for is 0.99"));

  const std::string strangers = dir.Write("strangers.jsonl",
                                          "{\"text\": \"when will my flight to Rome leave\"}\n"
                                          "{\"text\": \"when will my flight to Oslo leave\"}\n");
  const auto measured = Call({"evaluate", "cache", "--artifact", out, "--rows", rows, "--precision", "0.95",
                              "--distinct", strangers, "--json"});
  ASSERT_EQ(measured.exit_code, 0) << measured.err;
  const auto report = boost::json::parse(measured.out);
  EXPECT_EQ(report.at("rows").to_number<int>(), 576);
  EXPECT_GE(report.at("threshold").to_number<double>(), 0.95);
  const auto& lines = report.at("lines").as_array();
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0].at("matched"), lines[0].at("right"));
  EXPECT_GT(lines[0].at("right").to_number<int>(), 100);
  EXPECT_EQ(lines[2].at("name").as_string(), "distinct, with guards");
  EXPECT_EQ(lines[2].at("matched").to_number<int>(), 0);
}

TEST_F(CacheTuneCommand, SaysWhatIsWrong) {
  const auto unreached = Call({"cache", "tune", "--rows", rows, "--out", out});
  ASSERT_EQ(unreached.exit_code, 0) << unreached.err;
  const auto high = Call({"evaluate", "cache", "--artifact", out, "--rows", rows, "--precision", "0.9999"});
  EXPECT_EQ(high.exit_code, 1);
  EXPECT_THAT(high.err, HasSubstr("reaches a precision of 0.9999 (at most 0.99"));

  std::string alone;  // nothing has the answer of another
  for (int i = 0; i < 30; ++i)
    alone += R"({"text": "thing )" + std::string(static_cast<std::size_t>(i) + 1, 'x') + R"(", "label": "l)" +
             std::to_string(i) + "\"}\n";
  const auto lonely = Call({"cache", "tune", "--rows", dir.Write("alone.jsonl", alone), "--out", out});
  EXPECT_EQ(lonely.exit_code, 1);
  EXPECT_FALSE(lonely.err.empty());
  const auto vectors = Call({"cache", "tune", "--rows", rows, "--embedding", "none", "--out", out});
  EXPECT_EQ(vectors.exit_code, 1);
  EXPECT_THAT(vectors.err, HasSubstr("--embedding"));
}

}  // namespace
}  // namespace pointsman::cli
