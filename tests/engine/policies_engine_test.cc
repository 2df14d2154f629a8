// Cascades, sets of experts and replies with the real model in its worker, beside a remote expert that answers by
// script.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fakes/fault_server.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;
using testing_support::Eventually;
using testing_support::Question;
using testing_support::TestServer;

class PoliciesWithEngine : public ::testing::Test {
 protected:
  std::string Yaml(const std::string& policy) {
    return R"(
engine:
  models:
    small: {file: ")" +
           testing_support::Model() + R"(", context: 1024, slots: 4}
experts:
  weak: {local: {model: small}, system: You are a helpful assistant., sampling: {temperature: 0, max_tokens: 64}}
  other: {local: {model: small}, system: You answer briefly., sampling: {temperature: 0, max_tokens: 64}}
  strong: {openai: {url: ")" +
           upstream_.url("/normal") + R"(", model: m}, capabilities: [grammar]}
  no: {zero_cost: {kind: refuse, text: I do not do that.}}
  hello: {zero_cost: {kind: canned, text: "Hello from {expert}."}}
policies: {p: {)" +
           policy + "}}\n";
  }
  static v1::EngineStatus Engine(TestServer& server) {
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    EXPECT_TRUE(server.admin().GetStatus(&context, {}, &response).ok());
    return response.engine();
  }
  static bool Idle(TestServer& server) {
    const v1::EngineStatus engine = Engine(server);
    return engine.state() == "ready" && engine.models_size() == 1 && engine.models(0).slots_busy() == 0;
  }

  testing::FaultServer upstream_;
};

constexpr const char* kCascade =
    "score: pinned, experts: [strong], run: cascade, cascade: {expert: weak, signal: entropy, tokens: 8, threshold: ";

TEST_F(PoliciesWithEngine, AConfidentWeakAnswerStreamsOnFromItsFirstToken) {
  TestServer server(Yaml(kCascade + std::string("0}")));
  ASSERT_TRUE(Eventually([&] { return Idle(server); }));
  auto streamed = testing_support::Stream(server.stub(), Question("What is the capital of France?"));
  ASSERT_TRUE(streamed.done()) << streamed.status.error_message();
  EXPECT_THAT(streamed.text, HasSubstr("Paris"));
  ASSERT_EQ(streamed.trace().decisions_size(), 1);
  EXPECT_EQ(streamed.trace().decisions(0).source(), "vocabulary");
  EXPECT_GT(streamed.trace().decisions(0).confidence(), 0.5);
  EXPECT_EQ(streamed.trace().expert(), "weak");
}

TEST_F(PoliciesWithEngine, AnUnsureWeakAnswerIsAbortedInTheWorker) {
  TestServer server(Yaml(kCascade + std::string("1}")));
  ASSERT_TRUE(Eventually([&] { return Idle(server); }));
  v1::CompleteRequest request = Question("Write letters.");
  request.mutable_sampling()->set_max_tokens(900);
  request.mutable_response_format()->set_grammar("root ::= [a-z ] root");  // the weak answer does not end by itself
  auto streamed = testing_support::Stream(server.stub(), request);
  const auto ended = std::chrono::steady_clock::now();
  ASSERT_TRUE(streamed.done()) << streamed.status.error_message();
  EXPECT_EQ(streamed.trace().expert(), "strong");
  ASSERT_EQ(streamed.trace().attempts_size(), 2);
  EXPECT_EQ(streamed.trace().attempts(0).outcome(), "not_kept");
  EXPECT_EQ(streamed.trace().attempts(0).completion_tokens(), 8U);
  // 900 tokens would take seconds; the slot is free because the abort reached the model.
  EXPECT_TRUE(Eventually([&] { return Idle(server); }));
  const std::chrono::duration<double, std::milli> free = std::chrono::steady_clock::now() - ended;
  std::printf("the slot was seen free %.1f ms after the end; the strong answer took %.1f ms after the decision\n",
              free.count(), streamed.trace().milliseconds() - streamed.trace().decisions(0).milliseconds());
  EXPECT_FALSE(streamed.text.empty());
}

TEST_F(PoliciesWithEngine, ASetOfThreeIsAskedAtOnceAndVotes) {
  TestServer server(Yaml("score: pinned, experts: [weak, other, strong], select: top_k, k: 3, run: ensemble"));
  ASSERT_TRUE(Eventually([&] { return Idle(server); }));
  auto streamed = testing_support::Stream(server.stub(), Question("What is the capital of France?"));
  ASSERT_TRUE(streamed.done()) << streamed.status.error_message();
  EXPECT_EQ(streamed.trace().plan().ensemble().members_size(), 3);
  EXPECT_EQ(streamed.trace().attempts_size(), 3);
  EXPECT_EQ(streamed.trace().selection().models(), 3U);
  EXPECT_FALSE(streamed.text.empty());
  EXPECT_TRUE(Eventually([&] { return Idle(server); }));
}

TEST_F(PoliciesWithEngine, RepliesCostNothingAndSayWhy) {
  TestServer server(Yaml("score: category_map, map: {general: [weak], law: [no], chat: [hello]}"));
  ASSERT_TRUE(Eventually([&] { return Idle(server); }));
  auto refused = testing_support::Stream(server.stub(), Question("Can my landlord evict me under tenancy law?"));
  ASSERT_TRUE(refused.done()) << refused.status.error_message();
  EXPECT_EQ(refused.text, "I do not do that.");
  EXPECT_EQ(refused.trace().plan().reply().kind(), "refuse");
  auto canned = testing_support::Stream(server.stub(), Question("hi there, how are you today?"));
  ASSERT_TRUE(canned.done()) << canned.status.error_message();
  EXPECT_EQ(canned.text, "Hello from hello.");
}

// The example as it is shipped: every policy answers.
TEST_F(PoliciesWithEngine, TheExampleAnswersByEachOfItsPolicies) {
  const std::filesystem::path file = std::filesystem::path(POINTSMAN_SOURCE_DIR) / "config/examples/policies.yaml";
  std::ifstream in(file);
  std::string yaml(std::istreambuf_iterator<char>(in), {});
  const std::string model = "../../build/models/smollm2-135m-instruct-q8_0.gguf";
  ASSERT_NE(yaml.find(model), std::string::npos);
  yaml.replace(yaml.find(model), model.size(), testing_support::Model());
  TestServer server(yaml);
  ASSERT_TRUE(Eventually([&] { return Idle(server); }));
  for (const char* policy : {"early", "vote", "sets", "by_chance"}) {
    v1::CompleteRequest request = Question("What is 6 times 7?");
    request.mutable_routing()->set_policy(policy);
    request.mutable_sampling()->set_max_tokens(24);
    auto streamed = testing_support::Stream(server.stub(), request);
    ASSERT_TRUE(streamed.done()) << policy << ": " << streamed.status.error_message();
    EXPECT_FALSE(streamed.text.empty()) << policy;
  }
}

}  // namespace
}  // namespace pointsman
