#include "router/classifier/gate_routing.h"

#include <algorithm>
#include <cmath>

namespace pointsman::classifier {

void Standardise(std::span<float> values) {
  if (values.empty()) return;
  const auto n = static_cast<double>(values.size());
  double mean = 0, variance = 0;
  for (const float value : values) mean += value / n;
  for (const float value : values) variance += (value - mean) * (value - mean) / n;
  // What is left by rounding is no deviation.
  const double scale = variance > 1e-12 * mean * mean ? 1 / std::sqrt(variance) : 0;
  for (float& value : values) value = static_cast<float>((value - mean) * scale);
}

float ScaledProduct(std::span<const float> a, std::span<const float> b) {
  constexpr std::size_t kLanes = 8;
  float lanes[kLanes] = {};
  const std::size_t whole = a.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  for (std::size_t i = whole; i < a.size(); ++i) lanes[i - whole] += a[i] * b[i];
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum / std::sqrt(static_cast<float>(a.size()));
}

void Softmax(std::span<float> values, double temperature) {
  const double highest = *std::max_element(values.begin(), values.end());
  double total = 0;
  for (float& value : values) {
    value = static_cast<float>(std::exp((value - highest) / temperature));
    total += value;
  }
  for (float& value : values) value = static_cast<float>(value / total);
}

std::vector<ChosenExpert> TopK(std::span<const float> weights, std::size_t k) {
  std::vector<ChosenExpert> chosen;
  for (std::size_t e = 0; e < weights.size(); ++e) chosen.push_back({e, weights[e]});
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const ChosenExpert& a, const ChosenExpert& b) { return a.weight > b.weight; });
  if (chosen.size() > k) chosen.resize(k);
  double sum = 1e-6;
  for (const ChosenExpert& expert : chosen) sum += expert.weight;
  for (ChosenExpert& expert : chosen) expert.weight = static_cast<float>(expert.weight / sum);
  return chosen;
}

}  // namespace pointsman::classifier
