// The client against a real redis-server.
#include "router/redis/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <thread>

#include "tests/support/child.h"
#include "tests/support/loop_runner.h"
#include "tests/support/redis_server.h"

namespace pointsman::redis {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

struct RedisTest : ::testing::Test {
  Loop loop{1};
  Health health, other;

  std::vector<std::unique_ptr<Client>> clients;

  Client& Make(Options options, Health& watched) {
    clients.push_back(std::make_unique<Client>(loop.get_executor(), std::move(options), watched));
    return *clients.back();
  }
  // Clients go within the loop's run, where their coroutines unwind.
  void TearDown() override {
    asio::post(loop, [this] { clients.clear(); });
    loop.restart();
    loop.poll();
  }
  Options OptionsFor(int port) {
    Options options;
    options.addresses = {{"127.0.0.1", port}};
    options.timeout = milliseconds(2000);  // the machine may be busy
    return options;
  }
  // Runs the loop until the condition holds.
  void Until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    loop.restart();
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      loop.run_one_for(milliseconds(10));
    }
  }
  Result<Reply> Ask(Client& client, std::vector<std::string_view> words) {
    return testing::RunOn(loop, client.Ask(words));
  }
};

TEST_F(RedisTest, CommandsHaveReplies) {
  const testing::RedisServer server;
  Client& client = Make(OptionsFor(server.port()), health);
  EXPECT_FALSE(client.usable());
  Until([&] { return client.usable(); });
  EXPECT_TRUE(health.usable());
  const std::string bytes("a\0b\r\n\xff", 6);
  auto set = Ask(client, {"SET", "key", bytes});
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->kind, Reply::Kind::kStatus);
  EXPECT_EQ(set->text, "OK");
  EXPECT_EQ(Ask(client, {"GET", "key"})->text, bytes);
  EXPECT_TRUE(Ask(client, {"GET", "other"})->nil());
  EXPECT_EQ(Ask(client, {"INCR", "n"})->integer, 1);
  const auto all = Ask(client, {"MGET", "key", "other"});
  ASSERT_EQ(all->elements.size(), 2u);
  EXPECT_TRUE(all->elements[1].nil());
  const auto wrong = Ask(client, {"INCR", "key"});
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->kind, Reply::Kind::kError);
  EXPECT_EQ(health.counts().errors, 1u);
  EXPECT_EQ(health.counts().replies, 6u);
}

TEST_F(RedisTest, ManyCommandsAreUnderWayAtOnce) {
  const testing::RedisServer server;
  Client& client = Make(OptionsFor(server.port()), health);
  Until([&] { return client.usable(); });
  int done = 0;
  const auto one = [](Client& c, int i, int& count) -> Awaitable<void> {
    const std::string key = std::to_string(i), value = "value of " + key;
    const std::array<std::string_view, 3> set = {"SET", key, value};
    const std::array<std::string_view, 2> get = {"GET", key};
    EXPECT_TRUE(c.Tell(set));
    const Result<Reply> reply = co_await c.Ask(get);
    EXPECT_TRUE(reply.ok());
    EXPECT_EQ(reply.ok() ? reply->text : "", value);
    ++count;
  };
  for (int i = 0; i < 1000; ++i) asio::co_spawn(loop, one(client, i, done), [](const std::exception_ptr&) {});
  Until([&] { return done == 1000; });
  EXPECT_EQ(server.Cli({"DBSIZE"}), "1000");
}

TEST_F(RedisTest, PasswordUserAndDatabase) {
  const testing::RedisServer server({"--requirepass", "secret", "--user", "router", "on", ">word", "~*", "+@all"});
  Options options = OptionsFor(server.port());
  {
    Client& client = Make(options, health);
    Until([&] { return health.why_not().find("NOAUTH") != std::string::npos; });
    EXPECT_FALSE(client.usable());
  }
  options.login.password = "wrong";
  {
    Make(options, health);
    Until([&] { return health.why_not().find("the login is refused") != std::string::npos; });
  }
  options.login = {"router", "word", 3};
  Client& client = Make(options, health);
  Until([&] { return client.usable(); });
  ASSERT_TRUE(Ask(client, {"SET", "key", "x"}));
  EXPECT_THAT(server.Cli({"-a", "secret", "--no-auth-warning", "INFO", "keyspace"}), HasSubstr("db3:keys=1"));
}

TEST_F(RedisTest, AServerThatIsKilledComesBack) {
  testing::RedisServer server;
  Client& client = Make(OptionsFor(server.port()), health);
  Until([&] { return client.usable(); });
  server.Kill();
  Until([&] { return !client.usable(); });
  EXPECT_FALSE(health.usable());
  EXPECT_THAT(health.why_not(), HasSubstr(std::to_string(server.port())));
  const auto start = Clock::now();
  const auto reply = Ask(client, {"GET", "key"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(1));  // far from the time limit of two
  EXPECT_GE(health.counts().unavailable, 1u);
  server.Start();
  Until([&] { return client.usable(); });
  EXPECT_TRUE(Ask(client, {"SET", "key", "x"}));
  EXPECT_EQ(health.counts().changes, 3u);
}

TEST_F(RedisTest, WaitingCommandsEndWhenTheConnectionDoes) {
  testing::RedisServer server;
  Client& client = Make(OptionsFor(server.port()), health);
  Until([&] { return client.usable(); });
  server.Freeze();
  std::optional<Result<Reply>> reply;
  const std::array<std::string_view, 2> get = {"GET", "key"};
  asio::co_spawn(loop, testing::Store(client.Ask(get, milliseconds(60'000)), reply), [](const std::exception_ptr&) {});
  loop.restart();
  loop.run_for(milliseconds(20));
  EXPECT_FALSE(reply);
  server.Kill();
  Until([&] { return reply.has_value(); });
  ASSERT_FALSE(*reply);
  EXPECT_EQ(reply->error().code, Code::kUnavailable);
}

TEST_F(RedisTest, AFrozenServerIsAskedThreeTimesAndThenNotUntilItAnswers) {
  testing::RedisServer server;
  Options options = OptionsFor(server.port());
  options.timeout = milliseconds(5);
  Client& client = Make(options, health);
  Until([&] { return client.usable(); });
  server.Freeze();
  for (unsigned i = 0; i < Client::kSlowInARow; ++i) {
    const auto reply = Ask(client, {"SET", "late", std::to_string(i)});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::kDeadlineExceeded);
  }
  EXPECT_FALSE(client.usable());
  EXPECT_THAT(health.why_not(), HasSubstr("does not answer in time"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(client, {"GET", "key"}).error().code, Code::kUnavailable);
  EXPECT_EQ(health.counts().timeouts, Client::kSlowInARow);
  server.Thaw();
  Until([&] { return client.usable(); });
  // The late replies were swallowed: this one is its own.
  const auto reply = testing::RunOn(loop, [](Client& c) -> Awaitable<Result<Reply>> {
    const std::array<std::string_view, 2> echo = {"ECHO", "mine"};
    co_return co_await c.Ask(echo, std::chrono::milliseconds(20'000));
  }(client));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text, "mine");
}

TEST_F(RedisTest, AServerThatIsNotThereYetIsFoundLater) {
  const int port = testing::FreePort();
  Client& client = Make(OptionsFor(port), health);
  Until([&] { return health.why_not().find("refused") != std::string::npos; });
  const testing::RedisServer server({}, port);
  Until([&] { return client.usable(); });
}

TEST_F(RedisTest, ANameIsResolved) {
  const testing::RedisServer server;
  Options options = OptionsFor(server.port());
  options.addresses = {{"localhost", server.port()}};
  Client& client = Make(options, health);
  Until([&] { return client.usable(); });
  options.addresses = {{"no-such-host.invalid", server.port()}};
  Make(options, other);
  Until([&] { return other.why_not().find("resolved") != std::string::npos; });
}

// Someone who talks, but not Redis.
TEST_F(RedisTest, GarbageClosesTheConnection) {
  asio::ip::tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
  const auto talk = [](asio::ip::tcp::acceptor& from) -> Awaitable<void> {
    while (true) {
      auto socket = co_await from.async_accept(kAwait);
      const std::string_view garbage = "HTTP/1.1 400 Bad Request\r\n\r\n";
      co_await asio::async_write(socket, asio::buffer(garbage), kAwait);
    }
  };
  asio::co_spawn(loop, talk(acceptor), [](const std::exception_ptr&) {});
  Client& client = Make(OptionsFor(acceptor.local_endpoint().port()), health);
  Until([&] { return health.why_not().find("Protocol error") != std::string::npos; });
  EXPECT_FALSE(client.usable());
  EXPECT_FALSE(Ask(client, {"GET", "key"}));
}

TEST_F(RedisTest, ACancelledWaitLeavesTheOthersTheirReplies) {
  testing::RedisServer server;
  Client& client = Make(OptionsFor(server.port()), health);
  Until([&] { return client.usable(); });
  server.Freeze();
  asio::cancellation_signal signal;
  bool cancelled = false;
  std::optional<Result<Reply>> second;
  const std::array<std::string_view, 2> one = {"ECHO", "one"}, two = {"ECHO", "two"};
  std::optional<Result<Reply>> first;
  asio::co_spawn(
      loop, testing::Store(client.Ask(one, milliseconds(60'000)), first),
      asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& e) { cancelled = e != nullptr; }));
  asio::co_spawn(loop, testing::Store(client.Ask(two, milliseconds(60'000)), second), [](const std::exception_ptr&) {});
  loop.restart();
  loop.run_for(milliseconds(20));
  signal.emit(asio::cancellation_type::terminal);
  Until([&] { return cancelled; });
  server.Thaw();
  Until([&] { return second.has_value(); });
  ASSERT_TRUE(*second);
  EXPECT_EQ((*second)->text, "two");
}

// As in a program that ends: connected, and while it looks for a server.
TEST_F(RedisTest, TheClientMayGoWithTheLoop) {
  const testing::RedisServer server;
  Loop other_loop{1};
  {
    Client connected(other_loop.get_executor(), OptionsFor(server.port()), health);
    Client lost(other_loop.get_executor(), OptionsFor(testing::FreePort()), other);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!connected.usable() || other.why_not().find("refused") == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      other_loop.run_one_for(milliseconds(10));
    }
  }
}

TEST_F(RedisTest, TheClientMayGoWhileOthersWait) {
  testing::RedisServer server;
  Client& client = Make(OptionsFor(server.port()), health);
  Until([&] { return client.usable(); });
  server.Freeze();
  std::optional<Result<Reply>> reply;
  const std::array<std::string_view, 2> get = {"GET", "key"};
  asio::co_spawn(loop, testing::Store(client.Ask(get, milliseconds(60'000)), reply), [](const std::exception_ptr&) {});
  loop.restart();
  loop.run_for(milliseconds(20));
  asio::post(loop, [this] { clients.clear(); });
  Until([&] { return reply.has_value(); });
  EXPECT_FALSE(*reply);
}

}  // namespace
}  // namespace pointsman::redis
