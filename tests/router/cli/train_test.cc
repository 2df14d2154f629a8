#include "router/cli/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "router/classifier/classifier.h"
#include "tests/support/command.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::cli {
namespace {

using ::testing::HasSubstr;

using Outcome = pointsman::testing::CommandOutcome;

Outcome Call(std::vector<std::string> arguments) {
  return pointsman::testing::CallCommand({RegisterTrain}, std::move(arguments));
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

TEST(TrainCommand, WritesAPage) {
  const pointsman::testing::TempDir dir;
  const std::string page = dir.path() / "t.html";
  EXPECT_EQ(Call(Train(dir.path() / "t.pmc", {"--html", page})).exit_code, 0);
  EXPECT_THAT(pointsman::testing::ReadFile(page), HasSubstr("<svg"));
  const Outcome outcome = Call(Train(dir.path() / "t.pmc", {"--html", dir.path() / "none" / "t.html"}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("none/t.html: the page cannot be written"));
}

TEST(TrainCategoryCommand, AddsToTheShippedClassifier) {
  const pointsman::testing::TempDir dir;
  const std::string rows = dir.Write("rows.jsonl",
                                     "{\"body\": \"furl the mainsail and drop the anchor\"}\n"
                                     "{\"body\": \"the keel of the yacht was damaged\"}\n"
                                     "{\"body\": \"which knot moors a sailing boat to a cleat\"}\n");
  const std::string shipped = std::filesystem::path(POINTSMAN_SOURCE_DIR) / "models/classifier.pmc";
  const Outcome outcome = Call({"train", "category", "--artifact", shipped, "--rows", rows, "--text", "body", "--label",
                                "sailing", "--out", dir.path() / "t.pmc", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto before = classifier::Classifier::Load(shipped, std::nullopt),
             after = classifier::Classifier::Load(dir.path() / "t.pmc", std::nullopt);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ((*after)->categories().size(), (*before)->categories().size() + 1);
  EXPECT_EQ(boost::json::parse(outcome.out).at("categories").to_number<std::size_t>(), (*after)->categories().size());
  const auto both = Call({"train", "category", "--artifact", shipped, "--rows", rows, "--label", "a", "--label-field",
                          "b", "--out", dir.path() / "t.pmc"});
  EXPECT_NE(both.exit_code, 0);
  const auto missing =
      Call({"train", "category", "--artifact", shipped, "--rows", rows, "--label", "a", "--out", dir.path() / "u.pmc"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("rows.jsonl:1: no field \"text\""));
}

TEST(TrainCommand, HelpHasAnExample) {
  const Outcome outcome = Call({"train", "classifier", "--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, ::testing::AllOf(HasSubstr("Example:"), HasSubstr("--skip-bad"), HasSubstr("--licence")));
}

}  // namespace
}  // namespace pointsman::cli
