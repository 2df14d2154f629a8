// Identical requests that share one execution, on two loops of the test's own.
#include "router/pipeline/flights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <optional>
#include <thread>

#include "google/rpc/status.pb.h"
#include "router/pipeline/serve.h"
#include "tests/fakes/fake_backend.h"

namespace pointsman::pipeline {
namespace {

using fakes::FakeBackend;
using testing::ElementsAre;
using testing::HasSubstr;

// A backend that says what the test says, when the test says it, in its latest stream.
class SpokenBackend : public backends::Backend {
 public:
  explicit SpokenBackend(Loop& loop) : loop_(loop) {}

  void Say(const std::string& text) { Push(FakeBackend::Text(text)); }
  void End(v1::FinishReason reason = v1::FINISH_REASON_STOP) { Push(FakeBackend::End(reason)); }
  void Fail(Error error) { Push(std::move(error)); }

  int opened = 0, open = 0, read = 0;

  std::unique_ptr<backends::AnswerStream> Open(const v1::CompleteRequest&, bool, Deadline) override {
    return std::make_unique<Stream>(*this);
  }
  std::string Unavailable() const override { return ""; }

 private:
  using Step = Result<backends::Chunk>;

  class Stream : public backends::AnswerStream {
   public:
    explicit Stream(SpokenBackend& backend) : backend_(backend), more_(backend.loop_.get_executor()) {
      ++backend.opened;
      ++backend.open;
      backend.latest_ = this;
    }
    ~Stream() override {
      --backend_.open;
      if (backend_.latest_ == this) backend_.latest_ = nullptr;
    }
    Awaitable<Step> Next() override {
      while (steps.empty()) co_await more_.Wait();
      Step step = std::move(steps.front());
      steps.pop_front();
      ++backend_.read;
      co_return step;
    }
    void Add(Step step) {
      steps.push_back(std::move(step));
      if (more_.waiting()) more_.Resume(true);
    }
    std::deque<Step> steps;

   private:
    SpokenBackend& backend_;
    Waiter<bool> more_;
  };

  void Push(Step step) {
    ASSERT_NE(latest_, nullptr) << "nobody asked";
    latest_->Add(std::move(step));
  }

  Loop& loop_;
  Stream* latest_ = nullptr;
};

// One client and what it got.
class Client : public EventStream {
 public:
  explicit Client(Loop& loop) : reads_(loop.get_executor()) {}

  Awaitable<bool> Write(const v1::CompleteEvent& event) override {
    ++begun;
    while (!reading) co_await reads_.Wait();
    if (event.has_route()) route = event.route();
    text += event.delta().text();
    if (event.has_usage()) usage = event.usage();
    if (event.has_done()) done = event.done();
    ++events;
    co_return true;
  }
  void Leave() { signal.emit(asio::cancellation_type::terminal); }
  void Read() {
    reading = true;
    if (reads_.waiting()) reads_.Resume(true);
  }

  bool ok() const { return status && status->ok(); }
  int code() const { return status ? static_cast<int>(status->error_code()) : -1; }
  const v1::Flight& flight() const { return (done ? done->trace() : response.trace()).flight(); }

  Arrival arrival;
  v1::CompleteRequest request;
  v1::CompleteResponse response;
  asio::cancellation_signal signal;
  std::optional<grpc::Status> status;
  bool unwound = false, reading = true;
  int events = 0, begun = 0;
  std::string text;
  std::optional<v1::Trace> route;
  std::optional<v1::Usage> usage;
  std::optional<v1::Done> done;

 private:
  Waiter<bool> reads_;
};

struct FlightsTest : testing::Test {
  Loop loops[2]{Loop(1), Loop(1)};
  runtime::LiveCalls calls[2]{runtime::LiveCalls(loops[0]), runtime::LiveCalls(loops[1])};
  std::shared_ptr<config::Config> config = std::make_shared<config::Config>();
  std::vector<std::unique_ptr<backends::Backend>> backends[2];  // by loop
  SpokenBackend* first[2];
  SpokenBackend* second[2];
  admission::Admission admission{1000};
  cache::MemoryCache cache{std::size_t{8} << 20, std::chrono::seconds(60)};
  std::unique_ptr<Flights> flights = std::make_unique<Flights>(100);
  std::unique_ptr<telemetry::Metrics> metrics;
  Services services;
  std::vector<std::unique_ptr<backends::Backend>> spare;
  std::deque<Client> clients;

  FlightsTest() {
    for (const char* name : {"first", "second"}) {
      config::Expert expert;
      expert.name = name;
      expert.backend = config::LocalBackend{"m"};
      expert.price = config::Price{1.0, 2.0};
      config->experts.push_back(expert);
    }
    config::Policy policy;
    policy.name = "p";
    policy.score = config::Pinned{{0, 1}};
    config->policies = {policy};
    config->default_policy = "p";
    for (int l = 0; l < 2; ++l) {
      auto one = std::make_unique<SpokenBackend>(loops[l]), two = std::make_unique<SpokenBackend>(loops[l]);
      first[l] = one.get();
      second[l] = two.get();
      backends[l].push_back(std::move(one));
      backends[l].push_back(std::move(two));
    }
    services.snapshot = MakeSnapshot(config, nullptr);
    metrics = std::make_unique<telemetry::Metrics>(services.snapshot->names, [] { return telemetry::Gauges(); });
    services.admission = &admission;
    services.cache = &cache;
    services.metrics = metrics.get();
    services.flights = flights.get();
  }
  ~FlightsTest() override {
    for (Client& client : clients) {
      if (!client.status) client.Leave();
    }
    for (auto& each : calls) each.EndAll(runtime::Ending::kShutdown);
    Poll();
    EXPECT_EQ(flights->size(), 0u);
    for (auto& each : calls) EXPECT_TRUE(each.empty());
    for (int l = 0; l < 2; ++l) EXPECT_EQ(first[l]->open + second[l]->open, 0);
    EXPECT_EQ(admission.in_flight(), 0);
  }

  // Until nothing happens any more.
  void Poll() {
    std::size_t ran = 1;
    while (ran > 0) {
      ran = 0;
      for (Loop& loop : loops) {
        loop.restart();
        ran += loop.poll();
      }
    }
  }

  static v1::CompleteRequest Greedy(const std::string& text = "hello") {
    v1::CompleteRequest request;
    v1::Message* message = request.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text(text);
    request.mutable_sampling()->set_temperature(0);
    return request;
  }

  Client& Ask(bool streaming, int loop = 0, const v1::CompleteRequest& request = Greedy(), bool reading = true) {
    Client& client = clients.emplace_back(loops[loop]);
    client.reading = reading;
    client.arrival.request_id = "r" + std::to_string(clients.size());
    client.arrival.time = Clock::now();
    client.arrival.deadline = client.arrival.time + std::chrono::minutes(1);
    client.request = request;
    ShardParts parts{backends[loop]};
    parts.calls = &calls[loop];
    auto body = Serve(services, parts, client.arrival, client.request, streaming ? &client : nullptr, client.response);
    auto ended = [&client](const std::exception_ptr& error, grpc::Status status) {
      client.unwound = error != nullptr;
      client.status = error ? grpc::Status(grpc::StatusCode::ABORTED, "unwound") : std::move(status);
    };
    asio::co_spawn(loops[loop], std::move(body), asio::bind_cancellation_slot(client.signal.slot(), std::move(ended)));
    Poll();
    return client;
  }
  std::string Counted(const char* role) const {
    const std::string page = metrics->Render();
    const std::string name = std::string("pointsman_flights_total{role=\"") + role + "\"} ";
    const std::size_t at = page.find(name);
    return at == std::string::npos ? "none" : page.substr(at + name.size(), page.find('\n', at) - at - name.size());
  }
};

TEST_F(FlightsTest, FollowersGetTheTokensAsTheyCome) {
  Client& leader = Ask(true);
  first[0]->Say("He");
  Poll();
  Client& near = Ask(true, 0);
  Client& far = Ask(true, 1);
  Client& whole = Ask(false, 1);
  EXPECT_EQ(leader.text, "He");
  EXPECT_EQ(near.text, "He");
  EXPECT_EQ(far.text, "He");
  first[0]->Say("llo");
  Poll();
  EXPECT_EQ(leader.text, "Hello");
  EXPECT_EQ(far.text, "Hello");
  EXPECT_FALSE(far.status);
  EXPECT_FALSE(whole.status);
  first[0]->End();
  Poll();
  for (Client* client : {&leader, &near, &far}) {
    ASSERT_TRUE(client->ok());
    EXPECT_EQ(client->text, "Hello");
    EXPECT_EQ(client->done->expert(), "first");
    EXPECT_EQ(client->done->trace().request_id(), client->arrival.request_id);
    EXPECT_EQ(client->route->request_id(), client->arrival.request_id);
    EXPECT_EQ(client->route->plan().ask().candidates(0).expert(), "first");
    EXPECT_EQ(client->done->trace().attempts_size(), 1);
    EXPECT_EQ(client->done->trace().cache(), v1::CACHE_OUTCOME_MISS);
    EXPECT_EQ(client->flight().leader_request_id(), "r1");
  }
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole.response.message().parts(0).text(), "Hello");
  EXPECT_EQ(whole.response.id(), "r4");
  EXPECT_EQ(leader.flight().role(), "leader");
  EXPECT_EQ(far.flight().role(), "follower");
  EXPECT_GT(leader.usage->cost_usd(), 0);
  EXPECT_EQ(far.usage->cost_usd(), 0);
  EXPECT_EQ(far.usage->cached_tokens(), far.usage->prompt_tokens());
  EXPECT_EQ(first[0]->opened, 1);
  EXPECT_EQ(first[1]->opened, 0);
  EXPECT_EQ(Counted("leader"), "1");
  EXPECT_EQ(Counted("follower"), "3");
  // It is in the memory now, and no flight is left.
  EXPECT_EQ(flights->size(), 0u);
  EXPECT_EQ(Ask(true, 1).done->trace().cache(), v1::CACHE_OUTCOME_EXACT);
  EXPECT_EQ(cache.stats().misses, 4u);
}

// Who asks after a purge is not given what was begun before it, and what was begun before it is not kept.
TEST_F(FlightsTest, APurgeBeginsANewTime) {
  cache::Purges purges(&cache, services.snapshot->answers);
  services.purges = &purges;
  const std::uint64_t tenant = cache::TenantTag("", admission::kDefaultTenant);
  Client& early = Ask(true);
  first[0]->Say("old");
  Poll();
  purges.Add({.tenant = tenant});
  Client& late = Ask(true, 1);
  EXPECT_EQ(first[1]->opened, 1);
  EXPECT_EQ(late.flight().role(), "");
  first[0]->End();
  Poll();
  EXPECT_TRUE(early.ok());
  EXPECT_EQ(cache.stats().entries, 0u);
  first[1]->Say("new");
  first[1]->End();
  Poll();
  EXPECT_TRUE(late.ok());
  EXPECT_EQ(late.text, "new");
  EXPECT_EQ(cache.stats().entries, 1u);
  const Client& hit = Ask(true);
  EXPECT_EQ(hit.done->trace().cache(), v1::CACHE_OUTCOME_EXACT);
  EXPECT_EQ(hit.text, "new");
  // One of somebody else changes nothing for what is under way.
  Client& other = Ask(true, 0, Greedy("another"));
  purges.Add({.tenant = tenant + 1});
  first[0]->Say("kept");
  first[0]->End();
  Poll();
  EXPECT_TRUE(other.ok());
  EXPECT_EQ(cache.stats().entries, 2u);
  services.purges = nullptr;
}

TEST_F(FlightsTest, GoesOnWhenTheClientThatBeganItGoes) {
  Client& leader = Ask(true);
  Client& follower = Ask(true, 1);
  first[0]->Say("He");
  Poll();
  leader.Leave();
  Poll();
  EXPECT_TRUE(leader.unwound);
  EXPECT_EQ(first[0]->open, 1);
  first[0]->Say("llo");
  first[0]->End();
  Poll();
  EXPECT_TRUE(follower.ok());
  EXPECT_EQ(follower.text, "Hello");
  EXPECT_EQ(first[0]->opened, 1);
}

TEST_F(FlightsTest, IsCancelledWhenTheLastClientLeaves) {
  for (int i = 0; i < 50; ++i) {
    Client& leader = Ask(i % 2 == 0, 0);
    Client& follower = Ask(i % 3 == 0, 1);
    if (i % 5 < 3) first[0]->Say("He");
    Poll();
    leader.Leave();
    Poll();
    EXPECT_EQ(first[0]->open, 1);
    follower.Leave();
    Poll();
    EXPECT_EQ(first[0]->open, 0);
    EXPECT_EQ(flights->size(), 0u);
    EXPECT_TRUE(calls[0].empty());
  }
  EXPECT_EQ(first[0]->opened, 50);
}

TEST_F(FlightsTest, OneFollowerTakesOverAfterAFailure) {
  Client& leader = Ask(true);
  Client& one = Ask(true, 1);
  Client& two = Ask(false, 1);
  first[0]->Fail(Unavailable("down"));
  Poll();
  second[0]->Fail(Unavailable("down too"));
  Poll();
  EXPECT_EQ(leader.code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(one.status);
  EXPECT_FALSE(two.status);
  EXPECT_EQ(first[1]->opened, 1);  // not one each
  first[1]->Say("Hello");
  first[1]->End();
  Poll();
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(one.text, "Hello");
  EXPECT_EQ(two.response.message().parts(0).text(), "Hello");
  EXPECT_THAT((std::vector<std::string>{one.flight().role(), two.flight().role()}),
              testing::UnorderedElementsAre("takeover", "follower"));
  EXPECT_EQ(one.flight().leader_request_id(), two.flight().leader_request_id());
  EXPECT_EQ(Counted("takeover"), "1");
}

TEST_F(FlightsTest, ASecondFailureIsEverybodys) {
  std::vector<Client*> all;
  for (int i = 0; i < 6; ++i) all.push_back(&Ask(i % 2 == 0));
  for (int round = 0; round < 2; ++round) {
    first[0]->Fail(Unavailable("down"));
    Poll();
    second[0]->Fail(Unavailable("down too"));
    Poll();
  }
  for (Client* client : all) EXPECT_EQ(client->code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(first[0]->opened, 2);
}

TEST_F(FlightsTest, AFailureAloneIsNotTriedAgain) {
  Client& only = Ask(true);
  first[0]->Fail(Unavailable("down"));
  Poll();
  second[0]->Fail(Unavailable("down too"));
  Poll();
  EXPECT_EQ(only.code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(first[0]->opened, 1);
}

TEST_F(FlightsTest, TheCallersFaultIsEverybodysAtOnce) {
  Client& leader = Ask(true);
  Client& follower = Ask(true, 1);
  first[0]->Fail(InvalidArgument("", "no such thing"));
  Poll();
  EXPECT_EQ(leader.code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(follower.code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(first[0]->opened + first[1]->opened, 1);
}

TEST_F(FlightsTest, AfterContentTheErrorIsThatOfThoseWhoSawIt) {
  Client& leader = Ask(true);
  Client& saw = Ask(true, 1);
  Client& whole = Ask(false, 1);
  first[0]->Say("He");
  Poll();
  first[0]->Fail(Unavailable("reset"));
  Poll();
  EXPECT_EQ(leader.code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(saw.code(), grpc::StatusCode::UNAVAILABLE);
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(saw.status->error_details()));
  v1::PartialAnswer partial;
  ASSERT_TRUE(rich.details(rich.details_size() - 1).UnpackTo(&partial));
  EXPECT_EQ(partial.text_bytes(), 2u);
  EXPECT_EQ(partial.expert(), "first");
  EXPECT_EQ(second[0]->opened, 0);
  ASSERT_FALSE(whole.status);
  first[1]->Say("Hello");
  first[1]->End();
  Poll();
  EXPECT_TRUE(whole.ok());
  EXPECT_EQ(whole.flight().role(), "takeover");
}

TEST_F(FlightsTest, WhatNobodyHasSeenMayFallBack) {
  Client& whole = Ask(false);
  first[0]->Say("broken ");
  Poll();
  Client& late = Ask(false, 1);
  first[0]->Fail(Unavailable("reset"));
  Poll();
  ASSERT_EQ(second[0]->opened, 1);
  Client& streamed = Ask(true, 1);
  second[0]->Say("good");
  second[0]->End();
  Poll();
  EXPECT_EQ(whole.response.message().parts(0).text(), "good");
  EXPECT_EQ(late.response.message().parts(0).text(), "good");
  EXPECT_EQ(streamed.text, "good");
}

TEST_F(FlightsTest, OnlyTheSameQuestionOfTheSameTenantIsShared) {
  for (const char* name : {"a", "b"}) {
    config::Tenant tenant;
    tenant.name = name;
    tenant.key = std::string("key-of-") + name;
    config->tenants.push_back(tenant);
  }
  services.snapshot = MakeSnapshot(config, nullptr);
  const auto ask = [&](const char* key, const v1::CompleteRequest& request) {
    Client& client = clients.emplace_back(loops[0]);
    client.arrival.authorization = std::string("Bearer ") + key;
    client.arrival.deadline = Clock::now() + std::chrono::minutes(1);
    client.arrival.time = Clock::now();
    client.request = request;
    ShardParts parts{backends[0]};
    parts.calls = &calls[0];
    auto body = Serve(services, parts, client.arrival, client.request, &client, client.response);
    auto ended = [&client](const std::exception_ptr&, grpc::Status status) { client.status = std::move(status); };
    asio::co_spawn(loops[0], std::move(body), asio::bind_cancellation_slot(client.signal.slot(), std::move(ended)));
    Poll();
  };
  ask("key-of-a", Greedy());
  EXPECT_EQ(first[0]->opened, 1);
  ask("key-of-b", Greedy());
  EXPECT_EQ(first[0]->opened, 2);
  ask("key-of-a", Greedy("another"));
  EXPECT_EQ(first[0]->opened, 3);
  ask("key-of-a", Greedy());
  EXPECT_EQ(first[0]->opened, 3);
}

TEST_F(FlightsTest, WhatMayNotBeKeptIsNotShared) {
  v1::CompleteRequest sampled = Greedy();
  sampled.mutable_sampling()->set_temperature(1);
  v1::CompleteRequest fresh = Greedy();
  fresh.mutable_routing()->mutable_cache()->set_no_cache(true);
  for (const auto& request : {sampled, fresh}) {
    const int before = first[0]->opened;
    Ask(true, 0, request);
    Ask(true, 0, request);
    EXPECT_EQ(first[0]->opened, before + 2);
  }
  EXPECT_EQ(flights->size(), 0u);
}

// Whether it may be kept depends on who answers: known only after the decision.
TEST_F(FlightsTest, IsDissolvedWhenTheDecisionForbidsIt) {
  config->experts[0].sampling.temperature = 0;
  services.snapshot = MakeSnapshot(config, nullptr);
  v1::CompleteRequest request = Greedy();
  request.clear_sampling();
  EXPECT_EQ(Ask(true, 0, request).flight().role(), "");
  Ask(true, 1, request);
  EXPECT_EQ(first[0]->opened + first[1]->opened, 1);  // shared: first is greedy
  request.mutable_routing()->set_expert("second");
  Client& leader = Ask(true, 0, request);
  Client& other = Ask(true, 1, request);
  EXPECT_EQ(second[0]->opened, 1);
  EXPECT_EQ(second[1]->opened, 1);
  second[0]->Say("one");
  second[0]->End();
  second[1]->Say("another");
  second[1]->End();
  Poll();
  EXPECT_EQ(leader.text, "one");
  EXPECT_EQ(other.text, "another");
  EXPECT_EQ(leader.done->trace().cache(), v1::CACHE_OUTCOME_NOT_CACHEABLE);
  EXPECT_FALSE(leader.done->trace().has_flight());
}

TEST_F(FlightsTest, AboveTheBoundRequestsRunByThemselves) {
  flights = std::make_unique<Flights>(1);
  services.flights = flights.get();
  Ask(true, 0, Greedy("one"));
  Client& alone = Ask(true, 0, Greedy("two"));
  EXPECT_EQ(first[0]->opened, 2);
  first[0]->Say("Hello");
  first[0]->End();
  Poll();
  EXPECT_TRUE(alone.ok());
  EXPECT_EQ(Counted("alone"), "1");
}

TEST_F(FlightsTest, ShutdownEndsThemAndNobodyTakesOver) {
  Client& leader = Ask(true);
  Client& follower = Ask(true, 1);
  calls[0].EndAll(runtime::Ending::kShutdown);
  Poll();
  EXPECT_EQ(leader.code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(follower.code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(follower.status->error_message(), HasSubstr("shutting down"));
  EXPECT_EQ(first[0]->opened + first[1]->opened, 1);
  EXPECT_TRUE(calls[0].empty());
}

TEST_F(FlightsTest, TheFastestReaderSetsThePace) {
  const std::string much(400 << 10, 'x');
  Client& slow = Ask(true, 0, Greedy(), false);
  for (int i = 0; i < 10; ++i) first[0]->Say(much);
  Poll();
  EXPECT_LE(first[0]->read, 4);  // it waits for its only reader
  Client& fast = Ask(true, 1);
  EXPECT_EQ(first[0]->read, 10);
  EXPECT_EQ(fast.text.size(), 10 * much.size());
  EXPECT_EQ(slow.events, 0);
  first[0]->End();
  Poll();
  EXPECT_TRUE(fast.ok());
  EXPECT_FALSE(slow.status);
  slow.Read();
  Poll();
  EXPECT_TRUE(slow.ok());
  EXPECT_EQ(slow.text, fast.text);
}

// Who wants it whole is no reader of tokens, and waits for the end.
TEST_F(FlightsTest, AWholeAnswerWaitsForNoReader) {
  const std::string much(400 << 10, 'x');
  Client& whole = Ask(false);
  for (int i = 0; i < 10; ++i) first[0]->Say(much);
  Poll();
  EXPECT_EQ(first[0]->read, 10);
  first[0]->End();
  Poll();
  EXPECT_EQ(whole.response.message().parts(0).text().size(), 10 * much.size());
}

// Answers with its requests' text, a byte at a time, and lets others run in between.
class EchoBackend : public backends::Backend {
 public:
  EchoBackend(Loop& loop, std::atomic<int>& opened, std::atomic<int>& open)
      : loop_(loop), opened_(opened), open_(open) {}

  std::unique_ptr<backends::AnswerStream> Open(const v1::CompleteRequest& request, bool, Deadline) override {
    ++opened_;
    return std::make_unique<Stream>(*this, request.messages(0).parts(0).text());
  }
  std::string Unavailable() const override { return ""; }

 private:
  class Stream : public backends::AnswerStream {
   public:
    Stream(EchoBackend& backend, std::string text) : backend_(backend), text_(std::move(text)) { ++backend_.open_; }
    ~Stream() override { --backend_.open_; }
    Awaitable<Result<backends::Chunk>> Next() override {
      for (int i = 0; i < 5; ++i) co_await asio::post(backend_.loop_.get_executor(), kAwait);
      if (at_ == text_.size()) co_return FakeBackend::End();
      co_return FakeBackend::Text(text_.substr(at_++, 1));
    }

   private:
    EchoBackend& backend_;
    const std::string text_;
    std::size_t at_ = 0;
  };

  Loop& loop_;
  std::atomic<int>&opened_, &open_;
};

// Two threads, many clients, of which every third goes away early.
TEST_F(FlightsTest, HoldsUnderThreads) {
  constexpr int kClients = 3000, kSame = 20;
  std::atomic<int> opened{0}, open{0}, ended{0}, answered{0}, wrong{0};
  for (int l = 0; l < 2; ++l) {
    backends[l].clear();
    for (int e = 0; e < 2; ++e) backends[l].push_back(std::make_unique<EchoBackend>(loops[l], opened, open));
    auto one = std::make_unique<SpokenBackend>(loops[l]);  // for the end of the test
    first[l] = second[l] = one.get();
    spare.push_back(std::move(one));
  }
  admission::Admission wide(kClients);
  services.admission = &wide;
  flights = std::make_unique<Flights>(kClients);
  services.flights = flights.get();
  std::deque<Client> many;
  std::vector<std::thread> threads;
  for (int c = 0; c < kClients; ++c) {
    const int l = c % 2;
    Client& client = many.emplace_back(loops[l]);
    client.arrival.request_id = "r" + std::to_string(c);
    client.arrival.time = Clock::now();
    client.arrival.deadline = client.arrival.time + std::chrono::minutes(1);
    client.request = Greedy("question " + std::to_string(c / kSame));
    asio::post(loops[l], [&, c, l] {
      ShardParts parts{backends[l]};
      parts.calls = &calls[l];
      Client& mine = many[static_cast<std::size_t>(c)];
      const bool streaming = c % 5 != 0;
      auto body = Serve(services, parts, mine.arrival, mine.request, streaming ? &mine : nullptr, mine.response);
      auto done = [&, c, streaming](const std::exception_ptr& error, const grpc::Status& status) {
        Client& self = many[static_cast<std::size_t>(c)];
        self.unwound = true;
        ++ended;
        if (error) return;
        const std::string& text = streaming ? self.text : self.response.message().parts(0).text();
        if (status.ok() && text == self.request.messages(0).parts(0).text()) {
          ++answered;
        } else {
          ++wrong;
        }
      };
      asio::co_spawn(loops[l], std::move(body), asio::bind_cancellation_slot(mine.signal.slot(), std::move(done)));
      if (c % 3 != 0) return;
      const auto leave = [&, c] {
        Client& self = many[static_cast<std::size_t>(c)];
        if (!self.unwound) self.Leave();
      };
      asio::post(loops[l], leave);
    });
  }
  for (Loop& loop : loops) {
    threads.emplace_back([&] {
      const auto work = asio::make_work_guard(loop);
      while (ended < kClients || open > 0) loop.run_for(std::chrono::milliseconds(1));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(answered, kClients / 2);
  EXPECT_LE(opened, 2 * kClients / kSame);
  std::printf("%d requests, %d answered, %d executions\n", kClients, answered.load(), opened.load());
  services.admission = &admission;
}

}  // namespace
}  // namespace pointsman::pipeline
