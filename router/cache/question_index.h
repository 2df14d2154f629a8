// router/cache/question_index.h: the questions whose answers are in the cache, to find those that are like a new one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/async.h"
#include "router/cache/key.h"
#include "router/cache/question_matcher.h"

namespace pointsman::cache {

// A question that is like the one asked.
struct LikeQuestion {
  Key key{}, question{};   // of its answer: the place of an entry (key.h)
  double probability = 0;  // that its answer serves
  float similarity = 0;    // cosine
};

// Inverted lists: a question lies where its group and its likeliest answer say, and one is compared only with those
// that lie where it does. Two questions whose likeliest answers differ are no match at any threshold that is of use, so
// nothing is lost against a scan of all (docs/decisions/0054-questions-by-their-answer.md). Each list keeps its latest
// kMostInList; lists that were not used for longest go when there are too many questions. Any thread: lock-striped.
class QuestionIndex {
 public:
  static constexpr std::size_t kMostInList = 512;

  // At most about `most` questions (>= 1), none older than `ttl`. `matcher` has vectors of the questions added.
  QuestionIndex(std::shared_ptr<const QuestionMatcher> matcher, std::size_t most, std::chrono::seconds ttl);
  ~QuestionIndex();

  const QuestionMatcher& matcher() const { return *matcher_; }

  // `group` stands for all that must be equal: tenant, version, policy, sampling, system prompt, earlier turns. An
  // older question of the same key is replaced.
  void Add(const Key& group, const MatchQuestion& question, const Key& key, const Key& of_question,
           Clock::time_point now);

  // The one whose answer serves `question` most probably, at `threshold` or above.
  std::optional<LikeQuestion> Find(const Key& group, const MatchQuestion& question, double threshold,
                                   Clock::time_point now);

  // Its answer is gone.
  void Remove(const Key& group, const MatchQuestion& asked, const Key& key);

  std::size_t size() const;

 private:
  struct Stripe;
  static Key ListOf(const Key& group, const MatchQuestion& question);
  Stripe& StripeOf(const Key& list) const;

  const std::shared_ptr<const QuestionMatcher> matcher_;
  const std::chrono::seconds ttl_;
  static constexpr std::size_t kStripes = 16;
  std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace pointsman::cache
