// Replicas that share answers in a real Redis, and what happens to requests when something happens to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/fakes/fault_server.h"
#include "tests/support/child.h"
#include "tests/support/redis_cluster.h"
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
    const grpc::Status status = server.admin().GetStatus(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
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
      const std::string names = redis.TryCli({"KEYS", "*:a:*"});  // leases are none
      const std::string leases = redis.TryCli({"KEYS", "*:l:*"});
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
  EXPECT_THAT(two.server().RenderMetrics(), HasSubstr("\npointsman_redis_usable 1\n"));
}

TEST_F(RedisCacheTest, EntriesHaveATimeToLiveAndNamesWithoutContent) {
  const testing::RedisServer redis;
  TestServer server(Yaml(redis.port(), "    prefix: \"my:\"\n", "  ttl: 90s\n"));
  WaitUsable(server);
  Ask(server, Greedy("a question with a secret word"));
  ASSERT_TRUE(Stored(redis, 1));
  const std::string name = redis.Cli({"KEYS", "*"});
  EXPECT_THAT(name, ::testing::MatchesRegex("my::a:[0-9a-f]+:[0-9a-f]+:\\{[0-9a-f]+\\}"));
  const int ttl = std::atoi(redis.Cli({"TTL", name}).c_str());
  EXPECT_GT(ttl, 30);
  EXPECT_LE(ttl, 90);
}

TEST_F(RedisCacheTest, APolicyHasItsOwnTimeToLiveAndMayKeepSampledAnswers) {
  const testing::RedisServer redis;
  std::string yaml = Yaml(redis.port());
  const std::string policy = "experts: [first]";
  yaml.replace(yaml.find(policy), policy.size(), policy + ", cache: {ttl: 70s, sampled: true}");
  TestServer one(yaml), two(yaml);
  WaitUsable(one);
  WaitUsable(two);
  v1::CompleteRequest sampled = Question("a question");
  sampled.mutable_sampling()->set_temperature(1);
  EXPECT_EQ(Ask(one, sampled).trace().cache(), v1::CACHE_OUTCOME_MISS);
  ASSERT_TRUE(Stored(redis, 1));
  EXPECT_EQ(Ask(two, sampled).trace().cache(), v1::CACHE_OUTCOME_EXACT);
  const int ttl = std::atoi(redis.Cli({"TTL", redis.Cli({"KEYS", "*"})}).c_str());
  EXPECT_GT(ttl, 10);
  EXPECT_LE(ttl, 70);
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
  const std::string commands = redis.Cli({"INFO", "commandstats"});
  for (const char* command : {"cmdstat_get", "cmdstat_set", "cmdstat_eval"}) {
    EXPECT_THAT(commands, ::testing::Not(HasSubstr(command)));
  }
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
    return one.server().RenderMetrics().find("\npointsman_redis_usable 1\n") != std::string::npos &&
           two.server().RenderMetrics().find("\npointsman_redis_usable 1\n") != std::string::npos;
  }));
  Ask(one, Greedy("ours"), "key-of-a");
  ASSERT_TRUE(Stored(redis, 1));
  EXPECT_EQ(Ask(two, Greedy("ours"), "key-of-b").trace().cache(), v1::CACHE_OUTCOME_MISS);
  EXPECT_EQ(Ask(two, Greedy("ours"), "key-of-a").trace().cache(), v1::CACHE_OUTCOME_EXACT);
}

// Two tenants who ask the same, nearly the same, and what looks the same, with headers that claim to be the other, of
// two replicas at random: an answer may come from the own tenant's earlier requests only.
TEST_F(RedisCacheTest, TenThousandRequestsThatTryToCross) {
  const testing::RedisServer redis;
  const std::string tenants =
      "tenants:\n  a: {key: {env: POINTSMAN_TEST_KEY_A}}\n  b: {key: {env: POINTSMAN_TEST_KEY_B}}\n";
  const std::string yaml = Yaml(redis.port(), "    timeout: 1s\n", "  memory: 1MiB\n") + tenants;
  TestServer one(yaml), two(yaml);
  ASSERT_TRUE(Eventually([&] {
    return one.server().RenderMetrics().find("\npointsman_redis_usable 1\n") != std::string::npos &&
           two.server().RenderMetrics().find("\npointsman_redis_usable 1\n") != std::string::npos;
  }));
  const std::vector<std::string> texts = {
      "What is my balance?",          "What is my balance? ",          "what is my balance?",
      "What is my bal\u0430nce?",     "What is my b\u00e4lance?",      "What is my ba\u0308lance?",
      "What is my balance\uff1f",     "tenant a: What is my balance?", "What is my balance?\n\n",
      std::string("What\0is my", 10), "\u200bWhat is my balance?"};
  constexpr int kRequests = 10'000, kThreads = 4;
  std::atomic<int> crossed{0}, failed{0}, hits{0};
  std::vector<std::thread> clients;
  for (int thread = 0; thread < kThreads; ++thread) {
    clients.emplace_back([&, thread] {
      std::mt19937 random(static_cast<unsigned>(thread));
      for (int i = 0; i < kRequests / kThreads; ++i) {
        const bool a = random() % 2 == 0;
        const std::string own = a ? "a" : "b", other = a ? "b" : "a";
        v1::CompleteRequest request = Greedy(texts[random() % texts.size()]);
        if (random() % 3 == 0) request.mutable_routing()->set_user_id(other);
        if (random() % 3 == 0) request.mutable_routing()->set_session_id(other);
        if (random() % 5 == 0) (*request.mutable_routing()->mutable_tags())["tenant"] = other;
        grpc::ClientContext context;
        context.AddMetadata("x-request-id", own + "-" + std::to_string(thread) + "-" + std::to_string(i));
        if (random() % 4 == 0) context.AddMetadata("x-tenant", other);
        if (random() % 4 == 0) context.AddMetadata("tenant", other);
        context.AddMetadata("authorization", "Bearer key-of-" + own);
        v1::CompleteResponse response;
        failed += !(random() % 2 == 0 ? one : two).stub().Complete(&context, request, &response).ok();
        const std::string& from = response.trace().cached_request_id();
        hits += !from.empty();
        crossed += !from.empty() && !from.starts_with(own + "-");
        crossed += response.trace().tenant() != own;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(crossed, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_GT(hits, kRequests / 2);  // else nothing was tried
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

struct RedisClusterTest : RedisCacheTest {
  testing::RedisCluster cluster;
  std::vector<std::unique_ptr<testing::RedisServer>>& nodes = cluster.nodes;
};

TEST_F(RedisClusterTest, ReplicasShareAnswersThroughACluster) {
  const std::string yaml = Yaml(nodes[0]->port(), "    cluster: true\n    timeout: 1s\n");
  TestServer one(yaml), two(yaml);
  WaitUsable(one);
  WaitUsable(two);
  constexpr int kQuestions = 60;
  for (int i = 0; i < kQuestions; ++i) Ask(one, Greedy("question " + std::to_string(i)));
  ASSERT_TRUE(Eventually([&] { return cluster.Keys() == kQuestions; }));
  for (const auto& node : nodes) EXPECT_NE(node->Cli({"DBSIZE"}), "0");  // they are spread
  int hits = 0;
  for (int i = 0; i < kQuestions; ++i) {
    hits += Ask(two, Greedy("question " + std::to_string(i))).trace().cache() == v1::CACHE_OUTCOME_EXACT;
  }
  EXPECT_EQ(hits, kQuestions);

  // A slot moves to another server: the client is redirected, and learns.
  const std::string from = nodes[0]->Cli({"CLUSTER", "MYID"}), to = nodes[1]->Cli({"CLUSTER", "MYID"});
  nodes[0]->Cli({"--cluster", "reshard", "127.0.0.1:" + std::to_string(nodes[0]->port()), "--cluster-from", from,
                 "--cluster-to", to, "--cluster-slots", "5000", "--cluster-yes"});
  hits = 0;
  for (int i = 0; i < kQuestions; ++i) {
    hits += Ask(two, Greedy("question " + std::to_string(i))).trace().cache() == v1::CACHE_OUTCOME_EXACT;
  }
  EXPECT_EQ(hits, kQuestions);

  // One dies: its keys are not found, the others' are, and no request fails.
  nodes[2]->Kill();
  const auto found = [&] {
    int count = 0;
    for (int i = 0; i < kQuestions; ++i) {
      v1::CompleteRequest request = Greedy("question " + std::to_string(i));
      request.mutable_routing()->mutable_cache()->set_no_store(true);
      count += Ask(two, request).trace().cache() == v1::CACHE_OUTCOME_EXACT;
    }
    return count;
  };
  EXPECT_TRUE(Eventually([&] {
    const int count = found();
    return count > 0 && count < kQuestions;
  }));
  EXPECT_NE(RedisState(two), "usable");
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
  ASSERT_TRUE(Eventually([&] { return second.TryCli({"ROLE"}).starts_with("master"); }));
  WaitUsable(server);
  EXPECT_EQ(Ask(server, Greedy("one")).trace().cache(), v1::CACHE_OUTCOME_EXACT);
  Ask(server, Greedy("two"));
  EXPECT_TRUE(Stored(second, 2));
}

}  // namespace
}  // namespace pointsman
