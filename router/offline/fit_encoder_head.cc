#include "router/offline/fit_encoder_head.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "router/classifier/cascade_file.h"
#include "router/classifier/encoder_head.h"
#include "router/classifier/stored_vectors.h"
#include "router/offline/fit_cascade.h"
#include "router/offline/metrics.h"
#include "router/offline/minimize.h"

namespace pointsman::offline {
namespace {

// C of the regression: sum of losses + |W|^2 / 2C.
constexpr double kStrengths[] = {1, 3, 10, 30};
constexpr std::size_t kNearest[] = {10, 30, 60};
constexpr double kSharpness[] = {6, 10, 20, 30};
constexpr std::size_t kFitSteps = 100;
constexpr double kTolerance = 1e-6;
constexpr double kLeastProbability = 1e-9;  // as EncoderHead's

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define POINTSMAN_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define POINTSMAN_CLONES
#endif

// logits[c] += sum_d x[d] * weights[d][c]; categories innermost, so that the compiler can vectorise without reordering
// sums.
POINTSMAN_CLONES void AddProducts(const float* x, std::size_t dimension, const float* weights, std::size_t categories,
                                  float* logits) {
  for (std::size_t d = 0; d < dimension; ++d) {
    const float* const row = weights + d * categories;
    for (std::size_t c = 0; c < categories; ++c) logits[c] += x[d] * row[c];
  }
}

// gradient[d][c] += x[d] * error[c].
POINTSMAN_CLONES void AddOuter(const float* x, std::size_t dimension, const float* error, std::size_t categories,
                               float* gradient) {
  for (std::size_t d = 0; d < dimension; ++d) {
    float* const row = gradient + d * categories;
    for (std::size_t c = 0; c < categories; ++c) row[c] += x[d] * error[c];
  }
}

// Turns logits into probabilities; returns ln p of `label`.
double Softmax(std::span<float> logits, std::uint32_t label) {
  const float highest = *std::max_element(logits.begin(), logits.end());
  const auto of_label = static_cast<double>(logits[label] - highest);
  double sum = 0;
  for (float& logit : logits) sum += static_cast<double>(logit = std::exp(logit - highest));
  for (float& value : logits) value = static_cast<float>(static_cast<double>(value) / sum);
  return of_label - std::log(sum);
}

// Multinomial logistic regression: [D + 1][C], the bias last. Starts from `parameters`.
void FitRegression(const std::vector<const EmbeddedRow*>& rows, std::size_t dimension, std::size_t categories,
                   double strength, std::vector<double>& parameters) {
  const auto count = static_cast<double>(rows.size());
  std::vector<float> weights(parameters.size()), sums(parameters.size()), block(parameters.size());
  std::vector<float> p(categories);
  const Objective loss = [&](std::span<const double> x, std::span<double> gradient) {
    std::copy(x.begin(), x.end(), weights.begin());
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double value = 0;
    std::fill(block.begin(), block.end(), 0.0F);
    const auto flush = [&] {
      for (std::size_t i = 0; i < block.size(); ++i) gradient[i] += static_cast<double>(block[i]) / count;
      std::fill(block.begin(), block.end(), 0.0F);
    };
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const EmbeddedRow& row = *rows[r];
      std::copy_n(&weights[dimension * categories], categories, p.begin());
      AddProducts(row.embedding.data(), dimension, weights.data(), categories, p.data());
      value -= Softmax(p, row.label) / count;
      p[row.label] -= 1;
      AddOuter(row.embedding.data(), dimension, p.data(), categories, block.data());
      for (std::size_t c = 0; c < categories; ++c) block[dimension * categories + c] += p[c];
      if (r % 256 == 255) flush();  // long sums of floats lose digits
    }
    flush();
    for (std::size_t i = 0; i < dimension * categories; ++i) {
      value += x[i] * x[i] / (2 * strength * count);
      gradient[i] += x[i] / (strength * count);
    }
    return value;
  };
  Minimize(loss, parameters, kFitSteps, kTolerance);
}

std::vector<double> LinearLogs(const EmbeddedRow& row, std::size_t categories, const std::vector<double>& parameters) {
  const std::size_t dimension = row.embedding.size();
  std::vector<double> logits(parameters.end() - static_cast<std::ptrdiff_t>(categories), parameters.end());
  for (std::size_t d = 0; d < dimension; ++d) {
    for (std::size_t c = 0; c < categories; ++c) {
      logits[c] += static_cast<double>(row.embedding[d]) * parameters[d * categories + c];
    }
  }
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - highest);
  for (double& logit : logits) logit -= highest + std::log(sum);
  return logits;
}

// The logarithms that are combined, one after the other, of one held-out row: fast, linear, neighbours.
struct Opinions {
  std::uint32_t label;
  std::array<std::vector<double>, 3> logs;
};

// Weights w that minimise the mean -ln p(label), p = softmax(sum_i w_i logs_i); returns that mean.
double FitWeights(const std::vector<Opinions>& rows, std::vector<double>& weights) {
  std::vector<double> p;
  const Objective loss = [&](std::span<const double> w, std::span<double> gradient) {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double value = 0;
    for (const Opinions& row : rows) {
      const std::size_t categories = row.logs[0].size();
      p.assign(categories, 0.0);
      for (std::size_t c = 0; c < categories; ++c) {
        for (std::size_t i = 0; i < 3; ++i) p[c] += w[i] * row.logs[i][c];
      }
      const double highest = *std::max_element(p.begin(), p.end());
      const double of_label = p[row.label] - highest;
      double sum = 0;
      for (double& each : p) sum += each = std::exp(each - highest);
      value -= of_label - std::log(sum);
      for (std::size_t i = 0; i < 3; ++i) {
        double mean = 0;
        for (std::size_t c = 0; c < categories; ++c) mean += p[c] / sum * row.logs[i][c];
        gradient[i] += mean - row.logs[i][row.label];
      }
    }
    const auto count = static_cast<double>(rows.size());
    for (double& each : gradient) each /= count;
    return value / count;
  };
  return Minimize(loss, weights, 50, 1e-7);
}

void SetRegression(const std::vector<double>& parameters, std::size_t dimension, std::size_t categories,
                   v1::EncoderHead& head) {
  head.clear_weights();
  head.clear_bias();
  for (std::size_t c = 0; c < categories; ++c) {
    for (std::size_t d = 0; d < dimension; ++d) head.add_weights(static_cast<float>(parameters[d * categories + c]));
    head.add_bias(static_cast<float>(parameters[dimension * categories + c]));
  }
}

void SetNeighbours(const classifier::StoredVectors& neighbours, v1::EncoderHead& head) {
  head.clear_neighbours();
  head.clear_neighbour_scales();
  head.clear_neighbour_categories();
  for (std::size_t row = 0; row < neighbours.size(); ++row) {
    const auto values = neighbours.values(row);
    head.mutable_neighbours()->append(reinterpret_cast<const char*>(values.data()), values.size());
    head.add_neighbour_scales(neighbours.scale(row));
    head.add_neighbour_categories(neighbours.category(row));
  }
}

// Evenly, when there are more than kMaxNeighbours.
classifier::StoredVectors NeighboursOf(const std::vector<const EmbeddedRow*>& rows, std::size_t dimension) {
  classifier::StoredVectors neighbours(dimension);
  const std::size_t kept = std::min(rows.size(), kMaxNeighbours);
  for (std::size_t i = 0; i < kept; ++i) {
    const EmbeddedRow& row = *rows[i * rows.size() / kept];
    neighbours.Add(row.embedding, row.label);
  }
  return neighbours;
}

// What was chosen and fitted on the held-out rows.
struct Choice {
  double loss = std::numeric_limits<double>::infinity(), strength = 0, sharpness = 0;
  std::size_t nearest = 0;
  std::vector<double> weights;
  std::vector<double> parameters;
};

Choice Choose(const std::vector<const EmbeddedRow*>& fitted, const std::vector<const EmbeddedRow*>& held_out,
              const classifier::StoredVectors& neighbours, std::size_t categories,
              const std::function<void(double)>& progress) {
  const std::size_t dimension = neighbours.dimension();
  std::vector<Opinions> rows;
  std::vector<std::vector<classifier::NearVector>> nearest;
  for (const EmbeddedRow* row : held_out) {
    Opinions& opinions = rows.emplace_back();
    opinions.label = row->label;
    for (const float p : row->fast.probabilities) {
      opinions.logs[0].push_back(std::log(std::max(kLeastProbability, static_cast<double>(p))));
    }
    nearest.push_back(neighbours.Nearest(row->embedding, std::end(kNearest)[-1]));
  }
  progress(0.3);
  Choice best;
  std::vector<double> parameters((dimension + 1) * categories, 0.0);
  for (std::size_t s = 0; s < std::size(kStrengths); ++s) {
    FitRegression(fitted, dimension, categories, kStrengths[s], parameters);
    for (std::size_t r = 0; r < rows.size(); ++r) rows[r].logs[1] = LinearLogs(*held_out[r], categories, parameters);
    std::vector<double> weights = {0.4, 0.4, 0.4};
    for (const std::size_t count : kNearest) {
      for (const double sharpness : kSharpness) {
        for (std::size_t r = 0; r < rows.size(); ++r) {
          rows[r].logs[2] = VoteLogProbabilities(neighbours, nearest[r], count, sharpness, categories);
        }
        const double loss = FitWeights(rows, weights);
        if (loss < best.loss) best = {loss, kStrengths[s], sharpness, count, weights, parameters};
      }
    }
    progress(0.3 + 0.5 * static_cast<double>(s + 1) / static_cast<double>(std::size(kStrengths)));
  }
  return best;
}

// The fast lane's probability of being right. From too few rows, or where it is right (or wrong) in all of them,
// nothing can be fitted: then the sum of the two dispersions orders the requests, with the thresholds of these rows.
gate::CascadeGate LaneGate(const CascadeRows& rows) {
  if (auto fit = FitGate(rows, {gate::GateKind::kLogistic})) return std::move(fit->gate);
  gate::CascadeGate gate;
  gate.kind = gate::GateKind::kLogistic;
  gate.source = gate::SignalSource::kOptions;
  gate.inputs = {gate::Signal::kVariance, gate::Signal::kEntropy};
  gate.weights = {1, 1};
  gate.bias = -1;
  std::vector<double> confidence, weak, strong;
  for (const CascadeRow& row : rows.rows) {
    confidence.push_back(gate::Confidence(gate, SignalsOf(row, 0), nullptr));
    weak.push_back(row.weak);
    strong.push_back(row.strong);
  }
  gate.curve = OperatingPoints(confidence, weak, strong);
  gate.weak_quality = gate.curve.front().quality;
  gate.strong_quality = gate.curve.back().quality;
  return gate;
}

// The report, the gate and the threshold, of the head as fitted without the held-out rows.
void Measure(const std::vector<const EmbeddedRow*>& held_out, v1::EncoderHead& head) {
  const classifier::EncoderHead fitted(head, "", std::nullopt);
  std::vector<Prediction> predictions;
  CascadeRows cascade;
  cascade.categories = fitted.categories();
  std::size_t fast_right = 0, fast_certain = 0;
  for (const EmbeddedRow* row : held_out) {
    const policies::Evidence precise = *fitted.PreciseEvidence(row->fast, row->embedding);
    predictions.push_back({row->label, precise.probabilities, precise.entropy});
    CascadeRow& outcome = cascade.rows.emplace_back();
    outcome.probs.assign(row->fast.probabilities.begin(), row->fast.probabilities.end());
    outcome.categories = row->fast.probabilities;
    outcome.weak = row->fast.likeliest == row->label ? 1 : 0;
    outcome.strong = precise.likeliest == row->label ? 1 : 0;
    fast_right += row->fast.likeliest == row->label;
    fast_certain += !row->fast.uncertain;
  }
  *head.mutable_gate() = classifier::ToProto(LaneGate(cascade));
  const auto rows = static_cast<double>(held_out.size());
  const Metrics metrics = Measure(predictions, fitted.categories());
  head.mutable_report()->set_rows(static_cast<std::uint32_t>(held_out.size()));
  head.mutable_report()->set_fast_accuracy(static_cast<double>(fast_right) / rows);
  head.mutable_report()->set_precise_accuracy(metrics.accuracy);
  head.mutable_report()->set_ece(metrics.ece);
  // As many are certain as the fast lane's own threshold leaves certain.
  const double coverage = std::max(0.01, static_cast<double>(fast_certain) / rows);
  head.set_entropy_threshold(static_cast<float>(EntropyAtCoverage(predictions, coverage)));
}

}  // namespace

Result<v1::EncoderHead> FitEncoderHead(const std::vector<EmbeddedRow>& rows, const std::vector<std::string>& categories,
                                       const std::function<void(double)>& progress) {
  std::vector<const EmbeddedRow*> all, fitted, held_out;
  std::vector<bool> seen(categories.size());
  for (const EmbeddedRow& row : rows) {
    all.push_back(&row);
    (row.held_out ? held_out : fitted).push_back(&row);
    if (!row.held_out) seen[row.label] = true;
  }
  if (held_out.size() < 2 || fitted.empty()) {
    return InvalidArgument("rows", std::to_string(rows.size()) + " rows are too few to hold some out");
  }
  for (std::size_t c = 0; c < categories.size(); ++c) {
    if (!seen[c]) return InvalidArgument("rows", "no row of the category " + categories[c] + " to fit: give more rows");
  }
  const auto report = [&](double share) {
    if (progress) progress(share);
  };
  const std::size_t dimension = rows[0].embedding.size();
  const classifier::StoredVectors neighbours = NeighboursOf(fitted, dimension);
  Choice choice = Choose(fitted, held_out, neighbours, categories.size(), report);

  v1::EncoderHead head;
  head.mutable_categories()->Add(categories.begin(), categories.end());
  head.set_dimension(static_cast<std::uint32_t>(dimension));
  head.set_nearest(static_cast<std::uint32_t>(choice.nearest));
  head.set_sharpness(static_cast<float>(choice.sharpness));
  const double sum = choice.weights[0] + choice.weights[1] + choice.weights[2];
  if (!(sum > 0)) return Internal("the fitted weights of the lanes are not positive");
  head.set_fast_weight(static_cast<float>(choice.weights[0] / sum));
  head.set_linear_weight(static_cast<float>(choice.weights[1] / sum));
  head.set_neighbour_weight(static_cast<float>(choice.weights[2] / sum));
  head.set_temperature(static_cast<float>(1 / sum));
  SetRegression(choice.parameters, dimension, categories.size(), head);
  SetNeighbours(neighbours, head);
  Measure(held_out, head);
  report(0.85);

  FitRegression(all, dimension, categories.size(), choice.strength, choice.parameters);
  SetRegression(choice.parameters, dimension, categories.size(), head);
  SetNeighbours(NeighboursOf(all, dimension), head);
  report(1);
  return head;
}

}  // namespace pointsman::offline
