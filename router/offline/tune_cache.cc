#include "router/offline/tune_cache.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "router/classifier/artifact.h"
#include "router/offline/format.h"
#include "router/offline/minimize.h"
#include "router/offline/write_classifier.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

using cache::MatchQuestion;

// Which stored questions the cache looks at: those whose likeliest answer is the same.
bool Comparable(const MatchQuestion& a, const MatchQuestion& b) { return a.answers[0] == b.answers[0]; }

double Logit(const std::vector<double>& weights, const std::array<double, cache::kMatchFeatures>& features) {
  return std::inner_product(features.begin(), features.end(), weights.begin(), weights.back());
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

struct Pair {
  std::array<double, cache::kMatchFeatures> features;
  bool same;
};

// For each question those of the others that are nearest, as the cache would see them.
void AddPairs(std::span<const KnownQuestion> questions, std::vector<Pair>& pairs) {
  constexpr std::size_t kNearest = 8;
  std::vector<std::pair<float, std::size_t>> near;
  for (const KnownQuestion& asked : questions) {
    if (!asked.question) continue;
    near.clear();
    for (std::size_t s = 0; s < questions.size(); ++s) {
      const KnownQuestion& stored = questions[s];
      if (&stored == &asked || !stored.question || !Comparable(*asked.question, *stored.question)) continue;
      if (asked.question->guards != stored.question->guards) continue;
      near.emplace_back(cache::Cosine(*asked.question, *stored.question), s);
    }
    const auto end = near.begin() + static_cast<std::ptrdiff_t>(std::min(kNearest, near.size()));
    std::partial_sort(near.begin(), end, near.end(), std::greater<>());
    for (auto at = near.begin(); at != end; ++at) {
      const KnownQuestion& stored = questions[at->second];
      pairs.push_back({cache::FeaturesOf(*asked.question, *stored.question, at->first), Same(asked, stored)});
    }
  }
}

// Logistic regression, with a little ridge so that separable pairs have weights as well; a likelier answer and a larger
// cosine never count against a match, a stranger question never for it.
std::vector<double> FitWeights(std::span<const Pair> pairs) {
  constexpr double kRidge = 1e-3;
  const auto objective = [&](std::span<const double> w, std::span<double> gradient) {
    double value = 0;
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (const Pair& pair : pairs) {
      double x = w.back();
      for (std::size_t f = 0; f < pair.features.size(); ++f) x += w[f] * pair.features[f];
      const double p = Logistic(x);
      value -= std::log(std::max(pair.same ? p : 1 - p, 1e-300));
      const double off = p - (pair.same ? 1 : 0);
      for (std::size_t f = 0; f < pair.features.size(); ++f) gradient[f] += off * pair.features[f];
      gradient.back() += off;
    }
    const auto n = static_cast<double>(pairs.size());
    for (std::size_t f = 0; f < w.size(); ++f) {
      gradient[f] = gradient[f] / n + kRidge * w[f];
      value += n * kRidge / 2 * w[f] * w[f];
    }
    return value / n;
  };
  std::vector<double> weights(cache::kMatchFeatures + 1, 0.0);
  Minimize(objective, weights, 200, 1e-9);
  weights[0] = std::max(weights[0], 0.0);
  weights[1] = std::max(weights[1], 0.0);
  weights[2] = std::min(weights[2], 0.0);
  return weights;
}

MatchScore Matcher(const std::vector<double>& weights, bool guards) {
  return [weights, guards](const MatchQuestion& asked, const MatchQuestion& stored) {
    if (!Comparable(asked, stored) || (guards && asked.guards != stored.guards)) return -1.0;
    return Logistic(Logit(weights, cache::FeaturesOf(asked, stored, cache::Cosine(asked, stored))));
  };
}

MatchScore ByCosine(bool guards) {
  return [guards](const MatchQuestion& asked, const MatchQuestion& stored) {
    if (guards && asked.guards != stored.guards) return -1.0;
    return static_cast<double>(std::max(0.0F, cache::Cosine(asked, stored)));
  };
}

// The scores of all folds; each fold's questions are asked of one another.
using Folds = std::vector<std::vector<KnownQuestion>>;

MatchVariant Measure(const std::string& name, const Folds& folds, const MatchScore& score) {
  std::vector<Match> matches;
  for (const std::vector<KnownQuestion>& fold : folds) {
    const std::vector<Match> more = MatchAll(fold, fold, score);
    matches.insert(matches.end(), more.begin(), more.end());
  }
  return {name, CurveOf(matches)};
}

std::vector<MatchVariant> MeasureAll(const Folds& folds, const std::vector<double>& weights) {
  return {Measure("matcher", folds, Matcher(weights, true)),
          Measure("matcher without guards", folds, Matcher(weights, false)),
          Measure("cosine with guards", folds, ByCosine(true)), Measure("cosine alone", folds, ByCosine(false))};
}

// At the threshold where matches without guards are right in 95 % of the cases: what each guard does to them.
std::vector<GuardFigures> MeasureGuards(const Folds& folds, const std::vector<double>& weights,
                                        std::span<const v1::MatchPoint> bare) {
  std::vector<GuardFigures> figures;
  for (std::size_t g = 0; g < cache::kGuards; ++g) figures.push_back({static_cast<cache::Guard>(g)});
  const v1::MatchPoint* point = PointFor(bare, 0.95, false);
  if (point == nullptr) return figures;
  const MatchScore score = Matcher(weights, false);
  for (const std::vector<KnownQuestion>& fold : folds) {
    const std::vector<Match> matches = MatchAll(fold, fold, score);
    for (std::size_t i = 0; i < matches.size(); ++i) {
      if (matches[i].score < point->threshold()) continue;
      for (GuardFigures& figure : figures) {
        const auto g = static_cast<std::size_t>(figure.guard);
        const cache::QuestionGuards& asked = fold[i].question->guards;
        const cache::QuestionGuards& stored = fold[matches[i].stored].question->guards;
        if (asked.hashes[g] != stored.hashes[g]) ++(matches[i].right ? figure.right : figure.wrong);
      }
    }
  }
  return figures;
}

// Words that a question of an answer has, and those that one in 200 questions of any answer has.
cache::UsualWords WordsOf(std::span<const Example> examples) {
  constexpr std::size_t kSeveral = 1, kCommon = 200;
  std::unordered_map<std::uint32_t, std::size_t> counts;
  for (const Example& example : examples) {
    for (const std::string& word : cache::DistinctWords(example.text)) {
      ++counts[cache::UsualWords::HashOf(example.label, word)];
      ++counts[cache::UsualWords::HashOf(cache::UsualWords::kAnyAnswer, word)];
    }
  }
  std::vector<std::uint32_t> usual;
  for (const Example& example : examples) {
    for (const std::string& word : cache::DistinctWords(example.text)) {
      const std::uint32_t of_answer = cache::UsualWords::HashOf(example.label, word);
      const std::uint32_t of_any = cache::UsualWords::HashOf(cache::UsualWords::kAnyAnswer, word);
      if (counts[of_answer] >= kSeveral) usual.push_back(of_answer);
      if (counts[of_any] * kCommon >= examples.size()) usual.push_back(of_any);
    }
  }
  return cache::UsualWords(std::move(usual));
}

Result<std::vector<std::string>> ReadTexts(const std::vector<std::filesystem::path>& files, const RowOptions& like) {
  std::vector<std::string> texts;
  if (files.empty()) return texts;
  RowOptions options;
  options.files = files;
  options.text_field = like.text_field;
  options.label_field = "";
  options.skip_bad = like.skip_bad;
  auto rows = ReadRows(options, {});
  if (!rows) return std::move(rows).error();
  for (Row& row : rows->rows) texts.push_back(std::move(row.text));
  return texts;
}

std::vector<KnownQuestion> ReadDistinct(const classifier::Classifier& classifier, const cache::UsualWords& words,
                                        std::size_t max_bytes, const std::vector<std::string>& texts) {
  std::vector<KnownQuestion> questions;
  for (const std::string& text : texts) {
    questions.push_back({cache::ReadQuestion(classifier, words, text, max_bytes), KnownQuestion::kUnique});
  }
  return questions;
}

}  // namespace

Result<TuneCacheReport> TuneCache(const TuneCacheOptions& options) {
  const auto stage = [&](std::string_view name) {
    return [&options, name](double share) {
      if (options.progress) options.progress(name, share);
    };
  };
  if (options.fit.embedding == nullptr)
    return InvalidArgument("embedding", "a matcher needs token vectors (--embedding)");
  auto rows = ReadRows(options.rows, stage("reading rows"));
  if (!rows) return std::move(rows).error();
  auto distinct = ReadTexts(options.distinct, options.rows);
  if (!distinct) return std::move(distinct).error();

  TuneCacheReport report;
  report.rows = rows->rows.size();
  report.answers = rows->labels.size();
  report.distinct = distinct->size();
  report.duplicates = rows->duplicates;
  report.bad = rows->bad;
  report.bad_examples = rows->bad_examples;
  report.out = options.out;
  // Twice as long as any that was tuned on: beyond it nobody knows what a vector misses.
  std::size_t longest = 0;
  for (const Row& row : rows->rows) longest = std::max(longest, row.text.size());
  report.max_bytes = static_cast<std::uint32_t>(std::min<std::size_t>(2 * longest, options.fit.linear.max_bytes));

  Folds folds(options.fit.folds);
  ClassifierOptions inner = options.fit;
  ++inner.folds;  // of equal numbers one would be empty: the folds depend on the text alone
  for (unsigned fold = 0; fold < options.fit.folds; ++fold) {
    std::vector<Example> others;
    for (const Row& row : rows->rows) {
      if (FoldOf(row.text, options.fit.folds) != fold) others.push_back({row.text, row.label});
    }
    auto fitted = FitClassifier(others, rows->labels, inner,
                                [&](double share) { stage("fitting")((fold + share) / (options.fit.folds + 1)); });
    if (!fitted) return std::move(fitted).error();
    const auto classifier = Served(fitted->artifact);
    const cache::UsualWords words = WordsOf(others);
    for (const Row& row : rows->rows) {
      if (FoldOf(row.text, options.fit.folds) != fold) continue;
      folds[fold].push_back({cache::ReadQuestion(*classifier, words, row.text, report.max_bytes), row.label});
      report.readable += folds[fold].back().question ? 1 : 0;
    }
    std::vector<std::string> strangers;
    for (const std::string& text : *distinct) {
      if (FoldOf(text, options.fit.folds) == fold) strangers.push_back(text);
    }
    for (KnownQuestion& question : ReadDistinct(*classifier, words, report.max_bytes, strangers)) {
      folds[fold].push_back(std::move(question));
    }
  }

  std::vector<Pair> pairs;
  for (const std::vector<KnownQuestion>& fold : folds) AddPairs(fold, pairs);
  const auto same = std::count_if(pairs.begin(), pairs.end(), [](const Pair& pair) { return pair.same; });
  if (same == 0) {
    return InvalidArgument("rows", "nothing to learn: of " + std::to_string(pairs.size()) +
                                       " pairs of near questions none has the same answer");
  }
  // Where the likeliest answer alone tells all pairs apart, its probability is what is known.
  const bool easy = static_cast<std::size_t>(same) == pairs.size();
  report.weights = easy ? std::vector<double>{1, 0, 0, 0} : FitWeights(pairs);
  report.variants = MeasureAll(folds, report.weights);
  report.guards = MeasureGuards(folds, report.weights, report.variants[1].curve);

  std::vector<Example> examples;
  for (const Row& row : rows->rows) examples.push_back({row.text, row.label});
  auto fitted = FitClassifier(examples, rows->labels, options.fit, [&](double share) {
    stage("fitting")((options.fit.folds + share) / (options.fit.folds + 1));
  });
  if (!fitted) return std::move(fitted).error();
  v1::Artifact& artifact = fitted->artifact;
  artifact.set_created_by(std::string("pointsman ") + kVersion);
  artifact.set_seed(options.fit.linear.seed);
  v1::QuestionMatcher& matcher = *artifact.mutable_matcher();
  matcher.mutable_weights()->Assign(report.weights.begin(), report.weights.end());
  matcher.set_max_bytes(report.max_bytes);
  const cache::UsualWords words = WordsOf(examples);
  matcher.mutable_usual_words()->Assign(words.hashes().begin(), words.hashes().end());
  matcher.set_rows(static_cast<std::uint32_t>(report.rows));
  for (const v1::MatchPoint& point : Useful(report.variants[0].curve)) *matcher.add_curve() = point;
  auto written = WriteClassifier(options.out, artifact);
  if (!written) return std::move(written).error();
  report.bytes = written->bytes;
  report.checksum = std::move(written->checksum);
  return report;
}

Result<EvaluateCacheReport> EvaluateCache(const EvaluateCacheOptions& options) {
  auto artifact = classifier::ReadArtifact(options.artifact);
  if (!artifact) return std::move(artifact).error();
  auto matcher = cache::QuestionMatcher::Load(options.artifact);
  if (!matcher) return std::move(matcher).error();
  auto rows = ReadRows(options.rows, [&](double share) {
    if (options.progress) options.progress("reading rows", share);
  });
  if (!rows) return std::move(rows).error();
  auto distinct = ReadTexts(options.distinct, options.rows);
  if (!distinct) return std::move(distinct).error();
  const v1::QuestionMatcher& settings = artifact->artifact.matcher();
  const std::vector<double> weights(settings.weights().begin(), settings.weights().end());

  constexpr std::size_t kMostWrong = 20;  // of either kind of rows
  EvaluateCacheReport report;
  report.precision = options.precision;
  report.rows = rows->rows.size();
  report.distinct = distinct->size();
  const auto point = (*matcher)->PointFor(options.precision);
  if (!point) {
    return InvalidArgument(
        "precision", Format("no threshold of %s reaches a precision of %g (at most %.4f)", options.artifact.c_str(),
                            options.precision, (*matcher)->BestPrecision()));
  }
  report.threshold = point->threshold();
  std::vector<std::vector<KnownQuestion>> halves(2);
  std::vector<std::vector<const std::string*>> texts(2);
  for (const Row& row : rows->rows) {
    const unsigned half = FoldOf(row.text, 2);
    halves[half].push_back({(*matcher)->Read(row.text), row.label});
    texts[half].push_back(&row.text);
  }
  const auto both_ways = [&](const MatchScore& score) {
    std::vector<Match> matches = MatchAll(halves[0], halves[1], score);
    const std::vector<Match> back = MatchAll(halves[1], halves[0], score);
    matches.insert(matches.end(), back.begin(), back.end());
    return matches;
  };
  const auto line = [&](const std::string& name, std::span<const Match> matches) {
    EvaluateCacheReport::Line result{name, matches.size(), 0, 0};
    for (const Match& match : matches) {
      if (match.score < report.threshold) continue;
      ++result.matched;
      result.right += match.right ? 1 : 0;
    }
    report.lines.push_back(result);
  };
  const std::vector<Match> guarded = both_ways(Matcher(weights, true));
  line("with guards", guarded);
  const std::vector<Match> bare = both_ways(Matcher(weights, false));
  line("without guards", bare);
  report.variants = {{"matcher", CurveOf(guarded)},
                     {"matcher without guards", CurveOf(bare)},
                     {"cosine with guards", CurveOf(both_ways(ByCosine(true)))},
                     {"cosine alone", CurveOf(both_ways(ByCosine(false)))}};
  for (std::size_t i = 0; i < guarded.size() && report.wrong.size() < kMostWrong; ++i) {
    if (guarded[i].right || guarded[i].score < report.threshold) continue;
    const bool first = i < halves[0].size();
    report.wrong.push_back(*texts[first ? 0 : 1][first ? i : i - halves[0].size()] + " | " +
                           *texts[first ? 1 : 0][guarded[i].stored]);
  }
  if (!distinct->empty()) {
    const std::vector<KnownQuestion> strangers =
        ReadDistinct((*matcher)->classifier(), (*matcher)->words(), settings.max_bytes(), *distinct);
    const std::vector<Match> among = MatchAll(strangers, strangers, Matcher(weights, true));
    line("distinct, with guards", among);
    line("distinct, without guards", MatchAll(strangers, strangers, Matcher(weights, false)));
    std::vector<KnownQuestion> all = halves[0];
    all.insert(all.end(), halves[1].begin(), halves[1].end());
    const std::vector<Match> across = MatchAll(strangers, all, Matcher(weights, true));
    line("distinct, against the labelled rows", across);
    for (std::size_t i = 0; i < among.size() && report.wrong.size() < 2 * kMostWrong; ++i) {
      if (among[i].score >= report.threshold)
        report.wrong.push_back((*distinct)[i] + " | " + (*distinct)[among[i].stored]);
      if (across[i].score < report.threshold) continue;
      const std::size_t at = across[i].stored;
      const bool first = at < halves[0].size();
      report.wrong.push_back((*distinct)[i] + " | " + *texts[first ? 0 : 1][first ? at : at - halves[0].size()]);
    }
  }
  return report;
}

}  // namespace pointsman::offline
