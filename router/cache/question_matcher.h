// router/cache/question_matcher.h: whether the answer to one question serves another (docs/cache-semantic.md).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"
#include "router/cache/question_guards.h"
#include "router/classifier/classifier.h"

namespace pointsman::cache {

// A question as it is compared: small, for there are many of them.
struct MatchQuestion {
  static constexpr std::size_t kAnswers = 4;

  std::vector<std::int8_t> vector;                // of length 1 after scaling
  float scale = 0;                                // vector = values * scale
  std::array<std::uint16_t, kAnswers> answers{};  // the likeliest, falling
  std::array<float, kAnswers> probabilities{};    // theirs
  float novelty = 0;                              // above the classifier's threshold: foreign; here <= 0
  QuestionGuards guards;
};

// The cosine of two questions' vectors, [-1, 1].
float Cosine(const MatchQuestion& a, const MatchQuestion& b);

// The probability that both have the same answer, by what the classifier thinks of each: sum over the answers k of
// p(k | a) p(k | b), of the likeliest ones.
float SameAnswer(const MatchQuestion& a, const MatchQuestion& b);

// What a match is judged by: ln(s / (1 - s)) of SameAnswer s, cosine, the larger novelty of the two.
inline constexpr std::size_t kMatchFeatures = 3;
std::array<double, kMatchFeatures> FeaturesOf(const MatchQuestion& a, const MatchQuestion& b, float cosine);

// What is wrong with a matcher, or "".
std::string Flaw(const v1::QuestionMatcher& matcher);

// Which words the questions of an answer use. Immutable once filled; any thread.
class UsualWords {
 public:
  static constexpr std::uint32_t kAnyAnswer = 0xFFFF;

  UsualWords() = default;
  explicit UsualWords(std::vector<std::uint32_t> hashes);  // of HashOf()

  static std::uint32_t HashOf(std::uint32_t answer, std::string_view word);
  bool Uses(std::uint32_t answer, std::string_view word) const;
  std::span<const std::uint32_t> hashes() const { return hashes_; }

 private:
  bool Has(std::uint32_t hash) const;
  std::vector<std::uint32_t> hashes_;  // ascending
};

// Reads `text` by a classifier whose categories are answers. None: nothing may be matched with it, for it is empty, has
// more than `max_bytes` bytes or the classifier did not read all of it, has no known token, or is foreign.
std::optional<MatchQuestion> ReadQuestion(const classifier::Classifier& classifier, const UsualWords& words,
                                          std::string_view text, std::size_t max_bytes);

// Immutable; any thread.
class QuestionMatcher {
 public:
  // An artifact that `pointsman cache tune` made. Blocking. Errors name the file.
  static Result<std::shared_ptr<const QuestionMatcher>> Load(const std::filesystem::path& file);

  // `matcher` has no Flaw().
  QuestionMatcher(std::shared_ptr<const classifier::Classifier> classifier, v1::QuestionMatcher matcher);

  std::optional<MatchQuestion> Read(std::string_view text) const;

  // That the answer to `a` serves `b`; 0 where a guard forbids it.
  double Probability(const MatchQuestion& a, const MatchQuestion& b, float cosine) const;

  // The lowest threshold whose matches were right in `precision` of the cases, with 95 % confidence, and at least
  // `precision` itself: each match shall be as probably right as all are on average. None: there is no such threshold.
  std::optional<v1::MatchPoint> PointFor(double precision) const;
  // The highest precision that can be asked for; 0: none.
  double BestPrecision() const;

  const classifier::Classifier& classifier() const { return *classifier_; }
  const UsualWords& words() const { return words_; }

 private:
  std::shared_ptr<const classifier::Classifier> classifier_;
  v1::QuestionMatcher matcher_;
  UsualWords words_;
};

}  // namespace pointsman::cache
