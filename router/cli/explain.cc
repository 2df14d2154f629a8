#include "router/cli/explain.h"

#include <cstdarg>
#include <cstdio>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::cli {
namespace {

[[gnu::format(printf, 1, 2)]] std::string Format(const char* format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return text;
}

void ExplainEvidence(const v1::Evidence& evidence, std::string& out) {
  out += "category   " + evidence.category();
  if (evidence.foreign()) {
    out += Format("  (like none of the categories: novelty %.2f is above %.2f; likeliest: %s, %.0f %%)\n",
                  evidence.novelty(), evidence.novelty_threshold(), evidence.likeliest().c_str(),
                  evidence.probability() * 100);
  } else if (evidence.mixed()) {
    out +=
        Format("  (its parts are about different things: contradiction %.1f is above %.1f; likeliest: %s, %.0f %%)\n",
               evidence.contradiction(), evidence.contradiction_threshold(), evidence.likeliest().c_str(),
               evidence.probability() * 100);
  } else if (evidence.uncertain()) {
    out += Format("  (uncertain: entropy %.2f is above %.2f; likeliest: %s, %.0f %%)\n", evidence.entropy(),
                  evidence.entropy_threshold(), evidence.likeliest().c_str(), evidence.probability() * 100);
  } else if (evidence.category() != evidence.likeliest()) {
    out += Format("  (its experts are the likeliest to be right; likeliest category: %s, %.0f %%)\n",
                  evidence.likeliest().c_str(), evidence.probability() * 100);
  } else {
    out += Format("  (%.0f %%, entropy %.2f of at most %.2f)\n", evidence.probability() * 100, evidence.entropy(),
                  evidence.entropy_threshold());
  }
  out += "           ";
  for (int i = 0; i < evidence.categories_size(); ++i) {
    const v1::CategoryScore& score = evidence.categories(i);
    out += Format("%s%s %.0f %%", i == 0 ? "" : ", ", score.category().c_str(), score.probability() * 100);
  }
  out += Format("\n           read %u of %u bytes in %.0f us\n", evidence.bytes_read(), evidence.bytes_total(),
                evidence.classify_microseconds());
  for (int i = 0; i < evidence.parts_size(); ++i) {
    const v1::PartEvidence& part = evidence.parts(i);
    out += Format("%s%s %s %.0f %% (weight %.2f)", i == 0 ? "           " : ", ", part.part().c_str(),
                  part.likeliest().c_str(), part.probability() * 100, part.weight());
    if (i + 1 == evidence.parts_size()) out += "\n";
  }
  if (evidence.has_second_opinion()) {
    const v1::SecondOpinion& opinion = evidence.second_opinion();
    out += Format("           second opinion in %.1f ms: ", opinion.milliseconds());
    out += opinion.used() ? Format("used (the classifier alone: %s, %.0f %%)\n", opinion.fast_likeliest().c_str(),
                                   opinion.fast_probability() * 100)
                          : "none, " + opinion.failure() + "\n";
  }
  if (evidence.features().empty()) return;
  out += "because    ";
  for (int i = 0; i < evidence.features_size(); ++i) {
    out += Format("%s\"%s\" %+.2f", i == 0 ? "" : ", ", evidence.features(i).feature().c_str(),
                  evidence.features(i).weight());
  }
  out += "\n";
}

void ExplainPrediction(const v1::Prediction& prediction, std::string& out) {
  out += "expected   ";
  for (int i = 0; i < prediction.experts_size(); ++i) {
    const v1::ExpertQuality& expert = prediction.experts(i);
    out += Format("%s%s %.3f", i == 0 ? "" : ", ", expert.expert().c_str(), expert.quality());
  }
  if (prediction.has_gain_threshold()) {
    out += Format("  (the strong expert from a gain of %.3f)", prediction.gain_threshold());
  }
  out += Format("  in %.0f us\n", prediction.microseconds());
}

void ExplainGates(const v1::GateScores& gates, std::string& out) {
  out += "gates      ";
  for (int i = 0; i < gates.experts_size(); ++i) {
    out += Format("%s%s %.2f", i == 0 ? "" : ", ", gates.experts(i).expert().c_str(), gates.experts(i).quality());
  }
  out += Format("  in %.0f us\n", gates.microseconds());
}

void ExplainSelection(const v1::Selection& selection, std::string& out) {
  out += "selected   " + selection.rule();
  if (selection.mass() > 0) out += Format(" with p = %.3f", selection.mass());
  out += Format(": %u experts", selection.models());
  if (selection.nulls() > 0) out += Format(", and %u null experts, which ask nobody", selection.nulls());
  if (selection.over_budget()) out += ", by the budget";
  out += "\n";
}

std::string Described(const v1::Candidate& candidate) {
  std::string text = candidate.expert() + Format(" (%.2f", candidate.score());
  if (candidate.probability() > 0) text += Format(", %.0f %%", candidate.probability() * 100);
  return text + ")";
}

template <class Candidates>
std::string InOrder(const Candidates& candidates) {
  std::string text;
  for (const v1::Candidate& candidate : candidates) text += (text.empty() ? "" : ", then ") + Described(candidate);
  return text;
}

std::string Described(const v1::EnsemblePlan& ensemble) {
  std::string text = "together, by " + std::string(ensemble.combine() == "vote" ? "vote: " : "rank: ");
  for (int i = 0; i < ensemble.members_size(); ++i) {
    const v1::Member& member = ensemble.members(i);
    text += (i == 0 ? "" : ", ") + Described(member.candidate()) + Format(" weighing %.2f", member.weight());
  }
  if (ensemble.fallback_size() > 0) text += "; if none answers " + InOrder(ensemble.fallback());
  return text;
}

void ExplainPlan(const v1::Plan& plan, std::string& out) {
  const char* otherwise = plan.otherwise() ? ", because nobody else may" : "";
  if (plan.has_ask()) out += "plan       ask " + InOrder(plan.ask().candidates()) + otherwise + "\n";
  if (plan.has_reply()) {
    out += "plan       " + plan.reply().kind() + ": " + Described(plan.reply().expert()) + otherwise + "\n";
  }
  if (plan.has_ensemble()) out += "plan       ask " + Described(plan.ensemble()) + "\n";
  if (!plan.has_cascade()) return;
  for (const v1::CascadeStage& stage : plan.cascade().stages()) {
    out += "stage      " + stage.expert() + " first; gate " + stage.gate() + ", rule " + stage.rule();
    if (stage.rule() == "threshold") out += Format(" %.3f", stage.threshold());
    out += stage.samples() > 1  ? Format(", %u samples\n", stage.samples())
           : stage.tokens() > 0 ? Format(", after %u tokens\n", stage.tokens())
                                : std::string(", after the whole answer\n");
  }
  out +=
      "plan       else ask " +
      (plan.cascade().has_ask() ? InOrder(plan.cascade().ask().candidates()) : Described(plan.cascade().ensemble())) +
      "\n";
}

const char* Name(v1::CacheOutcome outcome) {
  switch (outcome) {
    case v1::CACHE_OUTCOME_NOT_CACHEABLE: return "not cacheable";
    case v1::CACHE_OUTCOME_MISS: return "miss";
    case v1::CACHE_OUTCOME_EXACT: return "hit";
    default: return "not asked";
  }
}

void ExplainFlight(const v1::Flight& flight, std::string& out) {
  out += "flight     " + flight.role();
  if (flight.role() == "follower") out += " of request " + flight.leader_request_id();
  if (flight.wait_milliseconds() > 0) {
    out += Format(", after %.0f ms in which another replica was answering the same", flight.wait_milliseconds());
  }
  out += "\n";
}

const char* CodeName(int code) {
  static const char* const names[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return code >= 0 && code <= 16 ? names[code] : "UNKNOWN";
}

}  // namespace

std::string Explain(const v1::Trace& trace) {
  std::string out = "request    " + trace.request_id() + "\n";
  if (!trace.policy().empty()) out += "policy     " + trace.policy() + ", configuration " + trace.snapshot() + "\n";
  out += std::string("cache      ") + Name(trace.cache());
  if (trace.cache() == v1::CACHE_OUTCOME_EXACT) {
    out += Format(": the answer of request %s, %.0f s old, from %s", trace.cached_request_id().c_str(),
                  trace.cache_age_seconds(), trace.cache_store().c_str());
  }
  out += "\n";
  if (trace.has_flight()) ExplainFlight(trace.flight(), out);
  if (trace.has_evidence()) ExplainEvidence(trace.evidence(), out);
  if (trace.has_prediction()) ExplainPrediction(trace.prediction(), out);
  if (trace.has_gates()) ExplainGates(trace.gates(), out);
  for (const v1::Exclusion& exclusion : trace.exclusions()) {
    out += "excluded   " + exclusion.expert() + ": " + exclusion.reason() + "\n";
  }
  if (trace.has_selection()) ExplainSelection(trace.selection(), out);
  ExplainPlan(trace.plan(), out);
  for (const v1::GateDecision& decision : trace.decisions()) {
    out += "gate       " + decision.expert() + (decision.kept() ? ": kept, " : ": not kept, ") + decision.reason() +
           Format(": confidence %.3f against %.3f, from %s of %u tokens, after %.0f ms\n", decision.confidence(),
                  decision.threshold(), decision.source().c_str(), decision.tokens(), decision.milliseconds());
  }
  for (const v1::Attempt& attempt : trace.attempts()) {
    out += "attempt    " + attempt.expert() + ": " + attempt.outcome();
    if (!attempt.message().empty()) out += ": " + attempt.message();
    out += Format(", %.0f ms", attempt.milliseconds());
    if (attempt.first_token_milliseconds() > 0)
      out += Format(" (first token %.0f ms)", attempt.first_token_milliseconds());
    out += "\n";
  }
  for (const v1::Ballot& ballot : trace.ballots()) {
    out += "vote       " + (ballot.answer().empty() ? std::string("(no answer found)") : ballot.answer()) +
           Format(": %.2f, by ", ballot.weight());
    for (int i = 0; i < ballot.experts_size(); ++i) out += (i == 0 ? "" : ", ") + ballot.experts(i);
    out += "\n";
  }
  if (!trace.expert().empty()) {
    out += "answered   " + trace.expert() +
           Format(", first token after %.0f ms, all after %.0f ms\n", trace.first_token_milliseconds(),
                  trace.milliseconds());
  }
  return out;
}

std::string ExplainError(const grpc::Status& status) {
  std::string out = std::string(CodeName(status.error_code())) + ": " + status.error_message() + "\n";
  google::rpc::Status rich;
  if (status.error_details().empty() || !rich.ParseFromString(status.error_details())) return out;
  for (const google::protobuf::Any& any : rich.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    v1::PartialAnswer partial;
    if (any.UnpackTo(&info)) {
      const auto& m = info.metadata();
      auto get = [&](const char* key) { return m.contains(key) ? m.at(key) : std::string(); };
      out += "  attempt " + get("expert") + ": " + info.reason() + " (" + get("class") + "): " + get("message") + "\n";
    } else if (any.UnpackTo(&retry)) {
      out += Format("  retry after %.1f s\n",
                    static_cast<double>(retry.retry_delay().seconds()) + retry.retry_delay().nanos() / 1e9);
    } else if (any.UnpackTo(&partial)) {
      out += Format("  partial answer of %s: %u deltas, %u bytes of text\n", partial.expert().c_str(), partial.deltas(),
                    partial.text_bytes());
    }
  }
  return out;
}

}  // namespace pointsman::cli
