#include "router/cache/question_matcher.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "router/classifier/artifact.h"
#include "router/classifier/inner_product.h"

namespace pointsman::cache {

float Cosine(const MatchQuestion& a, const MatchQuestion& b) {
  return static_cast<float>(classifier::InnerProduct(a.vector, b.vector)) * a.scale * b.scale;
}

float SameAnswer(const MatchQuestion& a, const MatchQuestion& b) {
  float same = 0;
  for (std::size_t i = 0; i < MatchQuestion::kAnswers; ++i) {
    for (std::size_t j = 0; j < MatchQuestion::kAnswers; ++j) {
      if (a.answers[i] == b.answers[j]) same += a.probabilities[i] * b.probabilities[j];
    }
  }
  return same;
}

std::array<double, kMatchFeatures> FeaturesOf(const MatchQuestion& a, const MatchQuestion& b, float cosine) {
  constexpr double kLeast = 1e-4;  // what the calibration can tell from never and always
  const double same = std::clamp<double>(SameAnswer(a, b), kLeast, 1 - kLeast);
  return {std::log(same / (1 - same)), cosine, std::max(a.novelty, b.novelty)};
}

std::string Flaw(const v1::QuestionMatcher& matcher) {
  if (static_cast<std::size_t>(matcher.weights_size()) != kMatchFeatures + 1) return "the matcher has not 4 weights";
  if (matcher.max_bytes() == 0) return "the matcher reads no bytes";
  const auto share = [](double value) { return value >= 0 && value <= 1; };
  double before = 1;
  for (const v1::MatchPoint& point : matcher.curve()) {
    if (!share(point.threshold()) || !share(point.precision()) || !share(point.precision_bound()) ||
        !share(point.recall()) || point.threshold() > before) {
      return "the matcher's curve is no curve";
    }
    before = point.threshold();
  }
  const bool finite = std::all_of(matcher.weights().begin(), matcher.weights().end(),
                                  [](double weight) { return std::isfinite(weight); });
  return finite ? "" : "a weight of the matcher is not a number";
}

UsualWords::UsualWords(std::vector<std::uint32_t> hashes) : hashes_(std::move(hashes)) {
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

// FNV-1a.
std::uint32_t UsualWords::HashOf(std::uint32_t answer, std::string_view word) {
  std::uint32_t hash = (2166136261U ^ answer) * 16777619U;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

bool UsualWords::Has(std::uint32_t hash) const { return std::binary_search(hashes_.begin(), hashes_.end(), hash); }

bool UsualWords::Uses(std::uint32_t answer, std::string_view word) const {
  return Has(HashOf(kAnyAnswer, word)) || Has(HashOf(answer, word));
}

std::optional<MatchQuestion> ReadQuestion(const classifier::Classifier& classifier, const UsualWords& words,
                                          std::string_view text, std::size_t max_bytes) {
  if (text.empty() || text.size() > max_bytes) return std::nullopt;
  thread_local std::vector<float> vector;
  vector.resize(classifier.dimensions());
  if (vector.empty() || !classifier.Embed(text, vector)) return std::nullopt;
  const policies::Evidence evidence = classifier.Classify(text);
  if (evidence.foreign || evidence.mixed || evidence.bytes_read < text.size()) return std::nullopt;

  MatchQuestion question;
  question.vector.reserve(vector.size());
  question.scale = classifier::Quantise(vector, question.vector);
  const std::vector<float>& p = evidence.probabilities;
  std::array<std::uint16_t, MatchQuestion::kAnswers> best{};
  std::size_t found = 0;
  for (std::size_t c = 0; c < p.size(); ++c) {
    std::size_t at = found;
    while (at > 0 && p[best[at - 1]] < p[c]) --at;
    if (at >= best.size()) continue;
    found = std::min(found + 1, best.size());
    for (std::size_t i = found - 1; i > at; --i) best[i] = best[i - 1];
    best[at] = static_cast<std::uint16_t>(c);
  }
  question.answers.fill(0xFFFF);
  for (std::size_t i = 0; i < found; ++i) {
    question.answers[i] = best[i];
    question.probabilities[i] = p[best[i]];
  }
  question.novelty = static_cast<float>(evidence.novelty - evidence.novelty_threshold);
  const std::uint32_t answer = question.answers[0];
  question.guards = GuardsOf(text, [&words, answer](std::string_view word) { return words.Uses(answer, word); });
  return question;
}

Result<std::shared_ptr<const QuestionMatcher>> QuestionMatcher::Load(const std::filesystem::path& file) {
  auto parts = classifier::MapParts(file);
  if (!parts) return std::move(parts).error();
  if (!parts->artifact.has_matcher()) {
    return InvalidArgument("", file.string() + ": has no matcher of questions (make one with: pointsman cache tune)");
  }
  if (const std::string flaw = Flaw(parts->artifact.matcher()); !flaw.empty()) {
    return InvalidArgument("", file.string() + ": " + flaw);
  }
  auto classifier = classifier::Classifier::Load(file, std::nullopt);
  if (!classifier) return std::move(classifier).error();
  return std::shared_ptr<const QuestionMatcher>(
      std::make_shared<QuestionMatcher>(*std::move(classifier), std::move(*parts->artifact.mutable_matcher())));
}

QuestionMatcher::QuestionMatcher(std::shared_ptr<const classifier::Classifier> classifier, v1::QuestionMatcher matcher)
    : classifier_(std::move(classifier)),
      matcher_(std::move(matcher)),
      words_(std::vector<std::uint32_t>(matcher_.usual_words().begin(), matcher_.usual_words().end())) {}

std::optional<MatchQuestion> QuestionMatcher::Read(std::string_view text) const {
  return ReadQuestion(*classifier_, words_, text, matcher_.max_bytes());
}

double QuestionMatcher::Probability(const MatchQuestion& a, const MatchQuestion& b, float cosine) const {
  if (a.guards != b.guards) return 0;
  const std::array<double, kMatchFeatures> features = FeaturesOf(a, b, cosine);
  const double sum = std::inner_product(features.begin(), features.end(), matcher_.weights().begin(),
                                        matcher_.weights(static_cast<int>(kMatchFeatures)));
  return 1 / (1 + std::exp(-sum));
}

std::optional<v1::MatchPoint> QuestionMatcher::PointFor(double precision) const {
  const v1::MatchPoint* best = nullptr;
  for (const v1::MatchPoint& point : matcher_.curve()) {
    if (point.precision_bound() >= precision) best = &point;
  }
  if (best == nullptr) return std::nullopt;
  v1::MatchPoint point = *best;
  point.set_threshold(std::max(point.threshold(), precision));
  return point;
}

double QuestionMatcher::BestPrecision() const {
  double best = 0;
  for (const v1::MatchPoint& point : matcher_.curve()) best = std::max(best, point.precision_bound());
  return best;
}

}  // namespace pointsman::cache
