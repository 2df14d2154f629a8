#include "router/offline/metrics.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pointsman::offline {
namespace {

std::size_t Likeliest(const Prediction& prediction) {
  const auto& p = prediction.probabilities;
  return static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
}

double Ratio(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The bins, and the calibration error over them.
std::vector<CalibrationBin> Calibration(std::span<const Prediction> predictions, double& error) {
  constexpr std::size_t kBins = 15;
  std::vector<CalibrationBin> bins(kBins);
  for (const Prediction& prediction : predictions) {
    const std::size_t best = Likeliest(prediction);
    const double p = prediction.probabilities[best];
    CalibrationBin& bin = bins[std::min(kBins - 1, static_cast<std::size_t>(p * kBins))];
    ++bin.rows;
    bin.probability += p;
    bin.accuracy += best == prediction.truth ? 1 : 0;
  }
  error = 0;
  for (std::size_t b = 0; b < kBins; ++b) {
    CalibrationBin& bin = bins[b];
    error += std::abs(bin.probability - bin.accuracy);
    bin.low = static_cast<double>(b) / kBins;
    bin.high = static_cast<double>(b + 1) / kBins;
    bin.probability /= static_cast<double>(std::max<std::size_t>(bin.rows, 1));
    bin.accuracy /= static_cast<double>(std::max<std::size_t>(bin.rows, 1));
  }
  error /= static_cast<double>(predictions.size());
  return bins;
}

// Of `steps` points.
std::vector<CoveragePoint> Curve(std::span<const Prediction> predictions, std::size_t steps) {
  std::vector<std::pair<double, bool>> sorted;
  for (const Prediction& prediction : predictions) {
    sorted.emplace_back(prediction.entropy, Likeliest(prediction) == prediction.truth);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<CoveragePoint> curve;
  std::size_t kept = 0, right = 0;
  for (std::size_t step = 1; step <= steps; ++step) {
    const std::size_t target = (sorted.size() * step + steps - 1) / steps;
    for (; kept < target; ++kept) right += sorted[kept].second ? 1 : 0;
    if (kept == 0) continue;
    curve.push_back({Ratio(kept, sorted.size()), sorted[kept - 1].first, Ratio(right, kept)});
  }
  return curve;
}

}  // namespace

Metrics Measure(std::span<const Prediction> predictions, const std::vector<std::string>& categories) {
  Metrics metrics;
  metrics.rows = predictions.size();
  if (predictions.empty()) return metrics;
  const std::size_t count = categories.size();
  std::vector<std::size_t>& table = metrics.table;
  table.resize(count * count);
  std::vector<double> probability(count);  // sums of the truth's
  for (const Prediction& prediction : predictions) {
    ++table[prediction.truth * count + Likeliest(prediction)];
    probability[prediction.truth] += prediction.probabilities[prediction.truth];
    metrics.nll -= std::log(std::max(prediction.probabilities[prediction.truth], 1e-30F));
  }
  metrics.nll /= static_cast<double>(predictions.size());
  metrics.calibration = Calibration(predictions, metrics.ece);
  metrics.curve = Curve(predictions, 10);
  metrics.fine_curve = Curve(predictions, 100);

  std::size_t right = 0, present = 0;
  for (std::size_t c = 0; c < count; ++c) {
    std::size_t truths = 0, predicted = 0;
    for (std::size_t d = 0; d < count; ++d) {
      truths += table[c * count + d];
      predicted += table[d * count + c];
    }
    const std::size_t hits = table[c * count + c];
    right += hits;
    present += truths > 0 ? 1 : 0;
    const double f1 = Ratio(2 * hits, truths + predicted);
    metrics.macro_f1 += truths > 0 ? f1 : 0;
    metrics.categories.push_back({categories[c], truths, Ratio(hits, predicted), Ratio(hits, truths), f1,
                                  probability[c] / static_cast<double>(std::max<std::size_t>(truths, 1))});
  }
  metrics.accuracy = Ratio(right, predictions.size());
  metrics.macro_f1 /= static_cast<double>(present);
  metrics.confusions = MostConfused(metrics, 10);
  return metrics;
}

std::vector<Confusion> MostConfused(const Metrics& metrics, std::size_t count) {
  const std::size_t size = metrics.categories.size();
  std::vector<Confusion> confusions;
  for (std::size_t c = 0; c < size; ++c) {
    for (std::size_t d = 0; d < size; ++d) {
      const std::size_t rows = metrics.table[c * size + d];
      if (c != d && rows > 0) confusions.push_back({metrics.categories[c].name, metrics.categories[d].name, rows});
    }
  }
  std::stable_sort(confusions.begin(), confusions.end(),
                   [](const Confusion& a, const Confusion& b) { return a.rows > b.rows; });
  if (confusions.size() > count) confusions.resize(count);
  return confusions;
}

double FitTemperature(std::span<const Prediction> predictions) {
  const auto loss = [&](double log_temperature) {
    const double inverse = std::exp(-log_temperature);
    double sum = 0;
    for (const Prediction& prediction : predictions) {
      double total = 0;
      const double highest = *std::max_element(prediction.probabilities.begin(), prediction.probabilities.end());
      const auto logit = [&](float p) { return inverse * std::log(std::max<double>(p, 1e-30) / highest); };
      for (const float p : prediction.probabilities) total += std::exp(logit(p));
      sum += std::log(total) - logit(prediction.probabilities[prediction.truth]);
    }
    return sum;
  };
  // Golden-section search: the loss is convex in 1 / T, so it has one valley.
  const double golden = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.2), high = std::log(10.0);
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double loss_left = loss(left), loss_right = loss(right);
  while (high - low > 0.001) {
    if (loss_left < loss_right) {
      high = right;
      right = left;
      loss_right = loss_left;
      left = high - golden * (high - low);
      loss_left = loss(left);
    } else {
      low = left;
      left = right;
      loss_left = loss_right;
      right = low + golden * (high - low);
      loss_right = loss(right);
    }
  }
  return std::exp((low + high) / 2);
}

double ValueAtCoverage(std::vector<double> values, double coverage) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto wanted = static_cast<std::size_t>(std::ceil(coverage * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(wanted, 1, values.size()) - 1];
}

double EntropyAtCoverage(std::span<const Prediction> predictions, double coverage) {
  std::vector<double> entropies;
  for (const Prediction& prediction : predictions) entropies.push_back(prediction.entropy);
  return ValueAtCoverage(std::move(entropies), coverage);
}

}  // namespace pointsman::offline
