// What deploy/ describes: HAProxy in front of two replicas that share a Redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/fakes/fault_server.h"
#include "tests/support/haproxy.h"
#include "tests/support/health.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using testing_support::Eventually;
using testing_support::Question;
using testing_support::TestServer;

struct DeployTest : ::testing::Test {
  testing::FaultServer upstream;
  testing::RedisServer redis;

  DeployTest() { ::setenv("POINTSMAN_TEST_CACHE_SECRET", "0123456789abcdef0123456789abcdef", 1); }

  std::string Yaml(const std::string& behaviour) const {
    return "experts:\n  first:\n    openai: {url: \"" + upstream.url(behaviour) +
           "\", model: m1}\npolicies:\n  p: {score: pinned, experts: [first]}\n" +
           "cache:\n  memory: 1MiB\n  secret: {env: POINTSMAN_TEST_CACHE_SECRET}\n  redis:\n    addresses: "
           "[127.0.0.1:" +
           std::to_string(redis.port()) + "]\n    timeout: 1s\n";
  }
  static std::unique_ptr<v1::Pointsman::Stub> StubOf(const testing::HaProxy& balancer) {
    auto channel = grpc::CreateChannel(balancer.address(), grpc::InsecureChannelCredentials());
    EXPECT_TRUE(Eventually([&] { return testing_support::Health(channel, "") == testing_support::kServing; }));
    return v1::Pointsman::NewStub(channel);
  }
  static v1::CompleteRequest Greedy(const std::string& text) {
    v1::CompleteRequest request = Question(text);
    request.mutable_sampling()->set_temperature(0);
    return request;
  }
  static std::uint64_t Requests(TestServer& server) {
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    EXPECT_TRUE(server.admin().GetStatus(&context, {}, &response).ok());
    return response.requests();
  }
  static bool RedisUsable(TestServer& server) {
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    EXPECT_TRUE(server.admin().GetStatus(&context, {}, &response).ok());
    return response.cache().redis() == "usable";
  }
};

TEST_F(DeployTest, BothReplicasServeAndShareAnswers) {
  TestServer one(Yaml("/normal")), two(Yaml("/normal"));
  ASSERT_TRUE(Eventually([&] { return RedisUsable(one) && RedisUsable(two); }));
  const testing::HaProxy balancer(one.address(), two.address());
  const auto stub = StubOf(balancer);
  const auto ask = [&](const std::string& text) {
    grpc::ClientContext context;
    v1::CompleteResponse response;
    const grpc::Status status = stub->Complete(&context, Greedy(text), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  };
  ask("the same question");
  ASSERT_TRUE(Eventually([&] { return redis.Cli({"DBSIZE"}) == "1"; }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask("the same question").trace().cache(), v1::CACHE_OUTCOME_EXACT);
  EXPECT_EQ(upstream.counts().requests, 1u);
  ASSERT_TRUE(Eventually([&] {
    ask("the same question");
    return Requests(one) > 0 && Requests(two) > 0;
  }));
  EXPECT_EQ(upstream.counts().requests, 1u);
}

TEST_F(DeployTest, StreamsArriveAsTheyAreWritten) {
  const std::string slow = "/normal;chunks=3;interval_us=1000000";
  TestServer one(Yaml(slow)), two(Yaml(slow));
  const testing::HaProxy balancer(one.address(), two.address());
  const auto stub = StubOf(balancer);
  grpc::ClientContext context;
  auto reader = stub->StreamComplete(&context, Question("a long one"));
  v1::CompleteEvent event;
  while (reader->Read(&event) && !event.has_delta()) {
  }
  ASSERT_TRUE(event.has_delta());
  EXPECT_EQ(upstream.counts().answered, 0u);  // two of three chunks are still to come
  while (reader->Read(&event)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_TRUE(event.has_done());
}

TEST_F(DeployTest, AReplicaThatStopsIsLeftOut) {
  auto one = std::make_unique<TestServer>(Yaml("/normal"));
  TestServer two(Yaml("/normal"));
  const testing::HaProxy balancer(one->address(), two.address());
  const auto stub = StubOf(balancer);
  const auto ask = [&] {
    grpc::ClientContext context;
    v1::CompleteResponse response;
    return stub->Complete(&context, Question("a question"), &response).ok();
  };
  ASSERT_TRUE(Eventually([&] { return ask() && Requests(*one) > 0 && Requests(two) > 0; }));
  one.reset();
  ASSERT_TRUE(Eventually([&] {  // the check has seen it: twenty in a row
    for (int i = 0; i < 20; ++i) {
      if (!ask()) return false;
    }
    return true;
  }));
}

}  // namespace
}  // namespace pointsman
