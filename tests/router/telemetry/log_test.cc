#include "router/telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace pointsman::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::vector<std::string> Lines(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::istringstream text(testing::ReadFile(file));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

config::Telemetry Settings(std::string level, config::LogFormat format) {
  config::Telemetry settings;
  settings.log_level = std::move(level);
  settings.log_format = format;
  return settings;
}

TEST(Log, WritesOneJsonObjectALine) {
  testing::TempDir dir;
  StartLog(Settings("debug", config::LogFormat::kJson), dir.path() / "log");
  Log(Level::kInfo, "request done", {{"request_id", "r\"1\"\n"}, {"tokens", 12}, {"seconds", 0.25}, {"ok", true}});
  Log(Level::kTrace, "too fine");
  Log(Level::kError, "bad \x01\xff");
  StopLog();
  const auto lines = Lines(dir.path() / "log");
  ASSERT_EQ(lines.size(), 2u);
  const auto first = boost::json::parse(lines[0]).as_object();
  EXPECT_EQ(first.at("level"), "info");
  EXPECT_EQ(first.at("msg"), "request done");
  EXPECT_EQ(first.at("request_id"), "r\"1\"\n");
  EXPECT_EQ(first.at("tokens"), 12);
  EXPECT_EQ(first.at("seconds"), 0.25);
  EXPECT_EQ(first.at("ok"), true);
  EXPECT_THAT(std::string(first.at("ts").as_string()),
              MatchesRegex("20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{6}Z"));
  EXPECT_EQ(boost::json::parse(lines[1]).at("msg"), "bad \x01\xef\xbf\xbd");
}

TEST(Log, WritesLinesForPeople) {
  testing::TempDir dir;
  StartLog(Settings("info", config::LogFormat::kHuman), dir.path() / "log");
  Log(Level::kWarn, "expert failed", {{"expert", "math"}, {"why", "no route"}, {"status", 503u}});
  StopLog();
  const auto lines = Lines(dir.path() / "log");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], MatchesRegex("20.*Z warning expert failed expert=math why=\"no route\" status=503"));
}

TEST(Log, NobodyCanForgeALine) {
  EXPECT_EQ(FormatHuman("a\nb", {{"key", "x\r\n2026 info y=\"z\""}, {"empty", ""}}),
            "a\\nb key=\"x\\r\\n2026 info y=\\\"z\\\"\" empty=\"\"");
  EXPECT_EQ(FormatHuman("\x1b[31m", {}), "\\u001b[31m");
}

TEST(Log, JsonIsValidWhateverTheText) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& text :
       {all, std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xc0\x80"),
        std::string("\xe2\x82"), std::string("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80")}) {
    const std::string line = FormatJson("t", Level::kInfo, text, {{"key", text}});
    boost::json::error_code error;
    const auto value = boost::json::parse(line, error);
    ASSERT_FALSE(error) << error.message() << ": " << line;
    EXPECT_EQ(value.at("msg"), value.at("key"));
  }
  EXPECT_THAT(FormatJson("t", Level::kInfo, "gr\xc3\xbc\xc3\x9f", {}), HasSubstr("gr\xc3\xbc\xc3\x9f"));
}

TEST(Log, NumbersAreExactAndNeverInvalid) {
  const std::string line = FormatJson(
      "t", Level::kInfo, "", {{"a", std::uint64_t{18446744073709551615u}}, {"b", -5}, {"c", std::nan("")}, {"d", 0.1}});
  EXPECT_EQ(line, R"({"ts":"t","level":"info","msg":"","a":18446744073709551615,"b":-5,"c":null,"d":0.1})");
}

TEST(Log, CutsEndlessTexts) {
  const std::string line = FormatJson("t", Level::kInfo, "m", {{"a", std::string(1 << 20, 'x')}, {"b", "after"}});
  EXPECT_LT(line.size(), 17'000u);
  EXPECT_EQ(boost::json::parse(line).at("b"), "...");
}

TEST(Log, LevelsAndPromptsFollowTheSettings) {
  testing::TempDir dir;
  EXPECT_FALSE(LogPrompts()) << "never unless asked for";
  config::Telemetry settings = Settings("warn", config::LogFormat::kJson);
  settings.log_prompts = true;
  StartLog(settings, dir.path() / "log");
  EXPECT_TRUE(LogPrompts());
  EXPECT_FALSE(LogEnabled(Level::kInfo));
  EXPECT_TRUE(LogEnabled(Level::kWarn));
  StartLog(Settings("off", config::LogFormat::kJson), dir.path() / "log");
  EXPECT_FALSE(LogPrompts());
  EXPECT_FALSE(LogEnabled(Level::kError));
  StartLog(Settings("trace", config::LogFormat::kJson), dir.path() / "log");
  EXPECT_TRUE(LogEnabled(Level::kTrace));
  StartLog({}, dir.path() / "log");
  StopLog();
}

TEST(Log, LosesNothingOfWhatItDoesNotCount) {
  testing::TempDir dir;
  const std::uint64_t dropped_before = LogDropped();
  StartLog(Settings("info", config::LogFormat::kJson), dir.path() / "log");
  constexpr int kThreads = 4, kEach = 5'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < kEach; ++i) Log(Level::kInfo, "line", {{"thread", t}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  StopLog();
  const std::size_t written = Lines(dir.path() / "log").size();
  const std::uint64_t dropped = LogDropped() - dropped_before;
  EXPECT_EQ(written + dropped, static_cast<std::size_t>(kThreads * kEach));
  EXPECT_GT(written, 0u);
}

TEST(Log, AReplacedLogWritesWhatItHolds) {
  testing::TempDir dir;
  StartLog(Settings("info", config::LogFormat::kJson), dir.path() / "one");
  for (int i = 0; i < 100; ++i) Log(Level::kInfo, "first");
  StartLog(Settings("info", config::LogFormat::kJson), dir.path() / "two");
  Log(Level::kInfo, "second");
  StopLog();
  EXPECT_EQ(Lines(dir.path() / "one").size(), 100u);
  EXPECT_EQ(Lines(dir.path() / "two").size(), 1u);
}

}  // namespace
}  // namespace pointsman::telemetry
