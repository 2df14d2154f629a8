// `pointsman evaluate answers` against a server: what it writes is what a cascade's gate is trained from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "router/cli/evaluate.h"
#include "router/offline/cascade_rows.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/command.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using testing_support::TestServer;

class EvaluateAnswers : public ::testing::Test {
 protected:
  static std::string Yaml(const std::string& url) {
    return R"(
experts:
  small: {openai: {url: ")" +
           url + R"(", model: m}, capabilities: [logprobs]}
policies: {p: {score: pinned, experts: [small]}}
cache: {memory: 1MiB}
)";
  }
  testing::CommandOutcome Call(const std::string& address, const std::string& rows,
                               const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"evaluate", "answers", "--rows", dir_.Write("questions.jsonl", rows),
                                          "--expert", "small",   "--out",  out_,
                                          "--server", address};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::CallCommand({cli::RegisterEvaluate}, arguments);
  }
  std::vector<json::object> Rows() const {
    std::vector<json::object> rows;
    std::ifstream in(out_);
    for (std::string line; std::getline(in, line);) rows.push_back(json::parse(line).as_object());
    return rows;
  }

  testing::FaultServer upstream_;
  testing::TempDir dir_;
  std::string out_ = dir_.path() / "answers.jsonl";
};

TEST_F(EvaluateAnswers, RowsHaveTheAnswerItsTokensAndTheSamples) {
  TestServer server(Yaml(upstream_.url("/logprobs")), 1);
  const auto outcome = Call(server.address(),
                            "{\"id\": \"1\", \"prompt\": \"Greet me.\", \"answer\": \"7\"}\n"
                            "{\"id\": \"2\", \"prompt\": \"Again.\"}\n",
                            {"--samples", "2", "--top", "4", "--max-tokens", "9"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::vector<json::object> rows = Rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].at("id").as_string(), "1");
  EXPECT_EQ(rows[0].at("text").as_string(), "Hello you");
  ASSERT_EQ(rows[0].at("tokens").as_array().size(), 2U);
  EXPECT_NEAR(rows[0].at("tokens").at(0).at("logprob").as_double(), -0.25, 1e-6);
  EXPECT_EQ(rows[0].at("tokens").at(0).at("top").as_array().size(), 2U);
  EXPECT_EQ(rows[0].at("answers").as_array().size(), 2U);
  EXPECT_EQ(rows[0].at("small_correct").to_number<int>(), 0);  // "Hello you" is not 7
  EXPECT_FALSE(rows[1].contains("small_correct"));
  // Each question and each of its samples went out, none from the cache.
  EXPECT_EQ(upstream_.counts().requests, 6U);
  EXPECT_THAT(upstream_.last_body(), HasSubstr("\"max_tokens\":9"));
}

TEST_F(EvaluateAnswers, WhatItWritesTheGateReads) {
  TestServer server(Yaml(upstream_.url("/logprobs")), 1);
  const auto outcome = Call(server.address(), "{\"prompt\": \"Greet me.\", \"answer\": \"7\", \"large_correct\": 1}\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  offline::CascadeRowOptions options;
  options.files = {out_};
  options.weak = "small";
  options.strong = "large";
  const auto rows = offline::ReadCascadeRows(options);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(offline::SignalsOf(rows->rows[0], 0).source(), gate::SignalSource::kTopK);
}

TEST_F(EvaluateAnswers, AnExpertThatFailsIsAnErrorWithTheServersWords) {
  TestServer server(Yaml(upstream_.url("/status;code=500")), 1);
  const auto outcome = Call(server.address(), "{\"prompt\": \"x\"}\n");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("small"));
  EXPECT_THAT(Call("127.0.0.1:1", "{\"prompt\": \"x\"}\n").err, HasSubstr("is a server running there?"));
}

}  // namespace
}  // namespace pointsman
