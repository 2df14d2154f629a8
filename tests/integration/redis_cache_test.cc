// Replicas that share answers in a real Redis, and what happens to requests when something happens to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/fakes/fault_server.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;
using testing_support::Eventually;
using testing_support::Question;
using testing_support::TestServer;

struct RedisCacheTest : ::testing::Test {
  testing::FaultServer upstream;

  RedisCacheTest() {
    ::setenv("POINTSMAN_TEST_CACHE_SECRET", "0123456789abcdef0123456789abcdef", 1);
    ::setenv("POINTSMAN_TEST_KEY_A", "key-of-a", 1);
    ::setenv("POINTSMAN_TEST_KEY_B", "key-of-b", 1);
  }

  // `more` goes on under cache.redis.
  std::string Yaml(int redis, const std::string& more = "", const std::string& cache = "") const {
    return "experts:\n  first:\n    openai: {url: \"" + upstream.url("/normal") +
           "\", model: m1}\n    price: {input: 1, output: 2}\npolicies:\n  p: {score: pinned, experts: [first]}\n" +
           "cache:\n  secret: {env: POINTSMAN_TEST_CACHE_SECRET}\n" + cache +
           "  redis:\n    addresses: [127.0.0.1:" + std::to_string(redis) + "]\n" + more;
  }
  static v1::CompleteRequest Greedy(const std::string& text) {
    v1::CompleteRequest request = Question(text);
    request.mutable_sampling()->set_temperature(0);
    return request;
  }
  static std::string RedisState(TestServer& server) {
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    EXPECT_TRUE(server.admin().GetStatus(&context, {}, &response).ok());
    return response.cache().redis();
  }
  static void WaitUsable(TestServer& server) {
    ASSERT_TRUE(Eventually([&] { return RedisState(server) == "usable"; })) << RedisState(server);
  }
  static v1::CompleteResponse Ask(TestServer& server, const v1::CompleteRequest& request, const std::string& key = "") {
    grpc::ClientContext context;
    if (!key.empty()) context.AddMetadata("authorization", "Bearer " + key);
    v1::CompleteResponse response;
    const grpc::Status status = server.stub().Complete(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static bool Stored(const testing::RedisServer& redis, int entries) {
    return Eventually([&] {
      const std::string names = redis.Cli({"KEYS", "*:a:*"});  // leases are none
      const std::string leases = redis.Cli({"KEYS", "*:l:*"});
      return leases.empty() && std::count(names.begin(), names.end(), '{') == entries;
    });
  }
};

TEST_F(RedisCacheTest, ReplicasShareAnswers) {
  const testing::RedisServer redis;
  TestServer one(Yaml(redis.port())), two(Yaml(redis.port(), "    timeout: 1s\n", "  memory: 1MiB\n"));
  WaitUsable(one);
  WaitUsable(two);
  const v1::CompleteResponse fresh = Ask(one, Greedy("the same question"));
  EXPECT_EQ(fresh.trace().cache(), v1::CACHE_OUTCOME_MISS);
  ASSERT_TRUE(Stored(redis, 1));
  const v1::CompleteResponse shared = Ask(two, Greedy("the same question"));
  EXPECT_EQ(shared.trace().cache(), v1::CACHE_OUTCOME_EXACT);
  EXPECT_EQ(shared.trace().cache_store(), "redis");
  EXPECT_EQ(shared.trace().cached_request_id(), fresh.id());
  EXPECT_EQ(shared.message().SerializeAsString(), fresh.message().SerializeAsString());
  EXPECT_EQ(shared.usage().cost_usd(), 0);
  EXPECT_EQ(shared.usage().cached_tokens(), shared.usage().prompt_tokens());
  // It is in the second one's memory now.
  EXPECT_EQ(Ask(two, Greedy("the same question")).trace().cache_store(), "memory");
  auto streamed = testing_support::Stream(one.stub(), Greedy("the same question"));
  ASSERT_TRUE(streamed.done());
  EXPECT_EQ(streamed.trace().cache(), v1::CACHE_OUTCOME_EXACT);
  EXPECT_EQ(upstream.counts().requests, 1u);
  EXPECT_THAT(two.server().RenderMetrics(), HasSubstr("pointsman_cache_lookups_total{result=\"exact_redis\"} 1"));
  EXPECT_THAT(two.server().RenderMetrics(), HasSubstr("pointsman_redis_usable 1"));
}

TEST_F(RedisCacheTest, EntriesHaveATimeToLiveAndNamesWithoutContent) {
  const testing::RedisServer redis;
  TestServer server(Yaml(redis.port(), "    prefix: \"my:\"\n", "  ttl: 90s\n"));
  WaitUsable(server);
  Ask(server, Greedy("a question with a secret word"));
  ASSERT_TRUE(Stored(redis, 1));
  const std::string name = redis.Cli({"KEYS", "*"});
  EXPECT_THAT(name, ::testing::MatchesRegex("my::a:[0-9a-f]+:\\{[0-9a-f]+\\}"));
  const int ttl = std::atoi(redis.Cli({"TTL", name}).c_str());
  EXPECT_GT(ttl, 30);
  EXPECT_LE(ttl, 90);
}

TEST_F(RedisCacheTest, WhatMayNotBeKeptIsNeitherAskedForNorStored) {
  const testing::RedisServer redis;
  TestServer server(Yaml(redis.port()));
  WaitUsable(server);
  v1::CompleteRequest sampled = Question("a question");
  sampled.mutable_sampling()->set_temperature(1);
  Ask(server, sampled);
  v1::CompleteRequest aside = Greedy("a question");
  aside.mutable_routing()->mutable_cache()->set_no_store(true);
  aside.mutable_routing()->mutable_cache()->set_no_cache(true);
  Ask(server, aside);
  EXPECT_THAT(server.server().RenderMetrics(), HasSubstr("pointsman_redis_replies_total 0"));
  EXPECT_EQ(redis.Cli({"DBSIZE"}), "0");
  // An entry that somebody else wrote over is a miss.
  Ask(server, Greedy("another"));
  ASSERT_TRUE(Stored(redis, 1));
  redis.Cli({"SET", redis.Cli({"KEYS", "*"}), "not one of ours"});
  EXPECT_EQ(Ask(server, Greedy("another")).trace().cache(), v1::CACHE_OUTCOME_MISS);
}

TEST_F(RedisCacheTest, TenantsNeverShare) {
  const testing::RedisServer redis;
  const std::string tenants =
      "tenants:\n  a: {key: {env: POINTSMAN_TEST_KEY_A}}\n  b: {key: {env: POINTSMAN_TEST_KEY_B}}\n";
  TestServer one(Yaml(redis.port()) + tenants), two(Yaml(redis.port()) + tenants);
  ASSERT_TRUE(Eventually([&] {
    return one.server().RenderMetrics().find("pointsman_redis_usable 1") != std::string::npos &&
           two.server().RenderMetrics().find("pointsman_redis_usable 1") != std::string::npos;
  }));
  Ask(one, Greedy("ours"), "key-of-a");
  ASSERT_TRUE(Stored(redis, 1));
  EXPECT_EQ(Ask(two, Greedy("ours"), "key-of-b").trace().cache(), v1::CACHE_OUTCOME_MISS);
  EXPECT_EQ(Ask(two, Greedy("ours"), "key-of-a").trace().cache(), v1::CACHE_OUTCOME_EXACT);
}

// Replicas that listen or log in another way answer alike; those with another prompt, model or secret do not.
TEST_F(RedisCacheTest, OnlyReplicasThatAnswerAlikeShare) {
  const testing::RedisServer redis;
  TestServer one(Yaml(redis.port()));
  WaitUsable(one);
  Ask(one, Greedy("a question"));
  ASSERT_TRUE(Stored(redis, 1));
  TestServer quiet("# a comment\ntelemetry: {log_level: warn}\nlimits: {in_flight: 7}\n" + Yaml(redis.port()));
  WaitUsable(quiet);
  EXPECT_EQ(Ask(quiet, Greedy("a question")).trace().cache(), v1::CACHE_OUTCOME_EXACT);
  std::string other = Yaml(redis.port());
  other.replace(other.find("model: m1"), 9, "model: m2");
  TestServer changed(other);
  WaitUsable(changed);
  EXPECT_EQ(Ask(changed, Greedy("a question")).trace().cache(), v1::CACHE_OUTCOME_MISS);
  ::setenv("POINTSMAN_TEST_CACHE_SECRET", "fedcba9876543210", 1);
  TestServer stranger(Yaml(redis.port()));
  WaitUsable(stranger);
  EXPECT_EQ(Ask(stranger, Greedy("a question")).trace().cache(), v1::CACHE_OUTCOME_MISS);
}

// Under load: killed, started again, frozen, thawed, read-only, full. No request may fail.
TEST_F(RedisCacheTest, NoRequestFailsWhateverHappensToRedis) {
  testing::RedisServer redis;
  TestServer server(Yaml(redis.port()));
  WaitUsable(server);
  std::atomic<bool> stop{false};
  std::atomic<int> asked{0}, failed{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&, c] {
      for (int i = 0; !stop; ++i) {
        grpc::ClientContext context;
        v1::CompleteResponse response;
        const auto request = Greedy("question " + std::to_string(c) + " " + std::to_string(i % 50));
        failed += !server.stub().Complete(&context, request, &response).ok();
        ++asked;
      }
    });
  }
  const auto some = [&] {
    const int before = asked;
    EXPECT_TRUE(Eventually([&] { return asked > before + 200; }));
  };
  const auto usable = [&] { return RedisState(server) == "usable"; };
  some();
  redis.Kill();
  EXPECT_TRUE(Eventually([&] { return !usable(); }));
  some();
  redis.Start();
  EXPECT_TRUE(Eventually(usable));
  some();
  redis.Freeze();
  EXPECT_TRUE(Eventually([&] { return !usable(); }));
  some();
  redis.Thaw();
  EXPECT_TRUE(Eventually(usable));
  redis.Cli({"FLUSHALL"});
  redis.Cli({"CONFIG", "SET", "maxmemory", "1"});
  some();
  redis.Cli({"CONFIG", "SET", "maxmemory", "0"});
  redis.Cli({"REPLICAOF", "127.0.0.1", std::to_string(testing::FreePort())});
  some();
  redis.Cli({"REPLICAOF", "NO", "ONE"});
  some();
  EXPECT_TRUE(Eventually([&] { return redis.Cli({"DBSIZE"}) != "0"; }));
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0) << "of " << asked;
  EXPECT_THAT(server.server().RenderMetrics(), ::testing::Not(HasSubstr("pointsman_redis_errors_total 0\n")));
}

TEST_F(RedisCacheTest, SentinelsNameTheMaster) {
  testing::RedisServer first, second;
  second.Cli({"REPLICAOF", "127.0.0.1", std::to_string(first.port())});
  ASSERT_TRUE(Eventually([&] {
    return second.Cli({"INFO", "replication"}).find("master_link_status:up") != std::string::npos;
  }));
  const testing::TempDir folder;
  const auto file = folder.Write("sentinel.conf", "sentinel monitor pack 127.0.0.1 " + std::to_string(first.port()) +
                                                      " 1\nsentinel down-after-milliseconds pack 500\n"
                                                      "sentinel failover-timeout pack 3000\n");
  testing::RedisServer sentinel({file.string(), "--sentinel"});
  TestServer server(Yaml(sentinel.port(), "    sentinel: pack\n"));
  WaitUsable(server);
  Ask(server, Greedy("one"));
  ASSERT_TRUE(Stored(first, 1));
  ASSERT_TRUE(Stored(second, 1));  // replicated
  first.Kill();
  ASSERT_TRUE(Eventually([&] { return second.Cli({"ROLE"}).starts_with("master"); }));
  WaitUsable(server);
  EXPECT_EQ(Ask(server, Greedy("one")).trace().cache(), v1::CACHE_OUTCOME_EXACT);
  Ask(server, Greedy("two"));
  EXPECT_TRUE(Stored(second, 2));
}

}  // namespace
}  // namespace pointsman
