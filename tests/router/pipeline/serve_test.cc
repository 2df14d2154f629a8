// The whole life of a request on a loop of the test's own, with scripted experts: commit point, fallback, cache,
// statuses.
#include "router/pipeline/serve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/fakes/fake_backend.h"
#include "tests/fakes/fake_embedder.h"
#include "tests/support/encoder_head.h"

namespace pointsman::pipeline {
namespace {

using fakes::FakeBackend;
using testing::ElementsAre;
using testing::HasSubstr;

class RecordingStream : public EventStream {
 public:
  Awaitable<bool> Write(const v1::CompleteEvent& event) override {
    events.push_back(event);
    co_return !gone;
  }
  std::vector<std::string> Kinds() const {
    std::vector<std::string> kinds;
    for (const auto& event : events) {
      switch (event.event_case()) {
        case v1::CompleteEvent::kRoute: kinds.push_back("route"); break;
        case v1::CompleteEvent::kDelta: kinds.push_back("delta:" + event.delta().text()); break;
        case v1::CompleteEvent::kToolCall: kinds.push_back("tool_call"); break;
        case v1::CompleteEvent::kUsage: kinds.push_back("usage"); break;
        case v1::CompleteEvent::kDone: kinds.push_back("done:" + event.done().expert()); break;
        default: kinds.push_back("?");
      }
    }
    return kinds;
  }
  std::vector<v1::CompleteEvent> events;
  bool gone = false;
};

struct ServeTest : testing::Test {
  Loop loop{1};
  std::shared_ptr<config::Config> config = std::make_shared<config::Config>();
  std::vector<std::unique_ptr<backends::Backend>> backends;
  FakeBackend* first;
  FakeBackend* second;
  admission::Admission admission{10};
  std::unique_ptr<cache::MemoryCache> cache = std::make_unique<cache::MemoryCache>(1 << 20, std::chrono::seconds(60));
  std::unique_ptr<telemetry::Metrics> metrics;
  Services services;
  Arrival arrival;
  v1::CompleteRequest request;
  v1::CompleteResponse response;
  RecordingStream stream;
  asio::cancellation_signal signal;

  ServeTest() {
    for (const char* name : {"first", "second"}) {
      config::Expert expert;
      expert.name = name;
      expert.backend = config::LocalBackend{"m"};
      config->experts.push_back(expert);
      auto backend = std::make_unique<FakeBackend>(loop);
      (config->experts.size() == 1 ? first : second) = backend.get();
      backends.push_back(std::move(backend));
    }
    config->experts[0].price = config::Price{1.0, 2.0};
    config::Policy policy;
    policy.name = "p";
    policy.score = config::Pinned{{0, 1}};
    config->policies = {policy};
    config->default_policy = "p";
    services.snapshot = MakeSnapshot(config, nullptr);
    metrics = std::make_unique<telemetry::Metrics>(services.snapshot->names, [] { return telemetry::Gauges(); });
    services.admission = &admission;
    services.cache = cache.get();
    services.metrics = metrics.get();
    arrival.request_id = "r1";
    arrival.time = Clock::now();
    arrival.deadline = arrival.time + std::chrono::hours(1);
    v1::Message* message = request.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text("hello");
  }

  // Runs the request until it ends, or until nothing happens any more (then nullopt).
  std::optional<grpc::Status> Run(bool streaming) {
    outcome.reset();
    response.Clear();
    stream.events.clear();
    auto body = Serve(services, ShardParts{backends}, arrival, request, streaming ? &stream : nullptr, response);
    auto done = [this](std::exception_ptr error, grpc::Status status) {
      outcome = error ? grpc::Status(grpc::StatusCode::ABORTED, "unwound") : status;
    };
    asio::co_spawn(loop, std::move(body), asio::bind_cancellation_slot(signal.slot(), done));
    loop.restart();
    loop.poll();
    return outcome;
  }
  std::optional<grpc::Status> outcome;
};

TEST_F(ServeTest, AnswersWhole) {
  first->Script({FakeBackend::Text("He"), FakeBackend::Text("llo"), FakeBackend::End()});
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.message().parts(0).text(), "Hello");
  EXPECT_EQ(response.message().role(), v1::ROLE_ASSISTANT);
  EXPECT_EQ(response.expert(), "first");
  EXPECT_EQ(response.id(), "r1");
  EXPECT_EQ(response.usage().completion_tokens(), 5u);
  EXPECT_DOUBLE_EQ(response.usage().cost_usd(), (10 * 1.0 + 5 * 2.0) / 1e6);
  ASSERT_EQ(response.trace().attempts_size(), 1);
  EXPECT_EQ(response.trace().attempts(0).outcome(), "ok");
  EXPECT_EQ(admission.in_flight(), 0);
}

TEST_F(ServeTest, StreamsInTheOrderOfTheContract) {
  first->Script({FakeBackend::Text("He"), FakeBackend::Text("llo"), FakeBackend::End()});
  ASSERT_TRUE(Run(true)->ok());
  EXPECT_THAT(stream.Kinds(), ElementsAre("route", "delta:He", "delta:llo", "usage", "done:first"));
  EXPECT_EQ(stream.events[0].route().plan().ask().candidates(0).expert(), "first");
}

TEST_F(ServeTest, FallsBackBeforeTheFirstToken) {
  first->Fail(Unavailable("connection refused"));
  second->Answer("yes");
  ASSERT_TRUE(Run(true)->ok());
  EXPECT_THAT(stream.Kinds(), ElementsAre("route", "delta:yes", "usage", "done:second"));
  const v1::Trace& trace = stream.events.back().done().trace();
  ASSERT_EQ(trace.attempts_size(), 2);
  EXPECT_EQ(trace.attempts(0).outcome(), "retryable_elsewhere");
  EXPECT_EQ(trace.attempts(0).message(), "connection refused");
  EXPECT_EQ(trace.attempts(1).outcome(), "ok");
}

TEST_F(ServeTest, DoesNotFallBackAfterTheFirstToken) {
  first->Script({FakeBackend::Text("He"), Unavailable("reset by peer")});
  second->Answer("never");
  auto status = Run(true);
  EXPECT_EQ(status->error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(stream.Kinds(), ElementsAre("route", "delta:He"));
  EXPECT_EQ(second->opened, 0);
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(status->error_details()));
  v1::PartialAnswer partial;
  ASSERT_TRUE(rich.details(rich.details_size() - 1).UnpackTo(&partial));
  EXPECT_EQ(partial.deltas(), 1u);
  EXPECT_EQ(partial.text_bytes(), 2u);
  EXPECT_EQ(partial.expert(), "first");
}

TEST_F(ServeTest, AWholeAnswerMayFallBackUntilItsEnd) {
  first->Script({FakeBackend::Text("broken "), Unavailable("reset by peer")});
  second->Answer("whole");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.message().parts(0).text(), "whole");
}

TEST_F(ServeTest, TriesALostConnectionOnceMore) {
  Error lost(ErrorClass::kRetryHere, Code::kUnavailable, "closed before it answered");
  first->Fail(lost);
  first->Answer("again");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.expert(), "first");
  first->Fail(lost);
  first->Fail(lost);
  second->Answer("elsewhere");
  request.mutable_routing()->mutable_cache()->set_no_cache(true);
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.expert(), "second");
}

TEST_F(ServeTest, TheCallersFaultEndsIt) {
  first->Fail(InvalidArgument("response_format.json_schema", "unknown type"));
  auto status = Run(false);
  EXPECT_EQ(status->error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(second->opened, 0);
}

TEST_F(ServeTest, SaysWhyEveryExpertFailed) {
  first->Fail(Unavailable("connection refused"));
  second->Fail(Unavailable("HTTP 503"));
  auto status = Run(false);
  EXPECT_EQ(status->error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status->error_message(), HasSubstr("first: connection refused"));
  EXPECT_THAT(status->error_message(), HasSubstr("second: HTTP 503"));
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(status->error_details()));
  EXPECT_EQ(rich.details_size(), 2);
}

TEST_F(ServeTest, OverloadEverywhereIsResourceExhausted) {
  Error busy(ErrorClass::kRetryElsewhere, Code::kResourceExhausted, "queue full");
  busy.retry_after = std::chrono::seconds(3);
  first->Fail(busy);
  second->Fail(busy);
  auto status = Run(false);
  EXPECT_EQ(status->error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(status->error_details()));
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(rich.details(0).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 3);
}

TEST_F(ServeTest, APromptTooLongForAllIsTheCallersFault) {
  Error long_prompt(ErrorClass::kRetryElsewhere, Code::kInvalidArgument,
                    "the prompt has 3000 tokens, the context 2048");
  first->Fail(long_prompt);
  second->Fail(long_prompt);
  EXPECT_EQ(Run(false)->error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServeTest, RefusesWhenFull) {
  std::vector<admission::Ticket> taken;
  for (int i = 0; i < 10; ++i) taken.push_back(*admission.Admit());
  EXPECT_EQ(Run(false)->error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(first->opened, 0);
}

TEST_F(ServeTest, RefusesWhatIsTooLate) {
  arrival.deadline = arrival.time - std::chrono::seconds(1);
  EXPECT_EQ(Run(false)->error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(first->opened, 0);
}

TEST_F(ServeTest, CancellationUnwindsEverything) {
  for (int i = 0; i < 50; ++i) {
    first->Script({FakeBackend::Text("He"), FakeBackend::Stall()});
    EXPECT_FALSE(Run(i % 2 == 0));
    EXPECT_EQ(first->open, 1);
    EXPECT_EQ(admission.in_flight(), 1);
    signal.emit(asio::cancellation_type::terminal);
    loop.restart();
    loop.poll();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->error_code(), grpc::StatusCode::ABORTED);
    EXPECT_EQ(first->open, 0);
    EXPECT_EQ(admission.in_flight(), 0);
  }
}

TEST_F(ServeTest, StopsWhenTheClientIsGone) {
  stream.gone = true;
  EXPECT_EQ(Run(true)->error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(first->opened, 0);
}

TEST_F(ServeTest, CachesDeterministicAnswersOnly) {
  first->Answer("sampled");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.trace().cache(), v1::CACHE_OUTCOME_NOT_CACHEABLE);

  request.mutable_sampling()->set_temperature(0);
  first->Answer("greedy");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.trace().cache(), v1::CACHE_OUTCOME_MISS);

  arrival.request_id = "r2";
  ASSERT_TRUE(Run(true)->ok());
  EXPECT_THAT(stream.Kinds(), ElementsAre("route", "delta:greedy", "usage", "done:first"));
  const v1::Trace& trace = stream.events.back().done().trace();
  EXPECT_EQ(trace.cache(), v1::CACHE_OUTCOME_EXACT);
  EXPECT_EQ(trace.cached_request_id(), "r1");
  EXPECT_EQ(trace.request_id(), "r2");
  EXPECT_EQ(stream.events[2].usage().cost_usd(), 0);
  EXPECT_EQ(stream.events[2].usage().cached_tokens(), 10u);
  EXPECT_EQ(first->opened, 2);
}

TEST_F(ServeTest, AnOptInToCachingDoesNotServeThoseWhoDidNot) {
  request.mutable_routing()->mutable_cache()->set_cacheable(true);
  first->Answer("kept");
  ASSERT_TRUE(Run(false)->ok());
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.trace().cache(), v1::CACHE_OUTCOME_EXACT);
  request.mutable_routing()->clear_cache();
  first->Answer("fresh");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.message().parts(0).text(), "fresh");
}

TEST_F(ServeTest, APolicyMayAgreeToSampledAnswers) {
  config->policies[0].cache.sampled = true;
  first->Answer("kept");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.trace().cache(), v1::CACHE_OUTCOME_MISS);
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.trace().cache(), v1::CACHE_OUTCOME_EXACT);
  // A request says no for itself.
  request.mutable_routing()->mutable_cache()->set_no_cache(true);
  first->Answer("fresh");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.message().parts(0).text(), "fresh");
  // And where the policy does not agree any more, its answers are not given to who did not either.
  config->policies[0].cache.sampled = false;
  request.mutable_routing()->clear_cache();
  first->Answer("another");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.message().parts(0).text(), "another");
}

TEST_F(ServeTest, APolicyMayKeepNothing) {
  config->policies[0].cache.off = true;
  request.mutable_sampling()->set_temperature(0);
  for (int i = 0; i < 2; ++i) {
    first->Answer("fresh");
    ASSERT_TRUE(Run(false)->ok());
    EXPECT_EQ(response.trace().cache(), v1::CACHE_OUTCOME_NOT_CACHEABLE);
  }
  EXPECT_EQ(first->opened, 2);
  EXPECT_EQ(cache->stats().entries, 0u);
  EXPECT_THAT(metrics->Render(), ::testing::HasSubstr("pointsman_cache_lookups_total{result=\"off\"} 2"));
}

TEST_F(ServeTest, APolicySaysHowLongItsAnswersMayBeGiven) {
  config->policies[0].cache.ttl = std::chrono::seconds(30);
  request.mutable_sampling()->set_temperature(0);
  first->Answer("early");
  ASSERT_TRUE(Run(false)->ok());
  const Clock::time_point stored = arrival.time;
  arrival.time = stored + std::chrono::seconds(20);
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.message().parts(0).text(), "early");
  arrival.time = stored + std::chrono::seconds(40);
  arrival.deadline = arrival.time + std::chrono::hours(1);
  first->Answer("late");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.message().parts(0).text(), "late");
}

TEST_F(ServeTest, AnUnknownPolicyIsRefusedWithACacheToo) {
  request.mutable_sampling()->set_temperature(0);
  request.mutable_routing()->set_policy("nobody");
  EXPECT_EQ(Run(false)->error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServeTest, NeverCachesACutAnswer) {
  request.mutable_sampling()->set_temperature(0);
  first->Script({FakeBackend::Text("cut"), FakeBackend::End(v1::FINISH_REASON_LENGTH)});
  ASSERT_TRUE(Run(false)->ok());
  first->Answer("whole");
  ASSERT_TRUE(Run(false)->ok());
  EXPECT_EQ(response.message().parts(0).text(), "whole");
}

TEST_F(ServeTest, ReportsUnknownNames) {
  request.mutable_routing()->set_policy("q");
  auto status = Run(false);
  EXPECT_EQ(status->error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status->error_message(), "routing.policy: unknown policy 'q'; known: p");
}

// Says the same of every text: a is a little likelier than b.
class UnsureClassifier : public classifier::Classifier {
 public:
  policies::Evidence Classify(std::string_view text) const override {
    policies::Evidence evidence;
    evidence.categories = names_;
    evidence.probabilities = {0.4F, 0.35F, 0.25F};
    evidence.entropy = 1;
    evidence.entropy_threshold = 2;
    evidence.bytes_read = evidence.bytes_total = text.size();
    return evidence;
  }
  std::vector<std::pair<std::string, double>> Explain(std::string_view, std::size_t, std::size_t) const override {
    return {};
  }
  const std::vector<std::string>& categories() const override { return names_; }
  std::string_view checksum() const override { return "small-classifier"; }

 private:
  std::vector<std::string> names_ = {"a", "b", "c"};
};

struct EncoderLaneServeTest : ServeTest {
  fakes::FakeEmbedder::Script script;
  config::EncoderLane lane_config;
  std::unique_ptr<classifier::EncoderLane> lane;

  EncoderLaneServeTest() {
    config->policies[0].score = config::CategoryMap{{{"a", {0}}, {"b", {1}}, {"general", {0}}}};
    services.snapshot = MakeSnapshot(config, std::make_shared<UnsureClassifier>(), {}, "head");
    metrics = std::make_unique<telemetry::Metrics>(services.snapshot->names, [] { return telemetry::Gauges(); });
    services.metrics = metrics.get();
    services.cache = nullptr;
    lane_config.timeout = std::chrono::milliseconds(20);
    // Only the regression counts, and it is sure of b for this embedding.
    v1::EncoderHead head = testing_support::SmallHead();
    head.set_fast_weight(0);
    head.set_linear_weight(1);
    head.set_neighbour_weight(0);
    head.set_temperature(1);
    head.set_bias(1, 20);
    script.embedding = testing_support::Unit({1, 0, 0, 0, 0, 0, 0, 0});
    auto shared = std::make_shared<const classifier::EncoderHead>(head, "head", std::nullopt);
    lane = std::make_unique<classifier::EncoderLane>(shared, std::make_unique<fakes::FakeEmbedder>(loop, script),
                                                     lane_config);
    first->Answer("of first");
    second->Answer("of second");
  }

  grpc::Status RunWithLane(classifier::EncoderLane* used) {
    std::optional<grpc::Status> ended;
    auto body = Serve(services, ShardParts{backends, used}, arrival, request, nullptr, response);
    asio::co_spawn(loop, std::move(body), [&](std::exception_ptr, grpc::Status status) { ended = status; });
    loop.restart();
    loop.run();
    return *ended;
  }
  const v1::Evidence& evidence() const { return response.trace().evidence(); }
};

TEST_F(EncoderLaneServeTest, TheSecondOpinionDecides) {
  ASSERT_TRUE(RunWithLane(lane.get()).ok());
  EXPECT_EQ(response.expert(), "second");
  EXPECT_EQ(evidence().likeliest(), "b");
  EXPECT_EQ(evidence().categories_size(), 3);
  EXPECT_TRUE(evidence().second_opinion().used());
  EXPECT_EQ(evidence().second_opinion().fast_likeliest(), "a");
  EXPECT_NEAR(evidence().second_opinion().fast_probability(), 0.4, 1e-6);
  EXPECT_NEAR(evidence().second_opinion().confidence(), 0.05, 1e-6);
  EXPECT_GT(evidence().second_opinion().threshold(), 0.05);
  EXPECT_EQ(script.asked, std::vector<std::string>{"hello"});
  EXPECT_THAT(metrics->Render(), HasSubstr("pointsman_escalations_total{outcome=\"refined\"} 1"));
  EXPECT_THAT(metrics->Render(), HasSubstr("pointsman_encoder_duration_seconds_count 1"));
}

TEST_F(EncoderLaneServeTest, AfterTheTimeBudgetTheFastAnswerDecides) {
  script.stall = true;
  ASSERT_TRUE(RunWithLane(lane.get()).ok());
  EXPECT_EQ(response.expert(), "first");
  EXPECT_EQ(evidence().likeliest(), "a");
  EXPECT_FALSE(evidence().second_opinion().used());
  EXPECT_EQ(evidence().second_opinion().failure(), "the encoder did not answer within 20 ms");
  EXPECT_GE(evidence().second_opinion().milliseconds(), 20);
  EXPECT_THAT(metrics->Render(), HasSubstr("pointsman_escalations_total{outcome=\"timeout\"} 1"));
}

TEST_F(EncoderLaneServeTest, OverItsShareTheFastAnswerDecides) {
  int refined = 0;
  for (int i = 0; i < 40; ++i) {
    first->Answer("of first");
    second->Answer("of second");
    ASSERT_TRUE(RunWithLane(lane.get()).ok());
    refined += evidence().has_second_opinion();
    EXPECT_EQ(evidence().has_second_opinion(), response.expert() == "second");
  }
  EXPECT_GE(refined, 10);
  EXPECT_LE(refined, 18);
  EXPECT_THAT(metrics->Render(), HasSubstr("outcome=\"over_budget\"} " + std::to_string(40 - refined)));
}

TEST_F(EncoderLaneServeTest, WithoutALaneNothingIsAsked) {
  ASSERT_TRUE(RunWithLane(nullptr).ok());
  EXPECT_EQ(response.expert(), "first");
  EXPECT_FALSE(evidence().has_second_opinion());
  EXPECT_TRUE(script.asked.empty());
}

TEST_F(EncoderLaneServeTest, ADryRunAsksToo) {
  v1::Trace trace;
  auto body = Decide(services, arrival, request, trace, lane.get());
  asio::co_spawn(loop, std::move(body), [](std::exception_ptr, const grpc::Status&) {});
  loop.run();
  EXPECT_EQ(trace.evidence().likeliest(), "b");
  EXPECT_EQ(first->opened + second->opened, 0);
}

TEST_F(ServeTest, DecideRunsNothing) {
  v1::Trace trace;
  auto body = Decide(services, arrival, request, trace);
  std::optional<grpc::Status> decided;
  asio::co_spawn(loop, std::move(body), [&](std::exception_ptr, grpc::Status status) { decided = status; });
  loop.poll();
  ASSERT_TRUE(decided && decided->ok());
  EXPECT_EQ(trace.plan().ask().candidates_size(), 2);
  EXPECT_EQ(trace.policy(), "p");
  EXPECT_EQ(first->opened, 0);
  EXPECT_EQ(trace.attempts_size(), 0);
}

}  // namespace
}  // namespace pointsman::pipeline
