// Many identical requests at once, on one server and on two that share a Redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/fakes/fault_server.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using testing_support::Eventually;
using testing_support::Question;
using testing_support::Stream;
using testing_support::Streamed;
using testing_support::TestServer;

struct FlightsServerTest : ::testing::Test {
  testing::FaultServer upstream;

  FlightsServerTest() { ::setenv("POINTSMAN_TEST_CACHE_SECRET", "0123456789abcdef0123456789abcdef", 1); }

  // Ten tokens, in about a second.
  std::string Yaml(int redis, const std::string& interval_us = "100000") const {
    std::string text = "experts:\n  first:\n    openai: {url: \"" +
                       upstream.url("/normal;chunks=10;interval_us=" + interval_us) +
                       "\", model: m1}\npolicies:\n  p: {score: pinned, experts: [first]}\ncache:\n" +
                       "  secret: {env: POINTSMAN_TEST_CACHE_SECRET}\n  memory: 1MiB\n";
    if (redis > 0) text += "  redis:\n    timeout: 1s\n    addresses: [127.0.0.1:" + std::to_string(redis) + "]\n";
    return text;
  }
  static v1::CompleteRequest Greedy() {
    v1::CompleteRequest request = Question("the same question");
    request.mutable_sampling()->set_temperature(0);
    return request;
  }
  static void WaitUsable(TestServer& server) {
    ASSERT_TRUE(Eventually(
        [&] { return server.server().RenderMetrics().find("\npointsman_redis_usable 1\n") != std::string::npos; }));
  }
  // Clients that all ask at once, in turn at the servers.
  static std::vector<Streamed> AskAtOnce(std::size_t count, const std::vector<TestServer*>& servers) {
    std::vector<Streamed> answers(count);
    std::vector<std::thread> clients;
    for (std::size_t c = 0; c < count; ++c) {
      clients.emplace_back([&, c] { answers[c] = Stream(servers[c % servers.size()]->stub(), Greedy()); });
    }
    for (std::thread& client : clients) client.join();
    return answers;
  }
  static void ExpectWhole(const std::vector<Streamed>& answers) {
    for (const Streamed& answer : answers) {
      ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
      ASSERT_TRUE(answer.done());
      EXPECT_EQ(answer.text, answers.front().text);
    }
  }
};

TEST_F(FlightsServerTest, TwoHundredClientsOfOneServerAskOnce) {
  TestServer server(Yaml(0), 2);
  const std::vector<Streamed> answers = AskAtOnce(200, {&server});
  ExpectWhole(answers);
  EXPECT_EQ(upstream.counts().requests, 1u);
  std::vector<double> first_token;
  std::size_t events = 0;
  for (const Streamed& answer : answers) {
    if (answer.trace().flight().role() != "follower") continue;
    first_token.push_back(answer.trace().first_token_milliseconds());
    events = std::max(events, answer.events.size());
  }
  ASSERT_GT(first_token.size(), 100u);
  std::sort(first_token.begin(), first_token.end());
  std::printf("first token of %zu followers: median %.1f ms, last %.1f ms\n", first_token.size(),
              first_token[first_token.size() / 2], first_token.back());
  EXPECT_GE(events, 12u);  // token by token
}

TEST_F(FlightsServerTest, ADeadlineEndsOnlyItsOwnWait) {
  TestServer server(Yaml(0, "600000"), 2);  // six seconds
  Streamed hurried;
  std::thread impatient([&] {
    hurried = Stream(server.stub(), Greedy(), [](grpc::ClientContext& context) {
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(3));
    });
  });
  ASSERT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.requests == 1; }));
  const std::vector<Streamed> patient = AskAtOnce(3, {&server});
  impatient.join();
  EXPECT_EQ(hurried.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  ExpectWhole(patient);
  EXPECT_EQ(upstream.counts().requests, 1u);
}

TEST_F(FlightsServerTest, TwoHundredClientsOfTwoReplicasAskOnce) {
  const testing::RedisServer redis;
  TestServer one(Yaml(redis.port())), two(Yaml(redis.port()));
  WaitUsable(one);
  WaitUsable(two);
  ExpectWhole(AskAtOnce(200, {&one, &two}));
  EXPECT_EQ(upstream.counts().requests, 1u);
  EXPECT_TRUE(Eventually([&] { return redis.Cli({"DBSIZE"}) == "1"; }));  // the lease was given back
}

TEST_F(FlightsServerTest, AReplicaThatStopsIsFollowedByAnother) {
  const testing::RedisServer redis;
  auto one = std::make_unique<TestServer>(Yaml(redis.port()));
  TestServer two(Yaml(redis.port()));
  WaitUsable(*one);
  WaitUsable(two);
  Streamed lost;
  std::thread first([&, stub = &one->stub()] { lost = Stream(*stub, Greedy()); });
  ASSERT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.requests == 1; }));
  std::vector<Streamed> answers;
  std::thread others([&] { answers = AskAtOnce(20, {&two}); });
  ASSERT_TRUE(Eventually([&] { return two.server().in_flight() == 20; }));
  one->server().Shutdown(std::chrono::milliseconds(0));
  first.join();
  others.join();
  EXPECT_EQ(lost.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  ExpectWhole(answers);
  EXPECT_EQ(upstream.counts().requests, 2u);
}

// The lease is gone with Redis: nobody waits for it.
TEST_F(FlightsServerTest, WithoutARedisEveryReplicaAsksAtOnce) {
  testing::RedisServer redis;
  TestServer one(Yaml(redis.port())), two(Yaml(redis.port()));
  WaitUsable(one);
  WaitUsable(two);
  std::vector<Streamed> answers;
  std::thread clients([&] { answers = AskAtOnce(20, {&one, &two}); });
  ASSERT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.requests == 1; }));
  redis.Kill();
  clients.join();
  ExpectWhole(answers);
  EXPECT_LE(upstream.counts().requests, 2u);
}

}  // namespace
}  // namespace pointsman
