#include "router/cache/purges.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "router/cache/purge_log.h"

namespace pointsman::cache {
namespace {

using std::chrono::seconds;

Subject Of(std::uint64_t tenant, std::uint64_t policy = 1) { return {{tenant, policy}, {}}; }
Purge Tenant(std::uint64_t tenant) { return {.tenant = tenant}; }

// Nobody else reads.
void Read(Purges& purges, const std::vector<Purges::Logged>& log) { purges.Read(log, purges.read()); }

TEST(Purges, WhatWasBegunBeforeOneIsTakenByIt) {
  Purges purges(nullptr, 1);
  const std::uint64_t before = purges.now().count;
  EXPECT_FALSE(purges.Since(before, Of(1)));
  const std::uint64_t one = purges.Add(Tenant(1));
  EXPECT_TRUE(purges.Since(before, Of(1)));
  EXPECT_FALSE(purges.Since(before, Of(2)));
  EXPECT_FALSE(purges.Since(one, Of(1))) << "it was begun after";
  EXPECT_EQ(purges.now().count, one);
  purges.Add(Tenant(2));
  EXPECT_TRUE(purges.Since(one, Of(2)));
  EXPECT_FALSE(purges.Since(one, Of(1)));
}

TEST(Purges, EntriesOfRedisGoByThePlaceInTheLog) {
  Purges purges(nullptr, 1);
  Read(purges, {{10, Tenant(1)}, {20, Tenant(2)}});
  EXPECT_EQ(purges.now().position, 20u);
  EXPECT_TRUE(purges.After(0, Of(1)));
  EXPECT_TRUE(purges.After(9, Of(1)));
  EXPECT_FALSE(purges.After(10, Of(1)));
  EXPECT_TRUE(purges.After(10, Of(2)));
  EXPECT_FALSE(purges.After(20, Of(2)));
  EXPECT_FALSE(purges.After(30, Of(2))) << "a replica that is ahead of us stored it";
  EXPECT_FALSE(purges.After(0, Of(3)));
  purges.Add(Tenant(3));
  EXPECT_FALSE(purges.After(0, Of(3))) << "Redis was not told";
}

TEST(Purges, TheSameReadTwiceCountsOnce) {
  Purges purges(nullptr, 1);
  Read(purges, {{10, Tenant(1)}, {20, Tenant(2)}});
  const std::uint64_t count = purges.now().count;
  Read(purges, {{20, Tenant(2)}});
  Read(purges, {{10, Tenant(1)}, {20, Tenant(2)}});
  EXPECT_EQ(purges.now().count, count);
  Read(purges, {{20, Tenant(2)}, {30, Tenant(3)}});
  EXPECT_EQ(purges.now().count, count + 1);
  // Replies that come late, to who asked before somebody else read on.
  purges.Read({{10, Tenant(1)}, {20, Tenant(2)}}, 10);
  purges.Read({{10, Tenant(1)}}, 10);
  purges.Read({}, 0);
  EXPECT_EQ(purges.now().count, count + 1);
  EXPECT_EQ(purges.now().position, 30u);
  purges.Read({{30, Tenant(3)}, {40, Tenant(4)}}, 20);
  EXPECT_EQ(purges.now().position, 40u);
}

// Its last place is not in the log any more: nobody knows what was there in between.
TEST(Purges, WhoMayHaveMissedSomeForgetsEverything) {
  Purges purges(nullptr, 1);
  Read(purges, {{10, Tenant(1)}});
  const std::uint64_t count = purges.now().count;
  Read(purges, {{30, Tenant(2)}, {40, Tenant(3)}});
  EXPECT_TRUE(purges.Since(count, Of(9)));
  EXPECT_TRUE(purges.After(39, Of(9)));
  EXPECT_FALSE(purges.After(40, Of(9)));
  EXPECT_EQ(purges.now().position, 40u);
}

TEST(Purges, ALogThatIsGoneIsBegunAnew) {
  Purges purges(nullptr, 1);
  Read(purges, {});
  EXPECT_EQ(purges.now().count, 0u) << "there was none";
  Read(purges, {{10, Tenant(1)}});
  const std::uint64_t count = purges.now().count;
  Read(purges, {});
  EXPECT_TRUE(purges.Since(count, Of(9)));
  EXPECT_EQ(purges.read(), 0u);
  EXPECT_EQ(purges.now().position, 10u);
  Read(purges, {});
  Read(purges, {});
  EXPECT_EQ(purges.now().count, count + 1) << "it is emptied once";
  Read(purges, {{20, Tenant(2)}});
  EXPECT_TRUE(purges.After(10, Of(2)));
  EXPECT_FALSE(purges.After(10, Of(1)));
}

// A failover to a Redis that had not got the last purge, and has the entries again: who heard of it knows better.
TEST(Purges, OneThatTheLogHasLostIsRemembered) {
  Purges purges(nullptr, 1);
  Read(purges, {{10, Tenant(1)}, {20, Tenant(2)}});
  Read(purges, {});  // nothing from 20 on
  Read(purges, {{10, Tenant(1)}});
  EXPECT_EQ(purges.read(), 10u);
  EXPECT_TRUE(purges.After(10, Of(2)));
  EXPECT_FALSE(purges.After(10, Of(1)));
  EXPECT_FALSE(purges.After(purges.now().position, Of(2))) << "its own, from now on";
}

TEST(Purges, WhoComesToAFullLogKnowsThatItsBeginningIsLost) {
  std::vector<Purges::Logged> log;
  for (Position p = 0; p < Purges::kMost; ++p) log.push_back({100 + p, Tenant(1)});
  Purges full(nullptr, 1), fuller(nullptr, 1);
  Read(full, {log.begin() + 1, log.end()});
  EXPECT_FALSE(full.After(0, Of(9)));
  Read(fuller, log);
  EXPECT_TRUE(fuller.After(99, Of(9)));
  EXPECT_FALSE(fuller.After(100, Of(9)));
}

TEST(Purges, WhatIsOlderThanItRemembersIsTaken) {
  Purges purges(nullptr, 1);
  Read(purges, {{10, Tenant(1)}});
  for (std::size_t i = 0; i < Purges::kMost + 5; ++i) purges.Add(Tenant(1));
  EXPECT_TRUE(purges.Since(1, Of(9)));
  EXPECT_FALSE(purges.Since(10, Of(9)));
  EXPECT_TRUE(purges.After(9, Of(9)));
  EXPECT_FALSE(purges.After(10, Of(9)));
}

struct PurgesMemoryTest : testing::Test {
  Loop loop{1};
  MemoryCache memory{64 << 20, seconds(60)};
  Purges purges{&memory, 7};

  static Key Question(int number) {
    v1::CompleteRequest request;
    request.set_tool_choice(std::to_string(number));
    return HashQuestion("a secret", "tenant", request, false);
  }
  void Store(int number, Tags tags) {
    auto response = std::make_shared<v1::CompleteResponse>();
    response->mutable_message()->add_parts()->set_text("an answer");
    memory.Store(VersionKey(Question(number), 7), std::move(response), {}, tags);
  }
  bool Has(int number) { return memory.Find(VersionKey(Question(number), 7), {}, {}).has_value(); }
  // How many turns of the loop it took.
  std::size_t Forget() {
    asio::co_spawn(loop, purges.ForgetInMemory(), asio::detached);
    loop.restart();
    return loop.run();
  }
};

TEST_F(PurgesMemoryTest, ForgetsWhatItTakesAndNothingElse) {
  for (int i = 0; i < 40; ++i) Store(i, {static_cast<std::uint64_t>(i % 2), static_cast<std::uint64_t>(i % 5)});
  const std::uint64_t one = purges.Add({.tenant = 1});
  Forget();
  for (int i = 0; i < 40; ++i) EXPECT_EQ(Has(i), i % 2 == 0) << i;
  EXPECT_EQ(purges.GoneBy(one), 20u);
  Read(purges, {{50, {.policy = 2}}});
  Forget();
  for (int i = 0; i < 40; ++i) EXPECT_EQ(Has(i), i % 2 == 0 && i % 5 != 2) << i;
  EXPECT_EQ(purges.GoneByLogged(50), 4u);
  const std::uint64_t asked = purges.Add({.questions = {Question(0), Question(4), Question(1)}});
  Forget();
  EXPECT_FALSE(Has(0));
  EXPECT_FALSE(Has(4));
  EXPECT_TRUE(Has(6));
  EXPECT_EQ(purges.GoneBy(asked), 2u);
  purges.Add({});
  Forget();
  EXPECT_EQ(memory.stats().entries, 0u);
  EXPECT_EQ(memory.stats().bytes, 0u);
  EXPECT_EQ(purges.memory_entries(), 40u);
  EXPECT_EQ(Forget(), Forget()) << "nothing is left to do";
}

TEST_F(PurgesMemoryTest, GivesOthersTheirTurn) {
  for (int i = 0; i < 50'000; ++i) Store(i, {});
  ASSERT_EQ(memory.stats().entries, 50'000u);
  purges.Add({});
  EXPECT_GT(Forget(), 40u) << "in pieces of a thousand or so";
  EXPECT_EQ(memory.stats().entries, 0u);
}

TEST_F(PurgesMemoryTest, AFloodOfThemIsBounded) {
  Store(1, {1, 1});
  for (std::size_t i = 0; i < 3 * Purges::kMost; ++i) purges.Add({.tenant = 2});
  Forget();
  EXPECT_FALSE(Has(1)) << "those that were given up are made up for by one that takes everything";
  Store(1, {1, 1});
  Forget();
  EXPECT_TRUE(Has(1));
}

TEST(PurgeLog, PlacesAreIdsOfTheStream) {
  EXPECT_EQ(IdOf(PositionOf("1526919030474-55")), "1526919030474-55");
  EXPECT_EQ(IdOf(PositionOf("1-0")), "1-0");
  EXPECT_LT(PositionOf("1-9"), PositionOf("2-0"));
  EXPECT_LT(PositionOf("2-0"), PositionOf("2-1"));
  for (const char* wrong : {"", "12", "-1", "12-", "a-1", "1-a", "1-99999999"}) EXPECT_EQ(PositionOf(wrong), 0u);
}

}  // namespace
}  // namespace pointsman::cache
