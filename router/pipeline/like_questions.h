// router/pipeline/like_questions.h: one request's dealings with the semantic cache (docs/cache-semantic.md).
#pragma once

#include <optional>
#include <string>

#include "router/cache/question_index.h"
#include "router/pipeline/cached.h"
#include "router/pipeline/services.h"

namespace pointsman::pipeline {

// The answer to a like question.
struct LikeAnswer {
  cache::Entry entry;
  const char* store;  // "memory", "redis"
  double probability;
  float similarity;
};

// Loop thread of the request. References outlive it.
class LikeQuestions {
 public:
  // Reads the question where the request's policy has a semantic cache and the request may use it.
  LikeQuestions(const Services& services, const Cached& cached, const v1::CompleteRequest& request);

  bool on() const { return asked_.has_value(); }

  // Only when on(). The answer that serves most probably, where one reaches the policy's threshold and is still kept.
  Awaitable<std::optional<LikeAnswer>> Find() const;

  // That the answer to this question is in the cache: it was made, or found in Redis.
  void Add() const;

  // Whether this match shall be compared with a fresh answer instead of being used. `request_id` is the draw.
  bool Audits(const std::string& request_id) const;
  // Counts the comparison, and says so in the trace.
  void Compare(const LikeAnswer& kept, const v1::CompleteResponse& fresh, v1::Trace& trace) const;

 private:
  const Services& services_;
  const Cached& cached_;
  std::size_t policy_ = 0;
  cache::QuestionIndex* index_ = nullptr;
  std::optional<cache::MatchQuestion> asked_;
  cache::Key group_{};
};

// Whether two answers say the same, as far as words show it: equal but for case, spaces and punctuation; or the same
// numbers, and vectors with a cosine of 0.8 or more.
bool SayTheSame(const classifier::Classifier& classifier, const std::string& a, const std::string& b);

}  // namespace pointsman::pipeline
