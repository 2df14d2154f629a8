// Leases in a real redis-server, alone and under flights of two replicas.
#include "router/cache/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <functional>
#include <optional>

#include "router/pipeline/serve.h"
#include "tests/fakes/fake_backend.h"
#include "tests/support/loop_runner.h"
#include "tests/support/redis_server.h"

namespace pointsman::cache {
namespace {

using fakes::FakeBackend;

// A process: its own connection, cache and flights.
struct Replica {
  Replica(Loop& loop, int port, std::chrono::milliseconds timeout)
      : owned(std::make_unique<redis::Client>(loop.get_executor(), OptionsFor(port, timeout), health)),
        client(*owned),
        stored(client, "p", std::chrono::seconds(60)),
        calls(loop) {
    auto made = std::make_unique<FakeBackend>(loop);
    backend = made.get();
    backends.push_back(std::move(made));
    config::Expert expert;
    expert.name = "first";
    expert.backend = config::LocalBackend{"m"};
    config->experts.push_back(expert);
    config::Policy policy;
    policy.name = "p";
    policy.score = config::Pinned{{0}};
    config->policies = {policy};
    config->default_policy = "p";
    services.snapshot = pipeline::MakeSnapshot(config, nullptr);
    metrics = std::make_unique<telemetry::Metrics>(services.snapshot->names, [] { return telemetry::Gauges(); });
    services.admission = &admission;
    services.metrics = metrics.get();
    services.flights = &flights;
    services.cache_secret = "the same";
  }
  static redis::Options OptionsFor(int port, std::chrono::milliseconds timeout) {
    redis::Options options;
    options.addresses = {{"127.0.0.1", port}};
    options.timeout = timeout;
    return options;
  }

  redis::Health health;
  std::unique_ptr<redis::Client> owned;
  redis::Client& client;
  RedisCache stored;
  runtime::LiveCalls calls;
  std::shared_ptr<config::Config> config = std::make_shared<config::Config>();
  FakeBackend* backend;
  std::vector<std::unique_ptr<backends::Backend>> backends;
  admission::Admission admission{100};
  pipeline::Flights flights{100};
  std::unique_ptr<telemetry::Metrics> metrics;
  pipeline::Services services;
};

struct Asked {
  pipeline::Arrival arrival;
  v1::CompleteRequest request;
  v1::CompleteResponse response;
  asio::cancellation_signal signal;
  std::optional<grpc::Status> status;
};

struct LeaseTest : ::testing::Test {
  testing::RedisServer redis;
  Loop loop{1};
  Replica one{loop, redis.port(), std::chrono::milliseconds(2000)};
  Replica two{loop, redis.port(), std::chrono::milliseconds(2000)};
  Key key{};
  std::deque<Asked> asked;

  LeaseTest() {
    key.fill(7);
    Until([&] { return one.client.usable() && two.client.usable(); });
  }
  ~LeaseTest() override {
    one.calls.EndAll(runtime::Ending::kShutdown);
    two.calls.EndAll(runtime::Ending::kShutdown);
    Until([&] { return one.calls.empty() && two.calls.empty(); });
    // Within the loop's run, where their coroutines unwind.
    asio::post(loop, [this] {
      one.owned.reset();
      two.owned.reset();
    });
    loop.restart();
    loop.poll();
  }
  void Until(const std::function<bool()>& condition) {
    const auto limit = Clock::now() + std::chrono::seconds(30);
    loop.restart();
    while (!condition()) {
      ASSERT_LT(Clock::now(), limit);
      loop.run_one_for(std::chrono::milliseconds(10));
    }
  }
  Lease::Found Find(Replica& replica, const char* token) {
    return testing::RunOn(loop, Lease::Find(replica.stored, Place{key, {}}, std::nullopt, token));
  }
  bool Free() {
    bool free = false;
    Until([&] { return free = redis.Cli({"KEYS", "p:l:*"}).empty(); });
    return free;
  }
  Asked& Ask(Replica& replica) {
    Asked& a = asked.emplace_back();
    a.arrival.request_id = "r" + std::to_string(asked.size());
    a.arrival.time = Clock::now();
    a.arrival.deadline = a.arrival.time + std::chrono::minutes(1);
    v1::Message* message = a.request.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text("hello");
    a.request.mutable_sampling()->set_temperature(0);
    pipeline::ShardParts parts{replica.backends};
    parts.redis = &replica.stored;
    parts.calls = &replica.calls;
    auto body = pipeline::Serve(replica.services, parts, a.arrival, a.request, nullptr, a.response);
    auto ended = [&a](const std::exception_ptr& error, grpc::Status status) {
      a.status = error ? grpc::Status(grpc::StatusCode::ABORTED, "unwound") : std::move(status);
    };
    asio::co_spawn(loop, std::move(body), asio::bind_cancellation_slot(a.signal.slot(), std::move(ended)));
    return a;
  }
};

// A Redis that was a replica for a while has refused to delete it. Nobody waits for oneself.
TEST_F(LeaseTest, WhatIsLeftOverIsItsOwnersAgain) {
  const std::string owner(Lease::kOwnerBytes, 'a');
  Lease::Found mine = Find(one, (owner + "1").c_str());
  ASSERT_NE(mine.lease, nullptr);
  redis.Cli({"REPLICAOF", "127.0.0.1", "1"});
  mine.lease.reset();
  Until([&] { return one.client.last_refusal().starts_with("READONLY"); });
  redis.Cli({"REPLICAOF", "NO", "ONE"});
  const Lease::Found theirs = Find(two, (std::string(Lease::kOwnerBytes, 'b') + "1").c_str());
  EXPECT_TRUE(theirs.elsewhere);
  const Lease::Found again = Find(one, (owner + "2").c_str());
  EXPECT_FALSE(again.elsewhere);
  EXPECT_NE(again.lease, nullptr);
}

TEST_F(LeaseTest, OneHasItUntilItIsGivenBack) {
  Lease::Found mine = Find(one, "token of one");
  ASSERT_NE(mine.lease, nullptr);
  const int left = std::atoi(redis.Cli({"PTTL", redis.Cli({"KEYS", "p:l:*"})}).c_str());
  EXPECT_GT(left, 1000);
  EXPECT_LE(left, Lease::kTime.count());
  const Lease::Found theirs = Find(two, "token of two");
  EXPECT_EQ(theirs.lease, nullptr);
  EXPECT_TRUE(theirs.elsewhere);
  mine.lease.reset();
  EXPECT_TRUE(Free());
  EXPECT_NE(Find(two, "token of two").lease, nullptr);
}

TEST_F(LeaseTest, OnlyItsHolderGivesItBack) {
  Lease::Found mine = Find(one, "token of one");
  ASSERT_NE(mine.lease, nullptr);
  const std::string name = redis.Cli({"KEYS", "p:l:*"});
  redis.Cli({"SET", name, "somebody else's"});
  mine.lease.reset();
  const std::vector<std::string_view> ping = {"PING"};
  ASSERT_TRUE(testing::RunOn(loop, one.client.Ask(ping)));
  EXPECT_EQ(redis.Cli({"GET", name}), "somebody else's");
}

TEST_F(LeaseTest, AnAnswerIsFoundAlsoWhereNothingCanBeWritten) {
  v1::CompleteResponse response;
  response.set_id("r9");
  one.stored.Store(Place{key, {}}, response);
  Until([&] { return redis.Cli({"DBSIZE"}) == "1"; });
  const auto found = [&] {
    const Lease::Found answer = Find(two, "token");
    return answer.entry ? answer.entry->response->id() : "none";
  };
  EXPECT_EQ(found(), "r9");
  EXPECT_TRUE(Free());
  redis.Cli({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(found(), "r9");
  key.fill(8);
  const Lease::Found none = Find(two, "token");
  EXPECT_FALSE(none.entry || none.lease || none.elsewhere);
}

TEST_F(LeaseTest, TwoReplicasAskOnce) {
  one.backend->Script({FakeBackend::Text("He"), FakeBackend::Stall()});
  two.backend->Answer("Hello");
  Asked& leader = Ask(one);
  Until([&] { return one.backend->opened == 1; });
  Asked& waiting = Ask(two);
  Until([&] { return !redis.Cli({"KEYS", "p:l:*"}).empty(); });
  const auto later = Clock::now() + std::chrono::milliseconds(200);
  Until([&] { return Clock::now() > later; });
  EXPECT_EQ(two.backend->opened, 0);
  EXPECT_FALSE(waiting.status);
  // The leader's client goes: the other one takes the lease.
  leader.signal.emit(asio::cancellation_type::terminal);
  Until([&] { return waiting.status.has_value(); });
  EXPECT_TRUE(waiting.status->ok());
  EXPECT_EQ(two.backend->opened, 1);
  EXPECT_EQ(one.backend->open, 0);
  EXPECT_GT(waiting.response.trace().flight().wait_milliseconds(), 100);
  EXPECT_TRUE(Free());
  Asked& third = Ask(one);
  Until([&] { return third.status.has_value(); });
  EXPECT_EQ(third.response.trace().cache_store(), "redis");
  EXPECT_EQ(one.backend->opened, 1);
}

TEST_F(LeaseTest, WithoutRedisEverybodyGoesOnAtOnce) {
  one.backend->Script({FakeBackend::Text("He"), FakeBackend::Stall()});
  two.backend->Answer("Hello");
  Ask(one);
  Until([&] { return one.backend->opened == 1; });
  Asked& waiting = Ask(two);
  const auto later = Clock::now() + std::chrono::milliseconds(50);
  Until([&] { return Clock::now() > later; });
  EXPECT_FALSE(waiting.status);
  redis.Kill();
  Until([&] { return waiting.status.has_value(); });
  EXPECT_TRUE(waiting.status->ok());
  EXPECT_EQ(two.backend->opened, 1);
}

}  // namespace
}  // namespace pointsman::cache
