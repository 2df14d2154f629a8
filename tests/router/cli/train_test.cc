#include "router/cli/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::cli {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  int exit_code = 0;
  std::string out, err;
};

Outcome Call(std::vector<std::string> arguments) {
  CLI::App app("test", "pointsman");
  Outcome outcome;
  RegisterTrain(app, outcome.exit_code);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    outcome.exit_code = app.exit(error);
  }
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

std::vector<std::string> Train(const std::filesystem::path& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"train",         "classifier", "--rows",  pointsman::testing::TopicRows(),
                                        "--text",        "text",       "--label", "topic",
                                        "--bucket-bits", "10",         "--folds", "4",
                                        "--embedding",   "none",       "--out",   out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(TrainCommand, WritesTheArtifactAndTheReport) {
  const pointsman::testing::TempDir dir;
  const Outcome outcome = Call(Train(dir.path() / "t.pmc", {"--rename", "music=sound", "--drop", "sailing"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(std::filesystem::exists(dir.path() / "t.pmc"));
  EXPECT_THAT(outcome.out, ::testing::AllOf(HasSubstr("45 rows, 3 categories"), HasSubstr("sound")));
}

TEST(TrainCommand, JsonIsAllThatStdoutHas) {
  const pointsman::testing::TempDir dir;
  const Outcome outcome = Call(Train(dir.path() / "t.pmc", {"--json", "--source", "from", "--licence", "letters=MIT"}));
  const auto json = boost::json::parse(outcome.out);
  EXPECT_EQ(json.at("sources").at(0).at("licence").as_string(), "MIT");
}

TEST(TrainCommand, ErrorsGoToStderrWithExitCodeOne) {
  const pointsman::testing::TempDir dir;
  const Outcome outcome = Call(Train(dir.path() / "t.pmc", {"--epochs", "0"}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("--epochs"));
  EXPECT_EQ(outcome.out, "");
}

TEST(TrainCommand, RefusesWhatItCannotParse) {
  EXPECT_NE(Call({"train"}).exit_code, 0);
  EXPECT_NE(Call({"train", "classifier", "--rows", "/none.jsonl", "--out", "x"}).exit_code, 0);
  EXPECT_NE(Call(Train("x", {"--rename", "music"})).exit_code, 0);
}

TEST(TrainCommand, HelpHasAnExample) {
  const Outcome outcome = Call({"train", "classifier", "--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, ::testing::AllOf(HasSubstr("Example:"), HasSubstr("--skip-bad"), HasSubstr("--licence")));
}

}  // namespace
}  // namespace pointsman::cli
