#include "tests/support/encoder_head.h"

#include <cmath>
#include <random>

#include "router/classifier/encoder_head.h"
#include "router/classifier/stored_vectors.h"

namespace pointsman::testing_support {

std::vector<float> Unit(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  std::vector<float> unit;
  for (const double value : values) unit.push_back(static_cast<float>(value / std::sqrt(squares)));
  return unit;
}

v1::EncoderHead SmallHead() {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  v1::EncoderHead head;
  head.set_version(classifier::kEncoderHeadVersion);
  for (const char* name : {"a", "b", "c"}) head.add_categories(name);
  head.set_encoder("small-encoder");
  head.set_classifier("small-classifier");
  head.set_dimension(8);
  for (int i = 0; i < 24; ++i) head.add_weights(static_cast<float>(normal(random)));
  for (int i = 0; i < 3; ++i) head.add_bias(static_cast<float>(0.1 * i));
  classifier::StoredVectors rows(8);
  for (std::uint32_t row = 0; row < 6; ++row) {
    std::vector<double> values(8);
    for (double& value : values) value = normal(random);
    rows.Add(Unit(values), row % 3);
    head.mutable_neighbours()->append(reinterpret_cast<const char*>(rows.values(row).data()), 8);
    head.add_neighbour_scales(rows.scale(row));
    head.add_neighbour_categories(row % 3);
  }
  head.set_nearest(2);
  head.set_sharpness(5);
  head.set_fast_weight(0.5F);
  head.set_linear_weight(0.3F);
  head.set_neighbour_weight(0.2F);
  head.set_temperature(0.7F);
  head.set_entropy_threshold(0.9F);
  // C = the lead of the likeliest category over the second, and i % of the rows are under i / 100.
  v1::CascadeGate& gate = *head.mutable_gate();
  gate.set_kind("gain");
  gate.set_source("options");
  gate.add_inputs("margin");
  gate.add_weights(-1);
  gate.set_read_share(1);
  for (int i = 0; i <= 100; ++i) {
    gate.add_gain_quantiles(i / 100.0 - 1);
    v1::CascadePoint& point = *gate.add_curve();
    point.set_threshold(i < 100 ? i / 100.0 : 2);
    point.set_strong_share(i / 100.0);
  }
  return head;
}

}  // namespace pointsman::testing_support
