#include "tests/support/gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "router/cli/evaluate.h"
#include "router/cli/train.h"
#include "tests/support/command.h"
#include "tests/support/topics.h"

namespace pointsman::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class GateCommands : public ::testing::Test {
 protected:
  static pointsman::testing::CommandOutcome Call(const std::vector<std::string>& arguments) {
    return pointsman::testing::CallCommand({RegisterTrain, RegisterEvaluate}, arguments);
  }
  std::vector<std::string> Train(const std::string& topic, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"train",       "gate",
                                          "--expert",    topic,
                                          "--rows",      pointsman::testing::TopicRows(),
                                          "--where",     "topic=" + topic,
                                          "--pool",      pointsman::testing::PoolRows(),
                                          "--embedding", tokens_,
                                          "--out",       File(topic)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string File(const std::string& topic) const { return dir_.path() / (topic + ".pmg"); }

  pointsman::testing::TempDir dir_;
  std::string tokens_ = pointsman::testing::WriteTopicEmbedding(dir_);
};

TEST_F(GateCommands, TrainEachExpertsGateThenMeasureThemTogether) {
  const auto text = Call(Train("music"));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("the gate of music, 15 own prompts"));
  const auto json = Call(Train("sailing", {"--json", "--source", "logbook", "--licence", "MIT"}));
  EXPECT_EQ(boost::json::parse(json.out).at("expert").as_string(), "sailing");
  const auto measured = Call({"evaluate", "gates", "--gates", File("music") + "," + File("sailing"), "--rows",
                              pointsman::testing::TopicRows(), "--label", "topic", "--drop", "cooking", "--drop",
                              "astronomy", "--embedding", tokens_, "--json"});
  EXPECT_EQ(measured.exit_code, 0) << measured.err;
  const auto figures = boost::json::parse(measured.out);
  EXPECT_EQ(figures.at("n").as_int64(), 30);
  EXPECT_GT(figures.at("forms").at(0).at("top1").to_number<double>(), 0.9);
}

TEST_F(GateCommands, EvaluateTrainsAGateForEachLabel) {
  const auto outcome =
      Call({"evaluate", "gates", "--rows", pointsman::testing::TopicRows(), "--test", pointsman::testing::TopicRows(),
            "--label", "topic", "--drop", "cooking", "--pool", pointsman::testing::PoolRows(), "--embedding", tokens_});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("3 gates"), HasSubstr("behind joint"), HasSubstr("merged")));
}

TEST_F(GateCommands, WhatIsCarriedFromTurnToTurnKeepsTheExpert) {
  ASSERT_EQ(Call(Train("music")).exit_code, 0);
  ASSERT_EQ(Call(Train("sailing")).exit_code, 0);
  const std::string talks = dir_.Write(
      "talks.jsonl",
      R"({"turns": ["Which violin strings sound warm in an orchestra?", "Once more, shorter."], "label": "music"})"
      "\n"
      R"({"turns": ["How do I reef the mainsail in a strong wind?", "Which chord follows a dominant seventh?"],)"
      R"( "label": ["sailing", "music"]})"
      "\n");
  const auto call = [&](const std::string& carries, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"evaluate", "gates", "--gates",     File("music") + "," + File("sailing"),
                                          "--rows",   talks,   "--turns",     "turns",
                                          "--carry",  carries, "--embedding", tokens_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Call(arguments);
  };
  const auto measured = call("0,0.99", {"--json"});
  ASSERT_EQ(measured.exit_code, 0) << measured.err;
  const auto figures = boost::json::parse(measured.out);
  EXPECT_EQ(figures.at("n").as_int64(), 2);
  EXPECT_EQ(figures.at("first_hit").to_number<double>(), 1);
  const auto& none = figures.at("carries").at(0);
  const auto& most = figures.at("carries").at(1);
  EXPECT_EQ(none.at("same").at("turns").as_int64(), 1);
  EXPECT_EQ(none.at("other").at("turns").as_int64(), 1);
  EXPECT_EQ(none.at("other").at("hit").to_number<double>(), 1);  // a turn by itself
  EXPECT_EQ(most.at("same").at("changed").to_number<double>(), 0);
  EXPECT_EQ(most.at("same").at("hit").to_number<double>(), 1);
  EXPECT_THAT(call("0,0.5").out, HasSubstr("2 conversations"));
  EXPECT_THAT(call("1").err, HasSubstr("--carry 1 is not in [0, 1)"));
  EXPECT_THAT(call("0", {"--label", "turns"}).err, HasSubstr("talks.jsonl:1: no gate is that of"));
}

TEST_F(GateCommands, ErrorsGoToStderrWithTheMend) {
  const auto refused = Call(Train("painting"));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("0 own prompts are too few"));
  EXPECT_NE(Call(Train("music", {"--where", "topic"})).exit_code, 0);
  EXPECT_THAT(Call(Train("music", {"--h", "9:3"})).err, HasSubstr("LO:HI"));
  const auto nothing = Call({"evaluate", "gates", "--rows", pointsman::testing::TopicRows(), "--label", "topic"});
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("name --test"));
}

}  // namespace
}  // namespace pointsman::cli
