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

const char* Name(v1::CacheOutcome outcome) {
  switch (outcome) {
    case v1::CACHE_OUTCOME_NOT_CACHEABLE: return "not cacheable";
    case v1::CACHE_OUTCOME_MISS: return "miss";
    case v1::CACHE_OUTCOME_EXACT: return "hit";
    default: return "not asked";
  }
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
    out +=
        Format(": the answer of request %s, %.0f s old", trace.cached_request_id().c_str(), trace.cache_age_seconds());
  }
  out += "\n";
  if (trace.has_evidence()) ExplainEvidence(trace.evidence(), out);
  if (trace.has_prediction()) ExplainPrediction(trace.prediction(), out);
  for (const v1::Exclusion& exclusion : trace.exclusions()) {
    out += "excluded   " + exclusion.expert() + ": " + exclusion.reason() + "\n";
  }
  if (trace.plan().has_ask()) {
    out += "plan       ask ";
    for (int i = 0; i < trace.plan().ask().candidates_size(); ++i) {
      const v1::Candidate& candidate = trace.plan().ask().candidates(i);
      out += Format("%s%s (%.2f)", i == 0 ? "" : ", then ", candidate.expert().c_str(), candidate.score());
    }
    out += "\n";
  }
  for (const v1::Attempt& attempt : trace.attempts()) {
    out += "attempt    " + attempt.expert() + ": " + attempt.outcome();
    if (!attempt.message().empty()) out += ": " + attempt.message();
    out += Format(", %.0f ms", attempt.milliseconds());
    if (attempt.first_token_milliseconds() > 0)
      out += Format(" (first token %.0f ms)", attempt.first_token_milliseconds());
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
