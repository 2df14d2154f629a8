// Admin.PurgeCache on real servers: one alone, two replicas with a real Redis, and a cluster of three masters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>

#include "router/cli/cache.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/command.h"
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

// Two tenants and an admin, two policies, the second of which answers slowly.
struct PurgeTest : ::testing::Test {
  testing::FaultServer upstream;

  PurgeTest() {
    ::setenv("POINTSMAN_TEST_CACHE_SECRET", "0123456789abcdef0123456789abcdef", 1);
    ::setenv("POINTSMAN_TEST_KEY_A", "key-of-a", 1);
    ::setenv("POINTSMAN_TEST_KEY_B", "key-of-b", 1);
    ::setenv("POINTSMAN_TEST_KEY_ROOT", "key-of-root", 1);
  }

  // `redis` goes on under cache.redis.
  std::string Yaml(const std::optional<std::string>& redis, const std::string& slow = "300000") const {
    return "experts:\n  fast: {openai: {url: \"" + upstream.url("/normal") +
           "\", model: m1}}\n  slow: {openai: {url: \"" + upstream.url("/normal;chunks=5;interval_us=" + slow) +
           "\", model: m2}}\npolicies:\n  p: {score: pinned, experts: [fast]}\n  q: {score: pinned, experts: "
           "[slow]}\n" +
           "default_policy: p\ntenants:\n  a: {key: {env: POINTSMAN_TEST_KEY_A}}\n  b: {key: {env: "
           "POINTSMAN_TEST_KEY_B}}\n  root: {key: {env: POINTSMAN_TEST_KEY_ROOT}, admin: true}\ncache:\n  memory: "
           "4MiB\n  secret: {env: POINTSMAN_TEST_CACHE_SECRET}\n" +
           (redis ? "  redis:\n    timeout: 1s\n" + *redis : "");
  }
  static std::string At(int port) { return "    addresses: [127.0.0.1:" + std::to_string(port) + "]\n"; }

  static v1::CompleteRequest Greedy(const std::string& text, const std::string& policy = "") {
    v1::CompleteRequest request = Question(text);
    request.mutable_sampling()->set_temperature(0);
    request.mutable_routing()->set_policy(policy);
    return request;
  }
  static v1::CompleteResponse Ask(TestServer& server, const std::string& tenant, const v1::CompleteRequest& request) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer key-of-" + tenant);
    v1::CompleteResponse response;
    const grpc::Status status = server.stub().Complete(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // Where the answer lies that would be given: "memory", "redis", or "". Keeps none.
  static std::string Where(TestServer& server, const std::string& tenant, v1::CompleteRequest request) {
    request.mutable_routing()->mutable_cache()->set_no_store(true);
    return Ask(server, tenant, request).trace().cache_store();
  }
  static grpc::Status Purge(TestServer& server, const v1::PurgeCacheRequest& request, v1::PurgeCacheResponse& response,
                            const std::string& key = "key-of-root") {
    grpc::ClientContext context;
    if (!key.empty()) context.AddMetadata("authorization", "Bearer " + key);
    response.Clear();
    return server.admin().PurgeCache(&context, request, &response);
  }
  static v1::PurgeCacheResponse Purged(TestServer& server, const v1::PurgeCacheRequest& request) {
    v1::PurgeCacheResponse response;
    const grpc::Status status = Purge(server, request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static v1::PurgeCacheRequest Of(const std::string& tenant, const std::string& policy = "") {
    v1::PurgeCacheRequest request;
    request.set_tenant(tenant);
    request.set_policy(policy);
    return request;
  }
  static v1::PurgeCacheRequest Everything() {
    v1::PurgeCacheRequest request;
    request.set_everything(true);
    return request;
  }
  static void WaitUsable(TestServer& server, bool usable = true) {
    const std::string line = std::string("\npointsman_redis_usable ") + (usable ? "1\n" : "0\n");
    ASSERT_TRUE(Eventually([&] { return server.server().RenderMetrics().find(line) != std::string::npos; }));
  }
  static bool Entries(const testing::RedisServer& redis, int entries) {
    return Eventually([&] {
      const std::string names = redis.TryCli({"KEYS", "*:a:*"});
      return std::count(names.begin(), names.end(), '{') == entries;
    });
  }
};

TEST_F(PurgeTest, OneServerAlone) {
  TestServer server(Yaml(std::nullopt, "0"));
  for (const char* tenant : {"a", "b"}) {
    for (const char* policy : {"p", "q"}) Ask(server, tenant, Greedy("one", policy));
    Ask(server, tenant, Greedy("two", "p"));
  }
  v1::PurgeCacheResponse purged = Purged(server, Of("a", "p"));
  EXPECT_EQ(purged.memory_entries(), 2u);
  EXPECT_EQ(purged.redis_entries(), 0u);
  EXPECT_EQ(purged.warnings_size(), 0);
  EXPECT_EQ(Where(server, "a", Greedy("one", "p")), "");
  EXPECT_EQ(Where(server, "a", Greedy("one", "q")), "memory");
  EXPECT_EQ(Where(server, "b", Greedy("one", "p")), "memory");
  EXPECT_EQ(Purged(server, Of("", "p")).memory_entries(), 2u);
  EXPECT_EQ(Where(server, "b", Greedy("one", "p")), "");
  EXPECT_EQ(Where(server, "b", Greedy("one", "q")), "memory");
  EXPECT_EQ(Purged(server, Of("b")).memory_entries(), 1u);
  EXPECT_EQ(Where(server, "a", Greedy("one", "q")), "memory");
  EXPECT_EQ(Purged(server, Everything()).memory_entries(), 1u);
  EXPECT_THAT(server.server().RenderMetrics(), HasSubstr("pointsman_cache_purged_total{store=\"memory\"} 6"));
  // What is asked afterwards is kept again.
  Ask(server, "a", Greedy("one", "p"));
  EXPECT_EQ(Where(server, "a", Greedy("one", "p")), "memory");
}

TEST_F(PurgeTest, OneQuestionHoweverItWasPut) {
  TestServer server(Yaml(std::nullopt, "0"));
  const auto cacheable = [](v1::CompleteRequest request) {
    request.mutable_routing()->mutable_cache()->set_cacheable(true);
    return request;
  };
  for (const char* text : {"one", "two"}) {
    for (const char* policy : {"", "p", "q"}) {
      Ask(server, "a", Greedy(text, policy));
      Ask(server, "a", cacheable(Greedy(text, policy)));
    }
    Ask(server, "b", Greedy(text));
  }
  v1::PurgeCacheRequest request = Of("a");
  *request.mutable_request() = Greedy("one");
  EXPECT_EQ(Purged(server, request).memory_entries(), 4u);
  EXPECT_EQ(Where(server, "a", Greedy("one")), "");
  EXPECT_EQ(Where(server, "a", Greedy("one", "p")), "") << "the default";
  EXPECT_EQ(Where(server, "a", cacheable(Greedy("one"))), "");
  EXPECT_EQ(Where(server, "a", Greedy("one", "q")), "memory");
  EXPECT_EQ(Where(server, "a", Greedy("two")), "memory");
  EXPECT_EQ(Where(server, "b", Greedy("one")), "memory");
  *request.mutable_request() = Greedy("two", "q");
  EXPECT_EQ(Purged(server, request).memory_entries(), 2u);
  EXPECT_EQ(Where(server, "a", Greedy("two", "q")), "");
  EXPECT_EQ(Where(server, "a", Greedy("two", "p")), "memory");
}

TEST_F(PurgeTest, SaysWhatIsWrong) {
  TestServer server(Yaml(std::nullopt, "0"));
  v1::PurgeCacheResponse response;
  const auto code = [&](const v1::PurgeCacheRequest& request, const std::string& key = "key-of-root") {
    return Purge(server, request, response, key).error_code();
  };
  EXPECT_EQ(code(Everything(), ""), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(code(Everything(), "key-of-a"), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(code({}), grpc::StatusCode::INVALID_ARGUMENT);
  v1::PurgeCacheRequest request = Of("a");
  request.set_everything(true);
  EXPECT_EQ(code(request), grpc::StatusCode::INVALID_ARGUMENT);
  request = Of("");
  *request.mutable_request() = Greedy("one");
  EXPECT_EQ(code(request), grpc::StatusCode::INVALID_ARGUMENT) << "whose?";
  request.set_tenant("a");
  EXPECT_EQ(code(request), grpc::StatusCode::OK);
  request.set_policy("p");
  EXPECT_EQ(code(request), grpc::StatusCode::INVALID_ARGUMENT);
  request = Of("a");
  *request.mutable_request() = Greedy("one", "nobody");
  EXPECT_EQ(code(request), grpc::StatusCode::INVALID_ARGUMENT);
  request.mutable_request()->Clear();
  EXPECT_EQ(code(request), grpc::StatusCode::INVALID_ARGUMENT) << "no messages";
  EXPECT_EQ(code(Of("gone", "old")), grpc::StatusCode::OK);
  EXPECT_THAT(std::vector<std::string>(response.warnings().begin(), response.warnings().end()),
              ::testing::ElementsAre(HasSubstr("no tenant 'gone'"), HasSubstr("no policy 'old'")));
  std::string uncached = Yaml(std::nullopt);
  uncached.resize(uncached.find("cache:\n  memory"));
  TestServer without(uncached);
  EXPECT_EQ(Purge(without, Everything(), response).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(PurgeTest, TheOtherReplicaForgetsToo) {
  const testing::RedisServer redis;
  TestServer one(Yaml(At(redis.port()), "0")), two(Yaml(At(redis.port()), "0"));
  WaitUsable(one);
  WaitUsable(two);
  int entries = 0;
  for (const char* tenant : {"a", "b"}) {
    for (const char* policy : {"p", "q"}) {
      for (const char* text : {"one", "two"}) {
        Ask(one, tenant, Greedy(text, policy));
        ASSERT_TRUE(Entries(redis, ++entries));
        EXPECT_EQ(Ask(two, tenant, Greedy(text, policy)).trace().cache_store(), "redis");
      }
    }
  }
  const auto both = [&](const std::string& tenant, const v1::CompleteRequest& request, const std::string& where) {
    EXPECT_EQ(Where(one, tenant, request), where);
    EXPECT_TRUE(Eventually([&] { return Where(two, tenant, request) == where; }));
  };
  v1::PurgeCacheRequest request = Of("a");
  *request.mutable_request() = Greedy("one", "p");
  v1::PurgeCacheResponse purged = Purged(one, request);
  EXPECT_EQ(purged.memory_entries(), 1u);
  EXPECT_EQ(purged.redis_entries(), 1u);
  EXPECT_EQ(purged.redis_left(), "");
  both("a", Greedy("one", "p"), "");
  both("a", Greedy("two", "p"), "memory");
  both("b", Greedy("one", "p"), "memory");

  purged = Purged(one, Of("a"));
  EXPECT_EQ(purged.memory_entries(), 3u);
  EXPECT_EQ(purged.redis_entries(), 3u);
  both("a", Greedy("two", "p"), "");
  both("a", Greedy("two", "q"), "");
  both("b", Greedy("one", "p"), "memory");
  EXPECT_TRUE(Entries(redis, 4));

  purged = Purged(two, Of("", "q"));  // now by the other one
  EXPECT_EQ(purged.memory_entries(), 2u);
  EXPECT_EQ(purged.redis_entries(), 2u);
  EXPECT_EQ(Where(two, "b", Greedy("one", "q")), "");
  EXPECT_TRUE(Eventually([&] { return Where(one, "b", Greedy("one", "q")).empty(); }));
  both("b", Greedy("one", "p"), "memory");

  EXPECT_EQ(Purged(one, Everything()).redis_entries(), 2u);
  both("b", Greedy("one", "p"), "");
  EXPECT_TRUE(Entries(redis, 0));
  EXPECT_THAT(one.server().RenderMetrics(), HasSubstr("pointsman_cache_purged_total{store=\"redis\"} 6"));
  EXPECT_THAT(two.server().RenderMetrics(), HasSubstr("pointsman_cache_purged_total{store=\"memory\"} 8"));
  // Life goes on.
  Ask(one, "b", Greedy("one", "p"));
  ASSERT_TRUE(Entries(redis, 1));
  EXPECT_EQ(Where(two, "b", Greedy("one", "p")), "redis");
}

// The other replica's answer is under way: it ends before that replica has heard of the purge, or after.
TEST_F(PurgeTest, WhatIsUnderWayIsNotKept) {
  for (const char* interval : {"50000", "700000"}) {
    const testing::RedisServer redis;
    TestServer one(Yaml(At(redis.port()), interval)), two(Yaml(At(redis.port()), interval));
    WaitUsable(one);
    WaitUsable(two);
    const std::uint64_t before = upstream.counts().requests;
    v1::CompleteResponse theirs, own;
    std::thread other([&] { theirs = Ask(two, "a", Greedy("a question", "q")); });
    std::thread here([&] { own = Ask(one, "a", Greedy("another", "q")); });
    ASSERT_TRUE(upstream.WaitFor([&](const auto& counts) { return counts.requests == before + 2; }));
    Purged(one, Of("a"));
    // Who asks now is not given what was begun before.
    const v1::CompleteResponse late = Ask(one, "a", Greedy("another", "q"));
    here.join();
    other.join();
    EXPECT_EQ(own.trace().cache(), v1::CACHE_OUTCOME_MISS);
    EXPECT_EQ(late.trace().cache(), v1::CACHE_OUTCOME_MISS);
    EXPECT_EQ(late.trace().flight().leader_request_id(), late.id());
    EXPECT_EQ(upstream.counts().requests, before + 3);
    EXPECT_EQ(Where(one, "a", Greedy("a question", "q")), "");
    EXPECT_TRUE(Eventually([&] { return Where(two, "a", Greedy("a question", "q")).empty(); }));
    EXPECT_EQ(Where(one, "a", Greedy("another", "q")), "memory") << "the late one's";
    // The question's next answer is kept, in the place of one that may lie in Redis still.
    Ask(one, "a", Greedy("a question", "q"));
    EXPECT_TRUE(Eventually([&] { return Where(two, "a", Greedy("a question", "q")) == "redis"; }));
  }
}

TEST_F(PurgeTest, WithoutRedisItSaysThatItIsNotDone) {
  testing::RedisServer redis;
  TestServer one(Yaml(At(redis.port()), "0")), two(Yaml(At(redis.port()), "0"));
  WaitUsable(one);
  WaitUsable(two);
  Ask(one, "a", Greedy("one"));
  ASSERT_TRUE(Entries(redis, 1));
  EXPECT_EQ(Ask(two, "a", Greedy("one")).trace().cache_store(), "redis");
  redis.Kill();
  WaitUsable(one, false);
  v1::PurgeCacheResponse response;
  const grpc::Status status = Purge(one, Of("a"), response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("this process's memory alone (1 entries)"));
  EXPECT_THAT(status.error_message(), HasSubstr("Ask again when Redis is usable"));
  EXPECT_EQ(Where(one, "a", Greedy("one")), "");
  EXPECT_EQ(Where(two, "a", Greedy("one")), "memory") << "as it said";
  redis.Start();
  WaitUsable(one);
  WaitUsable(two);
  Purged(one, Of("a"));
  EXPECT_TRUE(Eventually([&] { return Where(two, "a", Greedy("one")).empty(); }));
}

// The second replica alone has no Redis while purges happen; once their log goes on where it was, once it does not.
TEST_F(PurgeTest, AReplicaThatWasCutOffCatchesUp) {
  const testing::RedisServer redis;
  ::setenv("POINTSMAN_TEST_REDIS_PASSWORD", "word", 1);
  redis.Cli({"ACL", "SETUSER", "second", "on", ">word", "~*", "&*", "+@all"});
  TestServer one(Yaml(At(redis.port()), "0"));
  TestServer two(
      Yaml(At(redis.port()) + "    username: second\n    password: {env: POINTSMAN_TEST_REDIS_PASSWORD}\n", "0"));
  WaitUsable(one);
  WaitUsable(two);
  Purged(one, Of("nobody"));
  ASSERT_TRUE(Eventually([&] { return redis.Cli({"INFO", "commandstats"}).find("xrange") != std::string::npos; }));
  const auto fill = [&] {
    for (const char* tenant : {"a", "b"}) {
      Ask(one, tenant, Greedy("one"));
      ASSERT_TRUE(Eventually([&] { return Ask(two, tenant, Greedy("one")).trace().cache_store() == "memory"; }));
    }
  };
  const auto cut = [&](bool off) {
    redis.Cli({"ACL", "SETUSER", "second", off ? "off" : "on"});
    if (off) redis.Cli({"CLIENT", "KILL", "USER", "second"});
    WaitUsable(two, !off);
  };
  fill();
  cut(true);
  EXPECT_EQ(Purged(one, Of("a")).redis_entries(), 1u);
  EXPECT_EQ(Where(two, "a", Greedy("one")), "memory") << "it cannot know";
  cut(false);
  EXPECT_TRUE(Eventually([&] { return Where(two, "a", Greedy("one")).empty(); }));
  EXPECT_EQ(Where(two, "b", Greedy("one")), "memory");

  fill();
  cut(true);
  Purged(one, Of("a"));
  redis.Cli({"DEL", "pointsman:p"});
  Purged(one, Of("nobody"));
  cut(false);
  EXPECT_TRUE(Eventually([&] { return Where(two, "a", Greedy("one")).empty(); }));
  EXPECT_NE(Where(two, "b", Greedy("one")), "memory") << "it cannot know what it missed: all is forgotten";
}

// Full, with what shall go; and names that only look like entries stay.
TEST_F(PurgeTest, AFullRedisMakesRoomForTheLog) {
  const testing::RedisServer redis;
  TestServer server(Yaml(At(redis.port()), "0"));
  WaitUsable(server);
  const std::string tag = "0123456789abcdef", key = "{" + std::string(64, 'a') + "}";
  redis.Cli({"SETRANGE", "pointsman:a:" + tag + ":" + tag + ":" + key, "8000000", "x"});
  redis.Cli({"SET", "pointsman:a:" + tag + ":" + key, "x"});
  redis.Cli({"SET", "pointsman:a:a:" + tag + ":" + tag + ":" + key, "x"});
  redis.Cli({"CONFIG", "SET", "maxmemory", "6000000"});
  ASSERT_THAT(redis.Cli({"SET", "other", "x"}), HasSubstr("OOM"));
  const v1::PurgeCacheResponse purged = Purged(server, Everything());
  EXPECT_EQ(purged.redis_entries(), 1u);
  EXPECT_EQ(purged.redis_left(), "");
  EXPECT_EQ(redis.Cli({"DBSIZE"}), "3");  // the two, and the log
}

TEST_F(PurgeTest, EveryMasterOfAClusterIsSwept) {
  testing::RedisCluster cluster;
  const std::string redis = At(cluster.nodes[0]->port()) + "    cluster: true\n";
  TestServer one(Yaml(redis, "0")), two(Yaml(redis, "0"));
  WaitUsable(one);
  WaitUsable(two);
  constexpr int kQuestions = 40;
  for (int i = 0; i < kQuestions; ++i) {
    Ask(one, "a", Greedy("question " + std::to_string(i)));
    Ask(one, "b", Greedy("question " + std::to_string(i)));
  }
  ASSERT_TRUE(Eventually([&] { return cluster.Keys() == 2 * kQuestions; }));
  for (int i = 0; i < kQuestions; ++i) Ask(two, "a", Greedy("question " + std::to_string(i)));
  const v1::PurgeCacheResponse purged = Purged(one, Of("a"));
  EXPECT_EQ(purged.memory_entries(), static_cast<std::uint64_t>(kQuestions));
  EXPECT_EQ(purged.redis_entries(), static_cast<std::uint64_t>(kQuestions));
  EXPECT_EQ(purged.redis_left(), "");
  EXPECT_EQ(cluster.Keys(), kQuestions + 1);  // and the log
  const auto found = [&](TestServer& server, const std::string& tenant) {
    int count = 0;
    for (int i = 0; i < kQuestions; ++i)
      count += !Where(server, tenant, Greedy("question " + std::to_string(i))).empty();
    return count;
  };
  EXPECT_EQ(found(one, "a"), 0);
  EXPECT_TRUE(Eventually([&] { return found(two, "a") == 0; }));
  EXPECT_EQ(found(two, "b"), kQuestions);

  // A master that refuses keeps its entries, and is named; they are given to nobody all the same.
  testing::RedisServer* refusing = nullptr;
  for (const auto& node : cluster.nodes) {
    if (node->Cli({"EXISTS", "pointsman:p"}) != "1") refusing = node.get();
  }
  ASSERT_NE(refusing, nullptr);
  const int theirs = std::atoi(refusing->Cli({"DBSIZE"}).c_str());
  ASSERT_GT(theirs, 0);
  // A replica without anything in memory: it finds them in Redis, until it has heard.
  TestServer three(Yaml(redis, "0"));
  WaitUsable(three);
  refusing->Cli({"ACL", "SETUSER", "default", "-eval"});
  const v1::PurgeCacheResponse partly = Purged(one, Of("b"));
  EXPECT_EQ(partly.redis_entries(), static_cast<std::uint64_t>(kQuestions - theirs));
  EXPECT_THAT(partly.redis_left(), HasSubstr("127.0.0.1:" + std::to_string(refusing->port()) + ": Redis: NOPERM"));
  EXPECT_TRUE(Eventually([&] { return found(three, "b") == 0; }));
  EXPECT_EQ(std::atoi(refusing->Cli({"DBSIZE"}).c_str()), theirs);
}

TEST_F(PurgeTest, TheCommandAsksAServer) {
  TestServer server(Yaml(std::nullopt, "0"));
  Ask(server, "a", Greedy("one"));
  Ask(server, "a", Greedy("two"));
  ::setenv("POINTSMAN_KEY", "key-of-root", 1);
  const auto call = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"cache", "purge", "--address", server.address()});
    return testing::CallCommand({&cli::RegisterCache}, std::move(arguments));
  };
  const testing::TempDir folder;
  const auto file = folder.Write("question.json", R"({"messages": [{"role": "ROLE_USER", "parts": [{"text": "one"}]}],
                                                      "sampling": {"temperature": 0}})");
  testing::CommandOutcome outcome = call({"--tenant", "a", "--request", file.string()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "gone: 1 from the server's memory, 0 from Redis\n");
  outcome = call({"--tenant", "a", "--policy", "old", "--json"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("\"memory_entries\":\"0\""));
  EXPECT_THAT(outcome.err, HasSubstr("warning: the configuration has no policy 'old'"));
  outcome = call({"--everything"});
  EXPECT_EQ(outcome.out, "gone: 1 from the server's memory, 0 from Redis\n");
  outcome = call({});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("says not what to forget"));
  outcome = call({"--tenant", "a", "--request", folder.Write("wrong.json", "{\"message\": 1}").string()});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("is no CompleteRequest"));
  ::unsetenv("POINTSMAN_KEY");
  EXPECT_EQ(call({"--everything"}).exit_code, 1);
}

}  // namespace
}  // namespace pointsman
