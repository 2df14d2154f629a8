// Ensembles, cascades and replies from request to answer, with experts that answer by script.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <cmath>

#include "router/offline/fit_classifier.h"
#include "router/offline/train_gate.h"
#include "router/pipeline/serve.h"
#include "tests/fakes/fake_backend.h"
#include "tests/support/gates.h"
#include "tests/support/temp_dir.h"

namespace pointsman::pipeline {
namespace {

using fakes::FakeBackend;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TextStream : public EventStream {
 public:
  Awaitable<bool> Write(const v1::CompleteEvent& event) override {
    text += event.delta().text();
    logprobs += event.delta().logprobs_size();
    if (event.has_done()) trace = event.done().trace();
    co_return true;
  }
  std::string text;
  int logprobs = 0;
  v1::Trace trace;
};

// One token with the dispersions of a local expert.
backends::Chunk Token(const std::string& text, double dispersion) {
  backends::Chunk chunk = FakeBackend::Text(text);
  v1::TokenLogprob& token = chunk.logprobs.emplace_back();
  token.set_token(text);
  token.set_logprob(std::log(0.5));
  token.set_variance_dispersion(dispersion);
  token.set_entropy_dispersion(dispersion);
  return chunk;
}

// The token of a multiple-choice answer: option A with probability `a`, B with the rest.
backends::Chunk OptionToken(const std::string& text, double a) {
  backends::Chunk chunk = Token(text, 0.5);
  for (const auto& [letter, p] : {std::pair("A", a), {"B", 1 - a}}) {
    v1::TopToken& top = *chunk.logprobs[0].add_top();
    top.set_token(letter);
    top.set_logprob(std::log(p));
  }
  return chunk;
}

struct PlansTest : ::testing::Test {
  Loop loop{1};
  std::shared_ptr<config::Config> config = std::make_shared<config::Config>();
  std::vector<std::unique_ptr<backends::Backend>> backends;
  std::vector<FakeBackend*> experts;
  admission::Admission admission{10};
  std::unique_ptr<telemetry::Metrics> metrics;
  Services services;
  Arrival arrival;
  v1::CompleteRequest request;
  v1::CompleteResponse response;
  TextStream stream;
  asio::cancellation_signal signal;
  std::optional<grpc::Status> outcome;

  PlansTest() {
    for (const char* name : {"small", "medium", "large"}) {
      config::Expert expert;
      expert.name = name;
      expert.backend = config::LocalBackend{"m"};
      expert.capabilities = config::kLogprobs;
      expert.price = config::Price{1, 1};
      config->experts.push_back(expert);
      auto backend = std::make_unique<FakeBackend>(loop);
      experts.push_back(backend.get());
      backends.push_back(std::move(backend));
    }
    config->policies.resize(1);
    config->policies[0].name = "p";
    config->policies[0].score = config::Pinned{{2, 1, 0}};
    config->default_policy = "p";
    arrival.request_id = "r1";
    arrival.time = Clock::now();
    arrival.deadline = arrival.time + std::chrono::hours(1);
    request.add_messages()->set_role(v1::ROLE_USER);
    Ask("What is 6 times 7?");
  }

  void Ask(const std::string& text) {
    request.mutable_messages(0)->clear_parts();
    request.mutable_messages(0)->add_parts()->set_text(text);
  }
  config::Policy& policy() { return config->policies[0]; }
  void AddReply(config::ZeroCostBackend reply) {
    config::Expert expert;
    expert.name = "reply";
    expert.backend = std::move(reply);
    expert.price.emplace();
    config->experts.push_back(expert);
    backends.push_back(nullptr);
  }
  void Together(config::Combine combine = config::Combine::kVote) {
    policy().select.rule = config::Select::kTopK;
    policy().select.k = 3;
    policy().ensemble = combine;
  }
  config::Stage& Weak(double threshold) {
    config::Stage stage;
    stage.expert = 0;
    stage.signal = "variance";
    stage.threshold = threshold;
    stage.tokens = 2;
    policy().cascade = {stage};
    policy().score = config::Pinned{{2, 1}};
    return policy().cascade[0];
  }

  std::optional<grpc::Status> Run(bool streaming = false) {
    std::vector<config::Problem> problems;
    services.snapshot = MakeSnapshot(config, nullptr, LoadPolicyFiles(*config, problems));
    EXPECT_EQ(config::ToString(problems), "");
    metrics = std::make_unique<telemetry::Metrics>(services.snapshot->names, [] { return telemetry::Gauges(); });
    services.admission = &admission;
    services.metrics = metrics.get();
    outcome.reset();
    response.Clear();
    stream = TextStream();
    auto body = Serve(services, ShardParts{backends}, arrival, request, streaming ? &stream : nullptr, response);
    auto done = [this](std::exception_ptr error, grpc::Status status) {
      outcome = error ? grpc::Status(grpc::StatusCode::ABORTED, "unwound") : status;
    };
    asio::co_spawn(loop, std::move(body), asio::bind_cancellation_slot(signal.slot(), done));
    loop.restart();
    loop.poll();
    return outcome;
  }
  std::string Text() const { return response.message().parts_size() > 0 ? response.message().parts(0).text() : ""; }
  int Open() const {
    int open = 0;
    for (const FakeBackend* expert : experts) open += expert->open;
    return open;
  }
  std::vector<std::string> Outcomes() const {
    std::vector<std::string> outcomes;
    for (const v1::Attempt& a : response.trace().attempts()) outcomes.push_back(a.expert() + " " + a.outcome());
    return outcomes;
  }
};

TEST_F(PlansTest, TheMajorityBeatsTheBestMember) {
  Together();
  policy().mask.boost = {{0, 3}, {1, 3}, {2, 3}};  // all weigh alike
  policy().score = config::Random{{0, 1, 2}};
  experts[2]->Answer("The answer is 41");
  experts[0]->Answer("The answer is 42.");
  experts[1]->Answer("6 * 7 = 42\n#### 42");
  ASSERT_TRUE(Run()->ok());
  EXPECT_THAT(Text(), HasSubstr("42"));
  ASSERT_EQ(response.trace().ballots_size(), 2);
  EXPECT_EQ(response.trace().ballots(0).answer(), "42");
  EXPECT_NEAR(response.trace().ballots(0).weight(), 2.0 / 3, 1e-9);
  EXPECT_DOUBLE_EQ(response.usage().cost_usd(), 3 * 15 / 1e6);  // every member is paid
  EXPECT_EQ(Open(), 0);
}

TEST_F(PlansTest, AVoteThatCannotChangeAnyMoreEndsTheRest) {
  Together();
  policy().score = config::Random{{0, 1, 2}};
  experts[0]->Answer("42");
  experts[1]->Answer("42");
  experts[2]->Script({FakeBackend::Stall{}});
  ASSERT_TRUE(Run(true).has_value());
  EXPECT_TRUE(outcome->ok());
  EXPECT_EQ(stream.text, "42");
  EXPECT_EQ(Open(), 0);
  int not_needed = 0;
  for (const v1::Attempt& attempt : stream.trace.attempts()) not_needed += attempt.outcome() == "not_needed";
  EXPECT_EQ(not_needed, 1);
}

TEST_F(PlansTest, AnAnswerThatCannotBeReadNeitherWinsNorHoldsTheVoteOpen) {
  Together();
  policy().score = config::Random{{0, 1, 2}};
  policy().mask.boost = {{2, std::log(5.0)}, {1, std::log(4.0)}};  // weights 0.5, 0.4, 0.1
  experts[2]->Answer("I do not know.");
  experts[1]->Answer("It is 42.");
  experts[0]->Script({FakeBackend::Stall{}});
  ASSERT_TRUE(Run(true).has_value());  // whatever the last one says, it weighs less than 42
  EXPECT_TRUE(outcome->ok());
  EXPECT_EQ(stream.text, "It is 42.");
  EXPECT_EQ(Open(), 0);
  ASSERT_EQ(stream.trace.ballots_size(), 2);
  EXPECT_EQ(stream.trace.ballots(0).answer(), "");
  EXPECT_NEAR(stream.trace.ballots(0).weight(), 0.5, 1e-9);
  EXPECT_EQ(stream.trace.ballots(1).answer(), "42");
}

TEST_F(PlansTest, WithoutACommonAnswerTheBestMembersCounts) {
  Together();
  Ask("Write a line about trains.");
  for (FakeBackend* expert : experts) expert->Answer(expert == experts[2] ? "Steam." : "Rails!");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(Text(), "Steam.");
  EXPECT_EQ(response.expert(), "large");
}

TEST_F(PlansTest, AMemberThatFailsHasNoVote) {
  Together(config::Combine::kBest);
  experts[2]->Fail(Unavailable("gone"));
  experts[1]->Answer("one");
  experts[0]->Answer("two");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(Text(), "one");
}

TEST_F(PlansTest, WhenNoMemberAnswersTheFallbackDoes) {
  Together();
  policy().select.k = 2;
  experts[2]->Fail(Unavailable("gone"));
  experts[1]->Fail(Unavailable("gone too"));
  experts[0]->Answer("here");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(response.expert(), "small");
}

TEST_F(PlansTest, CancellationReachesEveryMember) {
  Together();
  for (FakeBackend* expert : experts) expert->Script({FakeBackend::Stall{}});
  EXPECT_FALSE(Run().has_value());
  EXPECT_EQ(Open(), 3);
  signal.emit(asio::cancellation_type::terminal);
  loop.restart();
  loop.poll();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(Open(), 0);
  EXPECT_EQ(admission.in_flight(), 0);
}

TEST_F(PlansTest, AConfidentWeakAnswerIsReleasedWithAllItsTokens) {
  Weak(0.5);
  experts[0]->Script({Token("Forty", 0.9), Token("-two", 0.7), FakeBackend::Text("."), FakeBackend::End()});
  ASSERT_TRUE(Run(true)->ok());
  EXPECT_EQ(stream.text, "Forty-two.");
  EXPECT_EQ(stream.logprobs, 0);  // the client did not ask for them
  EXPECT_TRUE(experts[0]->requests[0].logprobs());
  EXPECT_EQ(experts[2]->opened, 0);
  ASSERT_EQ(stream.trace.decisions_size(), 1);
  EXPECT_TRUE(stream.trace.decisions(0).kept());
  EXPECT_NEAR(stream.trace.decisions(0).confidence(), 0.8, 1e-9);
  EXPECT_EQ(stream.trace.decisions(0).source(), "vocabulary");
  EXPECT_EQ(stream.trace.decisions(0).tokens(), 2U);
}

TEST_F(PlansTest, AnUnsureWeakAnswerIsAbortedAfterItsFirstTokensAndNeverSeen) {
  Weak(0.5);
  // The third step never comes: the gate must not wait for it.
  experts[0]->Script({Token("Uh", 0.1), Token(" well", 0.2), FakeBackend::Stall{}});
  experts[2]->Answer("42");
  ASSERT_TRUE(Run(true).has_value());
  EXPECT_TRUE(outcome->ok());
  EXPECT_EQ(stream.text, "42");
  EXPECT_EQ(Open(), 0);
  ASSERT_EQ(stream.trace.attempts_size(), 2);
  EXPECT_EQ(stream.trace.attempts(0).outcome(), "not_kept");
  EXPECT_EQ(stream.trace.attempts(0).completion_tokens(), 2U);
  EXPECT_EQ(stream.trace.attempts(1).outcome(), "ok");
}

TEST_F(PlansTest, AnAnswerWithoutProbabilitiesCannotBeJudged) {
  Weak(0.0);
  experts[0]->Answer("41");
  experts[2]->Answer("42");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(Text(), "42");
  EXPECT_THAT(response.trace().decisions(0).reason(), HasSubstr("cannot be judged"));
}

TEST_F(PlansTest, AWeakExpertThatFailsIsPassedOver) {
  Weak(0.5);
  experts[0]->Fail(Unavailable("gone"));
  experts[2]->Answer("42");
  ASSERT_TRUE(Run()->ok());
  EXPECT_THAT(Outcomes(), ElementsAre("small retryable_elsewhere", "large ok"));
}

TEST_F(PlansTest, AWeakAnswerIsBetterThanNone) {
  Weak(0.9);
  experts[0]->Script({Token("4", 0.1), Token("1", 0.1), FakeBackend::End()});
  experts[0]->Answer("41");
  experts[2]->Fail(Unavailable("gone"));
  experts[1]->Fail(Unavailable("gone too"));
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(Text(), "41");
  EXPECT_THAT(Outcomes(),
              ElementsAre("small not_kept", "large retryable_elsewhere", "medium retryable_elsewhere", "small ok"));
}

TEST_F(PlansTest, ALadderHasAGateForEveryStep) {
  Weak(0.5);
  config::Stage second = policy().cascade[0];
  second.expert = 1;
  policy().cascade.push_back(second);
  policy().score = config::Pinned{{2}};
  experts[0]->Script({Token("a", 0.1), Token("b", 0.1), FakeBackend::Stall{}});
  experts[1]->Script({Token("4", 0.9), Token("2", 0.9), FakeBackend::End()});
  ASSERT_TRUE(Run().has_value());
  EXPECT_EQ(Text(), "42");
  EXPECT_THAT(Outcomes(), ElementsAre("small not_kept", "medium ok"));
  EXPECT_EQ(experts[2]->opened, 0);
}

// Mowst's first rule: the request's own number decides; over many requests the weak expert keeps C of them.
TEST_F(PlansTest, TheStochasticRuleKeepsAsOftenAsTheConfidenceSays) {
  Weak(0.5);
  policy().cascade[0].threshold.reset();
  policy().cascade[0].rule = config::GateRule::kStochastic;
  constexpr int kRequests = 400;
  int kept = 0;
  for (int i = 0; i < kRequests; ++i) {
    arrival.request_id = "request " + std::to_string(i);
    experts[0]->Script({Token("4", 0.3), Token("1", 0.3), FakeBackend::End()});
    experts[2]->Answer("42");
    ASSERT_TRUE(Run()->ok());
    kept += response.trace().decisions(0).kept();
  }
  EXPECT_NEAR(kept / static_cast<double>(kRequests), 0.3, 0.08);  // three and a half standard deviations
}

TEST_F(PlansTest, SamplesThatAgreeAreKept) {
  config::Stage& stage = Weak(0.6);
  stage.signal = "agreement";
  stage.samples = 3;
  for (const char* text : {"It is 42", "#### 42", "maybe 40"}) experts[0]->Answer(text);
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(Text(), "It is 42");
  EXPECT_EQ(response.trace().decisions(0).source(), "agreement");
  EXPECT_NEAR(response.trace().decisions(0).confidence(), 2.0 / 3, 1e-9);
  for (const char* text : {"1", "2", "3"}) experts[0]->Answer(text);
  experts[2]->Answer("42");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(response.expert(), "large");
}

// Mowst*: C * weak + (1 - C) * strong over the options.
TEST_F(PlansTest, AMixtureWeighsTheOptionsOfBoth) {
  config::Stage& stage = Weak(0.5);
  stage.threshold.reset();
  stage.rule = config::GateRule::kMixture;
  stage.signal = "max_probability";
  Ask("Which one?\nA. red\nB. blue");
  experts[0]->Script({OptionToken("A", 0.8), FakeBackend::End()});
  experts[2]->Script({OptionToken("B", 0.4), FakeBackend::End()});
  ASSERT_TRUE(Run()->ok());
  // C = 0.8: A has 0.8 * 0.8 + 0.2 * 0.4 = 0.72.
  EXPECT_EQ(Text(), "A");
  EXPECT_EQ(response.expert(), "small");
  experts[0]->Script({OptionToken("A", 0.51), FakeBackend::End()});
  experts[2]->Script({OptionToken("B", 0.01), FakeBackend::End()});
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(Text(), "B");
  EXPECT_EQ(experts[2]->opened, 2);  // both always run
}

TEST_F(PlansTest, ARefusalAnswersWithoutAModel) {
  AddReply({.kind = config::ZeroCost::kRefuse, .text = "No."});
  policy().score = config::Pinned{{3, 0}};
  ASSERT_TRUE(Run(true)->ok());
  EXPECT_EQ(stream.text, "No.");
  EXPECT_EQ(stream.trace.plan().reply().kind(), "refuse");
  EXPECT_EQ(experts[0]->opened, 0);
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(response.finish_reason(), v1::FINISH_REASON_FILTERED);
  EXPECT_EQ(response.usage().cost_usd(), 0);
}

TEST_F(PlansTest, ACannedReplyFillsItsSlotsAndCanBeTheLastResort) {
  AddReply({.kind = config::ZeroCost::kCanned, .text = "{{{expert}}} is sorry"});
  policy().score = config::Pinned{{0, 3}};
  experts[0]->Fail(Unavailable("gone"));
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(Text(), "{reply} is sorry");
  EXPECT_THAT(Outcomes(), ElementsAre("small retryable_elsewhere", "reply ok"));
}

TEST_F(PlansTest, ACopyExpertGivesTheNearestStoredAnswerOrStaysOut) {
  testing::TempDir dir;
  config::ZeroCostBackend copy;
  copy.kind = config::ZeroCost::kCopy;
  copy.answers = dir.Write("faq.jsonl",
                           "{\"question\": \"When does the museum open?\", \"answer\": \"At nine.\"}\n"
                           "{\"question\": \"How much is a ticket?\", \"answer\": \"Five euros.\"}\n");
  copy.similarity = 0.8;
  AddReply(copy);
  policy().score = config::Pinned{{3, 0}};
  Ask("when does the museum open");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(Text(), "At nine.");
  Ask("Explain the proof of Fermat's little theorem.");
  experts[0]->Answer("Let p be prime.");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(response.expert(), "small");
  ASSERT_EQ(response.trace().exclusions_size(), 1);
  EXPECT_THAT(response.trace().exclusions(0).reason(), HasSubstr("no stored question is near enough"));
}

struct GatesTest : PlansTest {
  // Gates of two experts, of which small knows sailing and medium music.
  static const std::map<std::size_t, std::filesystem::path>& Files() {
    static const testing::TempDir dir;
    static const std::map<std::size_t, std::filesystem::path> files = [] {
      std::map<std::size_t, std::filesystem::path> made;
      for (const auto& [expert, topic] : {std::pair("small", "sailing"), {"medium", "music"}}) {
        offline::TrainGateOptions options = testing::TopicGateOptions(dir, topic);
        options.expert = expert;
        options.embedding = offline::DefaultEmbedding();
        const auto report = offline::TrainGate(options);
        EXPECT_TRUE(report) << report.error().message;
        made[made.size()] = options.out;
      }
      return made;
    }();
    return files;
  }
  config::Gates& Score() {
    config::Gates gates;
    gates.files = Files();
    policy().score = gates;
    return std::get<config::Gates>(policy().score);
  }
};

TEST_F(GatesTest, EachExpertsOwnGateDecides) {
  Score();
  Ask("How do I trim the mainsail when the wind turns?");
  experts[0]->Answer("ease it");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(response.expert(), "small");
  ASSERT_EQ(response.trace().gates().experts_size(), 2);
  EXPECT_GT(response.trace().gates().experts(0).quality(), response.trace().gates().experts(1).quality());
  EXPECT_EQ(response.trace().exclusions(0).reason(), "has no gate in this policy");
  Ask("Which key is this sonata in, and how is the chord called?");
  experts[1]->Answer("minor");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(response.expert(), "medium");
}

// The gating residual: what was asked before keeps its expert through a turn that says little.
TEST_F(GatesTest, ACarriedScoreKeepsAConversationsExpert) {
  Score();
  Ask("And what then?");
  experts[0]->Answer("a");
  experts[1]->Answer("b");
  ASSERT_TRUE(Run()->ok());
  const double alone = response.trace().gates().experts(1).quality() - response.trace().gates().experts(0).quality();
  Ask("Which key is this sonata in, and how is the chord called?");
  request.add_messages()->set_role(v1::ROLE_ASSISTANT);
  request.mutable_messages(1)->add_parts()->set_text("G minor.");
  request.add_messages()->set_role(v1::ROLE_USER);
  request.mutable_messages(2)->add_parts()->set_text("And what then?");
  Score().carry = 0.9;
  for (int i = 0; i < 2; ++i) {
    experts[0]->Answer("a");
    experts[1]->Answer("b");
  }
  ASSERT_TRUE(Run()->ok());
  const double carried = response.trace().gates().experts(1).quality() - response.trace().gates().experts(0).quality();
  EXPECT_GT(carried, alone + 1);
  EXPECT_EQ(response.expert(), "medium");
}

TEST_F(GatesTest, FilesThatDoNotFitAreNamedAtTheStart) {
  const auto problems = [&] {
    std::vector<config::Problem> found;
    LoadPolicyFiles(*config, found);
    return config::ToString(found);
  };
  config::Gates& gates = Score();
  std::swap(gates.files[0], gates.files[1]);
  EXPECT_THAT(problems(), HasSubstr("policies.p.gates"));
  Score().form = "magic";
  EXPECT_THAT(problems(), HasSubstr("is no form of a gate (ensemble, neighbours"));
  Weak(0.5).gate = "/none.pmg";
  policy().cascade[0].signal.clear();
  EXPECT_THAT(problems(), HasSubstr("policies.p.cascade"));
  EXPECT_THAT(problems(), HasSubstr("/none.pmg"));
}

TEST_F(PlansTest, TenantsHaveMasksOfTheirOwn) {
  config::Tenant tenant;
  tenant.name = "acme";
  tenant.key = "secret";
  tenant.mask.deny = {2};
  config->tenants = {tenant};
  arrival.authorization = "Bearer secret";
  experts[1]->Answer("yes");
  ASSERT_TRUE(Run()->ok());
  EXPECT_EQ(response.expert(), "medium");
  EXPECT_EQ(response.trace().exclusions(0).reason(), "denied by the tenant");
}

}  // namespace
}  // namespace pointsman::pipeline
