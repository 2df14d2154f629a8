#include "router/offline/evaluate_pair.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>

#include "router/classifier/predictor.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

Result<ScoredRows> Read(const EvaluatePairOptions& options, const std::vector<std::filesystem::path>& files,
                        const std::optional<HashRange>& range, const std::string& label_field) {
  std::vector<std::string> weak = options.weak, strong = options.strong;
  weak.emplace_back("weak");  // the names of rows that have weak_correct and strong_correct
  strong.emplace_back("strong");
  return ReadScoredRows({files, {{"weak", weak}, {"strong", strong}}, options.text_field, label_field, range});
}

// Keeps `count` rows, drawn without replacement, in their order in the file.
void Draw(std::vector<ScoredRow>& rows, std::size_t count, std::uint64_t seed) {
  SplitMix random(seed);
  std::vector<ScoredRow> kept;
  std::size_t left = rows.size();
  for (ScoredRow& row : rows) {
    if (random.Below(left--) < count - kept.size()) kept.push_back(std::move(row));
  }
  rows = std::move(kept);
}

}  // namespace

Result<PairReport> EvaluatePair(const EvaluatePairOptions& options) {
  using Clock = std::chrono::steady_clock;
  auto train = Read(options, options.train, options.train_range, options.label_field);
  if (!train) return std::move(train).error();
  auto test = Read(options, options.test, options.test_range, "");
  if (!test) return std::move(test).error();
  if (options.train_rows > train->rows.size()) {
    return InvalidArgument("train_rows", "--train-rows " + std::to_string(options.train_rows) + " of " +
                                             std::to_string(train->rows.size()) + " training rows");
  }
  if (options.train_rows > 0) Draw(train->rows, options.train_rows, options.seed);

  PairReport report;
  report.weak = options.weak;
  report.strong = options.strong;
  report.n = test->rows.size();
  report.train_n = train->rows.size();
  report.contaminated = test->contaminated;
  report.train_contaminated = train->contaminated;
  std::unordered_set<std::string_view> texts;
  for (const ScoredRow& row : train->rows) texts.insert(row.text);

  const Clock::time_point start = Clock::now();
  auto fit = FitPredictor(train->rows, {"weak", "strong"}, options.fit, options.progress);
  if (!fit) return std::move(fit).error();
  report.train_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report.stack = std::move(fit->stack);

  const classifier::Predictor served(fit->model, "");  // what the router would serve
  std::vector<double> scores, gains;
  const auto n = static_cast<double>(report.n);
  double gap = 0;
  const Clock::time_point first = Clock::now();
  for (const ScoredRow& row : test->rows) {
    const std::vector<float> quality = served.Predict(row.text);
    scores.push_back(static_cast<double>(quality[1]) - quality[0]);
  }
  report.predict_microseconds = std::chrono::duration<double, std::micro>(Clock::now() - first).count() / n;
  for (const ScoredRow& row : test->rows) {
    const double weak = row.scores[0], strong = row.scores[1];
    gap += gains.emplace_back(strong - weak);
    report.weak_quality += weak / n;
    report.strong_quality += strong / n;
    report.oracle_quality += std::max(weak, strong) / n;
    report.shared += texts.contains(row.text);
  }
  if (gap <= 0) {
    return InvalidArgument("test", "the strong side is no better than the weak one on the test rows (" +
                                       std::to_string(report.strong_quality) + ", " +
                                       std::to_string(report.weak_quality) + "): there is no gap to recover");
  }
  report.curve = PairCurve(scores, gains);
  report.figures = Figures(scores, gains);
  report.oracle_apgr = Figures(gains, gains).apgr;
  if (options.progress) options.progress("bootstrap", 1);
  report.spreads = Bootstrap(scores, gains, options.resamples, options.seed);
  return report;
}

}  // namespace pointsman::offline
