#include "router/cli/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/gateway/status.h"

namespace pointsman::cli {
namespace {

using testing::HasSubstr;

TEST(Explain, TellsTheWholeStory) {
  v1::Trace trace;
  trace.set_request_id("r1");
  trace.set_policy("by_topic");
  trace.set_cache(v1::CACHE_OUTCOME_MISS);
  v1::Evidence& evidence = *trace.mutable_evidence();
  evidence.set_category("math");
  evidence.set_likeliest("math");
  evidence.set_probability(0.93);
  evidence.set_entropy(0.31);
  evidence.set_entropy_threshold(1.5);
  v1::FeatureWeight* feature = evidence.add_features();
  feature->set_feature("integral");
  feature->set_weight(1.25);
  v1::Exclusion* exclusion = trace.add_exclusions();
  exclusion->set_expert("eyes");
  exclusion->set_reason("cannot call tools");
  v1::Candidate* candidate = trace.mutable_plan()->mutable_ask()->add_candidates();
  candidate->set_expert("math");
  candidate->set_score(1);
  v1::Attempt* attempt = trace.add_attempts();
  attempt->set_expert("math");
  attempt->set_outcome("ok");
  std::string text = Explain(trace);
  EXPECT_THAT(text, HasSubstr("category   math  (93 %, entropy 0.31 of at most 1.50)"));
  EXPECT_THAT(text, HasSubstr("\"integral\" +1.25"));
  EXPECT_THAT(text, HasSubstr("excluded   eyes: cannot call tools"));
  EXPECT_THAT(text, HasSubstr("plan       ask math (1.00)"));
  EXPECT_THAT(text, HasSubstr("attempt    math: ok"));
}

TEST(Explain, SaysWhoseExecutionItWas) {
  v1::Trace trace;
  trace.mutable_flight()->set_role("follower");
  trace.mutable_flight()->set_leader_request_id("r7");
  trace.mutable_flight()->set_wait_milliseconds(12);
  EXPECT_THAT(Explain(trace), HasSubstr("flight     follower of request r7, after 12 ms in which another replica"));
}

TEST(Explain, SaysWhenItIsUncertain) {
  v1::Trace trace;
  v1::Evidence& evidence = *trace.mutable_evidence();
  evidence.set_category("general");
  evidence.set_likeliest("law");
  evidence.set_uncertain(true);
  evidence.set_entropy(2.1);
  evidence.set_entropy_threshold(1.5);
  evidence.set_probability(0.2);
  EXPECT_THAT(Explain(trace), HasSubstr("general  (uncertain: entropy 2.10 is above 1.50; likeliest: law, 20 %)"));
}

TEST(Explain, SaysWhatTheEncoderDid) {
  v1::Trace trace;
  v1::Evidence& evidence = *trace.mutable_evidence();
  evidence.set_category("law");
  EXPECT_THAT(Explain(trace), testing::Not(HasSubstr("second opinion")));
  v1::SecondOpinion& opinion = *evidence.mutable_second_opinion();
  opinion.set_milliseconds(7.25);
  opinion.set_fast_likeliest("history");
  opinion.set_fast_probability(0.4);
  opinion.set_used(true);
  EXPECT_THAT(Explain(trace), HasSubstr("second opinion in 7.2 ms: used (the classifier alone: history, 40 %)\n"));
  opinion.set_used(false);
  opinion.set_failure("the encoder did not answer within 50 ms");
  EXPECT_THAT(Explain(trace), HasSubstr("7.2 ms: none, the encoder did not answer within 50 ms\n"));
}

TEST(ExplainError, ShowsEveryAttempt) {
  grpc::Status status = gateway::ToStatus(Unavailable("every expert failed"), "r1",
                                          {{"a", Unavailable("connection refused")}, {"b", Unavailable("HTTP 500")}});
  std::string text = ExplainError(status);
  EXPECT_THAT(text, HasSubstr("UNAVAILABLE: every expert failed"));
  EXPECT_THAT(text, HasSubstr("attempt a: UNAVAILABLE (retryable_elsewhere): connection refused"));
  EXPECT_THAT(text, HasSubstr("attempt b:"));
}

}  // namespace
}  // namespace pointsman::cli
