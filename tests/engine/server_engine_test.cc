// The whole server with the real model in its worker process: answers, cancellation, the worker's death.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>
#include <vector>

#include "tests/fakes/fault_server.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;
using testing_support::Eventually;
using testing_support::Question;
using testing_support::TestServer;

std::string Local(const std::string& more_experts = "", const std::string& candidates = "local") {
  return R"(
engine:
  models:
    small: {file: ")" +
         testing_support::Model() + R"(", context: 1024, slots: 4}
experts:
  local:
    local: {model: small}
    system: You are a helpful assistant. Answer clearly and briefly.
    sampling: {temperature: 0, max_tokens: 64}
)" + more_experts +
         "policies: {p: {score: pinned, experts: [" + candidates + "]}}\ndefault_policy: p\n";
}

v1::EngineStatus EngineOf(TestServer& server) {
  grpc::ClientContext context;
  v1::GetStatusResponse response;
  EXPECT_TRUE(server.admin().GetStatus(&context, {}, &response).ok());
  return response.engine();
}

bool Idle(TestServer& server) {
  v1::EngineStatus status = EngineOf(server);
  return status.state() == "ready" && status.models_size() == 1 && status.models(0).slots_busy() == 0 &&
         status.models(0).queued() == 0;
}

TEST(ServerWithEngine, StreamsARealAnswer) {
  TestServer server(Local());
  auto streamed = testing_support::Stream(server.stub(), Question("What is the capital of France?"));
  ASSERT_TRUE(streamed.done()) << streamed.status.error_message();
  EXPECT_THAT(streamed.text, HasSubstr("Paris"));
  EXPECT_GT(streamed.events.size(), 4u);
  EXPECT_GT(streamed.trace().first_token_milliseconds(), 0);
  EXPECT_EQ(streamed.trace().attempts(0).outcome(), "ok");
}

TEST(ServerWithEngine, TwoHundredCancelledStreamsLeaveNothing) {
  TestServer server(Local());
  v1::CompleteRequest request = Question("Write a long story about a railway.");
  request.mutable_sampling()->set_max_tokens(900);
  auto cancel_one = [&] {
    grpc::ClientContext context;
    auto reader = server.stub().StreamComplete(&context, request);
    v1::CompleteEvent event;
    while (reader->Read(&event) && !event.has_delta()) {
    }
    context.TryCancel();
    while (reader->Read(&event)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  };
  cancel_one();
  ASSERT_TRUE(Eventually([&] { return Idle(server); }));
  std::size_t files = testing_support::OpenFiles();
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&] {
      for (int i = 0; i < 50; ++i) cancel_one();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(Eventually([&] { return Idle(server); })) << EngineOf(server).ShortDebugString();
  EXPECT_TRUE(Eventually([&] { return server.server().in_flight() == 0; }));
  EXPECT_TRUE(Eventually([&] { return testing_support::OpenFiles() <= files; }))
      << testing_support::OpenFiles() << " files open, " << files << " before";
}

TEST(ServerWithEngine, SurvivesTheWorkersDeathUnderEightStreams) {
  testing::FaultServer upstream;
  TestServer server(Local(
      "  remote:\n    openai: {url: \"" + upstream.url("/normal") + "\", model: m}\n    capabilities: [grammar]\n",
      "local, remote"));
  ASSERT_TRUE(Eventually([&] { return Idle(server); }));  // the remote expert made it serve before
  int pid = EngineOf(server).pid();
  ASSERT_GT(pid, 0);
  std::atomic<int> started{0};
  std::vector<testing_support::Streamed> results(8);
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      v1::CompleteRequest request = Question("Write letters.");
      request.mutable_sampling()->set_max_tokens(700);
      request.mutable_response_format()->set_grammar("root ::= [a-z ] root");  // so that no stream ends by itself
      grpc::ClientContext context;
      auto reader = server.stub().StreamComplete(&context, request);
      v1::CompleteEvent event;
      bool counted = false;
      while (reader->Read(&event)) {
        results[i].events.push_back(event);
        if (event.has_delta() && !counted) {
          counted = true;
          ++started;
        }
      }
      results[i].status = reader->Finish();
    });
  }
  // Four slots: four streams have tokens when it dies, four still wait in its queue.
  EXPECT_TRUE(Eventually([&] { return started == 4; }));
  EXPECT_EQ(kill(pid, SIGKILL), 0);
  for (std::thread& client : clients) client.join();

  int partial = 0, fallback = 0;
  for (const auto& result : results) {
    if (result.status.ok()) {
      ASSERT_TRUE(result.done());
      EXPECT_EQ(result.events.back().done().expert(), "remote");
      EXPECT_THAT(result.trace().attempts(0).message(), HasSubstr("engine worker"));
      ++fallback;
    } else {
      EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
      EXPECT_TRUE(testing_support::Detail<v1::PartialAnswer>(result.status));
      ++partial;
    }
  }
  EXPECT_EQ(partial, 4);
  EXPECT_EQ(fallback, 4);

  ASSERT_TRUE(Eventually([&] { return EngineOf(server).state() == "ready" && EngineOf(server).pid() != pid; }));
  EXPECT_GE(EngineOf(server).restarts(), 1u);
  ASSERT_TRUE(Eventually([&] { return Idle(server); }));
  auto after = testing_support::Stream(server.stub(), Question("What is the capital of France?"));
  ASSERT_TRUE(after.done()) << after.status.error_message();
  EXPECT_EQ(after.events.back().done().expert(), "local");
}

TEST(ServerWithEngine, ABadModelFileIsAClearErrorAndNeverTheEnd) {
  testing::FaultServer upstream;
  std::string yaml = R"(
engine:
  models:
    broken: {file: ")" +
                     std::string(POINTSMAN_SOURCE_DIR) + R"(/README.md"}
experts:
  local: {local: {model: broken}}
  remote:
    openai: {url: ")" +
                     upstream.url("/normal") + R"(", model: m}
policies: {p: {score: pinned, experts: [local, remote]}, alone: {score: pinned, experts: [local]}}
default_policy: p
)";
  TestServer server(yaml);
  ASSERT_TRUE(Eventually(
      [&] { return EngineOf(server).models_size() == 1 && EngineOf(server).models(0).state() == "failed"; }));
  EXPECT_THAT(EngineOf(server).models(0).error(), HasSubstr("GGUF"));
  auto fallback = testing_support::Stream(server.stub(), Question("x"));
  ASSERT_TRUE(fallback.done()) << fallback.status.error_message();
  EXPECT_EQ(fallback.events.back().done().expert(), "remote");
  v1::CompleteRequest alone = Question("x");
  alone.mutable_routing()->set_policy("alone");
  auto refused = testing_support::Stream(server.stub(), alone);
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.status.error_message(), HasSubstr("GGUF"));
}

TEST(ServerWithEngine, APromptLongerThanEveryContextIsTheCallersFault) {
  TestServer server(Local());
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "word ";
  auto streamed = testing_support::Stream(server.stub(), Question(text));
  EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << streamed.status.error_message();
  std::string dense;  // short in bytes, long in tokens: only the model's own count finds out
  for (int i = 0; i < 1500; ++i) dense += "1 ";
  streamed = testing_support::Stream(server.stub(), Question(dense));
  EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << streamed.status.error_message();
}

TEST(ServerWithEngine, TheWorkerDiesWithTheRouter) {
  int pid = 0;
  {
    TestServer server(Local());
    pid = EngineOf(server).pid();
    ASSERT_EQ(kill(pid, 0), 0);
  }
  EXPECT_TRUE(Eventually([&] { return kill(pid, 0) != 0; }));
}

}  // namespace
}  // namespace pointsman
