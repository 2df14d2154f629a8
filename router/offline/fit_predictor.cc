#include "router/offline/fit_predictor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "router/classifier/ensemble.h"
#include "router/classifier/features.h"
#include "router/classifier/ngram_counts.h"
#include "router/classifier/predictor.h"
#include "router/offline/nonnegative.h"
#include "router/offline/ridge.h"

namespace pointsman::offline {
namespace {

using classifier::kTextStatistics;

constexpr std::size_t kFolds = 5, kLeastRows = 50, kMostCalibration = 4096;
constexpr std::uint32_t kLeastTexts = 2;  // a bucket that fewer texts have is not read
constexpr double kLabelPrior = 10;        // rows of the overall mean that a label's mean is shrunk by

// Rows have length 1, so a penalty is in units of rows. The ridges to values read the first three, those to label means
// the last three: less noise needs less penalty.
constexpr std::array kPenalties = {30.0, 10.0, 3.0, 1.0};
constexpr std::size_t kValueFirst = 0, kLabelFirst = 1, kOfEach = 3;
constexpr std::array kStatisticPenalties = {3000.0};
constexpr std::array kVectorPenalties = {100.0, 10.0};  // to values and to label means alike
constexpr std::size_t kStatisticsAt = 2 * kOfEach;
constexpr std::size_t kVectorsAt = kStatisticsAt + kStatisticPenalties.size();
constexpr std::size_t kRegressions = kVectorsAt + 2 * kVectorPenalties.size();
// The stack's own ridge, as a multiple of each regression's sum of squares: the regressions resemble each other, and a
// strong penalty weighs them by how well each does alone. Chosen by cross-validation; from 0 to 10 it changes little.
constexpr double kStackPenalty = 1;

std::string NameOf(std::size_t regression) {
  char name[64];
  if (regression < kOfEach) {
    std::snprintf(name, sizeof name, "n-grams to value, penalty %g", kPenalties[kValueFirst + regression]);
  } else if (regression < 2 * kOfEach) {
    std::snprintf(name, sizeof name, "n-grams to label mean, penalty %g",
                  kPenalties[kLabelFirst + regression - kOfEach]);
  } else if (regression < kVectorsAt) {
    std::snprintf(name, sizeof name, "statistics, penalty %g", kStatisticPenalties[regression - kStatisticsAt]);
  } else {
    const std::size_t k = regression - kVectorsAt;
    std::snprintf(name, sizeof name, "vector to %s, penalty %g", k < kVectorPenalties.size() ? "value" : "label mean",
                  kVectorPenalties[k % kVectorPenalties.size()]);
  }
  return name;
}

std::size_t FoldOf(std::string_view text) {
  std::uint64_t hash = classifier::internal::kFnvStart;
  for (const char c : text) hash = classifier::internal::FnvStep(hash, c);
  return ((hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15ULL >> 33) % kFolds;
}

// The texts as the model reads them.
struct Inputs {
  SparseRows ngrams;                  // each row of length 1; columns are the buckets that are read
  std::vector<std::uint32_t> bucket;  // of each column
  std::string idf;                    // uint8 a bucket
  std::array<float, kTextStatistics> mean{}, scale{};
  std::vector<float> statistics;  // standardised, [row][statistic]
  std::size_t dimensions = 0;     // of the vectors; 0 without an embedding
  std::vector<float> vector_mean;
  std::vector<float> vectors;  // less the mean, [row][dimension]
};

std::string InverseFrequencies(const std::vector<std::uint32_t>& texts, double n) {
  const double most = 1 + std::log((1 + n) / (1.0 + kLeastTexts));
  std::string idf(texts.size(), '\0');
  for (std::size_t b = 0; b < texts.size(); ++b) {
    if (texts[b] < kLeastTexts) continue;
    const double value = 1 + std::log((1 + n) / (1.0 + texts[b]));
    idf[b] = static_cast<char>(static_cast<std::uint8_t>(std::clamp(std::lround(255 * value / most), 1L, 255L)));
  }
  return idf;
}

void ReadNgrams(std::span<const ScoredRow> rows, const PredictorOptions& options, Inputs& inputs) {
  const std::size_t buckets = static_cast<std::size_t>(classifier::kNgramGroups) << options.bucket_bits;
  std::vector<std::uint32_t> scratch, texts(buckets);
  std::vector<classifier::NgramCount> counts, all;
  std::vector<std::size_t> begin{0};
  for (const ScoredRow& row : rows) {
    classifier::CountNgrams(row.text, options.max_bytes, options.bucket_bits, scratch, counts);
    for (const classifier::NgramCount& count : counts) ++texts[count.row];
    all.insert(all.end(), counts.begin(), counts.end());
    begin.push_back(all.size());
  }
  inputs.idf = InverseFrequencies(texts, static_cast<double>(rows.size()));
  std::vector<std::uint32_t> column(buckets);
  for (std::uint32_t b = 0; b < buckets; ++b) {
    if (inputs.idf[b] == 0) continue;
    column[b] = static_cast<std::uint32_t>(inputs.bucket.size());
    inputs.bucket.push_back(b);
  }
  SparseRows& x = inputs.ngrams;
  x.columns = inputs.bucket.size();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t first = x.value.size();
    double squares = 0;
    for (std::size_t i = begin[r]; i < begin[r + 1]; ++i) {
      const auto idf = static_cast<float>(static_cast<std::uint8_t>(inputs.idf[all[i].row]));
      if (idf == 0) continue;
      x.column.push_back(column[all[i].row]);
      x.value.push_back(std::log1p(static_cast<float>(all[i].count)) * idf);
      squares += static_cast<double>(x.value.back()) * x.value.back();
    }
    const auto norm = static_cast<float>(squares > 0 ? 1 / std::sqrt(squares) : 0);
    for (std::size_t i = first; i < x.value.size(); ++i) x.value[i] *= norm;
    x.begin.push_back(x.value.size());
  }
}

void ReadStatistics(std::span<const ScoredRow> rows, const PredictorOptions& options, Inputs& inputs) {
  constexpr double kConstant = 1e-6;  // a standard deviation below it says nothing
  std::array<double, kTextStatistics> sum{}, squares{};
  for (const ScoredRow& row : rows) {
    const classifier::TextStatistics values = classifier::StatisticsOf(row.text, options.max_bytes);
    inputs.statistics.insert(inputs.statistics.end(), values.begin(), values.end());
    for (std::size_t s = 0; s < kTextStatistics; ++s) sum[s] += values[s];
  }
  const auto n = static_cast<double>(rows.size());
  for (std::size_t i = 0; i < inputs.statistics.size(); ++i) {
    const double off = inputs.statistics[i] - sum[i % kTextStatistics] / n;
    squares[i % kTextStatistics] += off * off;
  }
  for (std::size_t s = 0; s < kTextStatistics; ++s) {
    const double deviation = std::sqrt(squares[s] / n);
    inputs.mean[s] = static_cast<float>(sum[s] / n);
    inputs.scale[s] = deviation > kConstant ? static_cast<float>(1 / deviation) : 0;
  }
  for (std::size_t i = 0; i < inputs.statistics.size(); ++i) {
    const std::size_t s = i % kTextStatistics;
    inputs.statistics[i] = classifier::Standardised(inputs.statistics[i], inputs.mean[s], inputs.scale[s]);
  }
}

void ReadVectors(std::span<const ScoredRow> rows, const PredictorOptions& options, Inputs& inputs) {
  if (options.embedding == nullptr) return;
  const classifier::StaticEmbedding embedding(*options.embedding);
  const std::size_t size = inputs.dimensions = embedding.dimensions();
  inputs.vectors.resize(rows.size() * size);
  std::vector<double> mean(size);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::span<float> vector(&inputs.vectors[r * size], size);
    classifier::EmbedText(embedding, rows[r].text, options.max_bytes, vector);
    for (std::size_t d = 0; d < size; ++d) mean[d] += vector[d] / static_cast<double>(rows.size());
  }
  inputs.vector_mean.assign(mean.begin(), mean.end());
  for (std::size_t i = 0; i < inputs.vectors.size(); ++i) inputs.vectors[i] -= inputs.vector_mean[i % size];
}

// What is learnt: column 0 the mean score over the experts, column 1 + e what expert e has above it.
std::vector<float> Targets(std::span<const ScoredRow> rows, std::size_t experts) {
  std::vector<float> y;
  for (const ScoredRow& row : rows) {
    const float mean = std::accumulate(row.scores.begin(), row.scores.end(), 0.0F) / static_cast<float>(experts);
    y.push_back(mean);
    for (const float score : row.scores) y.push_back(score - mean);
  }
  return y;
}

// All regressions, fitted on some rows.
struct Fit {
  std::vector<double> mean;          // of each target over the rows
  std::vector<RidgeWeights> ngrams;  // a penalty each; [column][to value | to label mean]
  // A penalty each; [feature][to value | to label mean].
  std::vector<std::vector<double>> statistics, vectors;
};

class Fitter {
 public:
  Fitter(std::span<const ScoredRow> rows, const Inputs& inputs, std::span<const float> y, std::size_t targets)
      : rows_(rows), inputs_(inputs), y_(y), targets_(targets) {}

  Fit On(std::span<const std::uint32_t> chosen) const {
    Fit fit;
    fit.mean.resize(targets_);
    for (const std::uint32_t r : chosen) {
      for (std::size_t t = 0; t < targets_; ++t)
        fit.mean[t] += y_[r * targets_ + t] / static_cast<double>(chosen.size());
    }
    const std::vector<float> goals = Goals(chosen, fit.mean);
    fit.ngrams = FitRidge(inputs_.ngrams, chosen, goals, 2 * targets_, kPenalties);
    fit.statistics = FitDense(inputs_.statistics, kTextStatistics, kStatisticPenalties, chosen, goals);
    if (inputs_.dimensions > 0) {
      fit.vectors = FitDense(inputs_.vectors, inputs_.dimensions, kVectorPenalties, chosen, goals);
    }
    return fit;
  }

  // What each regression says of a row, means taken off: [regression][target] added to `out`.
  void Predict(const Fit& fit, std::uint32_t row, std::span<double> out) const {
    std::array<std::vector<double>, kPenalties.size()> sums;
    for (std::size_t p = 0; p < kPenalties.size(); ++p) {
      sums[p].resize(2 * targets_);
      AddProduct(inputs_.ngrams, row, fit.ngrams[p], sums[p]);
    }
    for (std::size_t t = 0; t < targets_; ++t) {
      for (std::size_t k = 0; k < kOfEach; ++k) {
        out[k * targets_ + t] = sums[kValueFirst + k][t];
        out[(kOfEach + k) * targets_ + t] = sums[kLabelFirst + k][targets_ + t];
      }
    }
    const float* statistics = &inputs_.statistics[row * kTextStatistics];
    for (std::size_t k = 0; k < kStatisticPenalties.size(); ++k) {
      AddDense(statistics, kTextStatistics, fit.statistics[k], 0, &out[(kStatisticsAt + k) * targets_]);
    }
    for (std::size_t k = 0; k < fit.vectors.size(); ++k) {
      const float* vector = &inputs_.vectors[row * inputs_.dimensions];
      AddDense(vector, inputs_.dimensions, fit.vectors[k], 0, &out[(kVectorsAt + k) * targets_]);
      AddDense(vector, inputs_.dimensions, fit.vectors[k], targets_,
               &out[(kVectorsAt + kVectorPenalties.size() + k) * targets_]);
    }
  }

 private:
  // Centred values and centred label means, [row][2 * targets]; zero for rows that are not chosen.
  std::vector<float> Goals(std::span<const std::uint32_t> chosen, const std::vector<double>& mean) const {
    std::uint32_t labels = 0;
    for (const ScoredRow& row : rows_) labels = row.label == kNoLabel ? labels : std::max(labels, row.label + 1);
    std::vector<double> sums(labels * targets_), sizes(labels);
    for (const std::uint32_t r : chosen) {
      const std::uint32_t label = rows_[r].label;
      if (label == kNoLabel) continue;
      ++sizes[label];
      for (std::size_t t = 0; t < targets_; ++t) sums[label * targets_ + t] += y_[r * targets_ + t] - mean[t];
    }
    std::vector<float> goals(rows_.size() * 2 * targets_);
    for (const std::uint32_t r : chosen) {
      const std::uint32_t label = rows_[r].label;
      for (std::size_t t = 0; t < targets_; ++t) {
        goals[r * 2 * targets_ + t] = static_cast<float>(y_[r * targets_ + t] - mean[t]);
        if (label == kNoLabel) continue;
        goals[r * 2 * targets_ + targets_ + t] =
            static_cast<float>(sums[label * targets_ + t] / (sizes[label] + kLabelPrior));
      }
    }
    return goals;
  }

  // For each penalty the ridge regression of the goals on dense features, [row][feature].
  std::vector<std::vector<double>> FitDense(std::span<const float> features, std::size_t size,
                                            std::span<const double> penalties, std::span<const std::uint32_t> chosen,
                                            const std::vector<float>& goals) const {
    const std::size_t columns = 2 * targets_;
    std::vector<double> a(size * size), b(size * columns);
    for (const std::uint32_t r : chosen) {
      const float* z = &features[r * size];
      for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t j = 0; j <= i; ++j) a[i * size + j] += static_cast<double>(z[i]) * z[j];
        for (std::size_t t = 0; t < columns; ++t)
          b[i * columns + t] += static_cast<double>(z[i]) * goals[r * columns + t];
      }
    }
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < i; ++j) a[j * size + i] = a[i * size + j];
    }
    std::vector<std::vector<double>> weights;
    for (const double penalty : penalties) {
      std::vector<double> regular = a;
      for (std::size_t i = 0; i < size; ++i) regular[i * size + i] += penalty;
      weights.push_back(SolveDense(std::move(regular), b, columns));
    }
    return weights;
  }

  // out[t] += sum over the features of feature * weight of target first + t
  void AddDense(const float* features, std::size_t size, const std::vector<double>& weights, std::size_t first,
                double* out) const {
    for (std::size_t i = 0; i < size; ++i) {
      const double* row = &weights[i * 2 * targets_ + first];
      for (std::size_t t = 0; t < targets_; ++t) out[t] += features[i] * row[t];
    }
  }

  std::span<const ScoredRow> rows_;
  const Inputs& inputs_;
  std::span<const float> y_;
  std::size_t targets_;
};

// The weights of the regressions for one target. `predictions` = [row][regression][target], by fits without the row;
// `y` = [row][target].
std::array<double, kRegressions> Stack(std::span<const double> predictions, std::span<const float> y,
                                       std::size_t targets, std::size_t target) {
  const std::size_t n = y.size() / targets;
  std::array<double, kRegressions> centre{}, w{};
  double mean = 0;
  for (std::size_t r = 0; r < n; ++r) {
    mean += y[r * targets + target] / static_cast<double>(n);
    for (std::size_t b = 0; b < kRegressions; ++b) {
      centre[b] += predictions[(r * kRegressions + b) * targets + target] / static_cast<double>(n);
    }
  }
  std::vector<double> g(kRegressions * kRegressions), c(kRegressions);
  double total = 0;
  for (std::size_t r = 0; r < n; ++r) {
    std::array<double, kRegressions> p;
    const double off = y[r * targets + target] - mean;
    total += off * off;
    for (std::size_t b = 0; b < kRegressions; ++b)
      p[b] = predictions[(r * kRegressions + b) * targets + target] - centre[b];
    for (std::size_t i = 0; i < kRegressions; ++i) {
      c[i] += p[i] * off;
      for (std::size_t j = 0; j < kRegressions; ++j) g[i * kRegressions + j] += p[i] * p[j];
    }
  }
  std::vector<double> penalised = g;
  for (std::size_t i = 0; i < kRegressions; ++i) penalised[i * kRegressions + i] *= 1 + kStackPenalty;
  constexpr double kConstant = 1e-9;  // of the target's sum of squares: a regression that says nothing
  const std::vector<double> found = NonNegative(penalised, c, kConstant * total);
  // The penalty shrinks the sum: it gets the scale back that fits the rows best.
  double fit = 0, square = 0;
  for (std::size_t i = 0; i < kRegressions; ++i) {
    fit += found[i] * c[i];
    for (std::size_t j = 0; j < kRegressions; ++j) square += found[i] * found[j] * g[i * kRegressions + j];
  }
  for (std::size_t i = 0; i < kRegressions; ++i) w[i] = square > 0 ? found[i] * fit / square : 0;
  return w;
}

std::string Bytes(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// Of one dense feature for expert e: the sum of its regressions' weights times theirs in the stack. `first` is the
// first column of the goal, `at` the first of the regressions.
double DenseWeight(const std::vector<std::vector<double>>& weights, std::size_t penalties, std::size_t feature,
                   std::size_t first, std::size_t at, const std::vector<std::array<double, kRegressions>>& stack,
                   std::size_t e) {
  const std::size_t targets = stack.size();
  double sum = 0;
  for (std::size_t k = 0; k < penalties; ++k) {
    const double* row = &weights[k][feature * 2 * targets + first];
    sum += stack[0][at + k] * row[0] + stack[1 + e][at + k] * row[1 + e];
  }
  return sum;
}

// A linear model from the fit on all rows: every regression times its weight, in one table.
v1::Predictor Merge(const Inputs& inputs, const Fit& fit, const std::vector<std::array<double, kRegressions>>& stack,
                    const std::vector<std::string>& experts, const PredictorOptions& options) {
  const std::size_t m = experts.size(), targets = m + 1;
  v1::Predictor model;
  model.mutable_experts()->Assign(experts.begin(), experts.end());
  model.set_bucket_bits(options.bucket_bits);
  model.set_groups(classifier::kNgramGroups);
  model.set_max_bytes(options.max_bytes);
  model.set_idf(inputs.idf);
  std::vector<float> weights(inputs.idf.size() * m);
  std::vector<double> sums(targets);
  for (std::size_t c = 0; c < inputs.bucket.size(); ++c) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t k = 0; k < kOfEach; ++k) {
      const float* value = &fit.ngrams[kValueFirst + k].weight[c * 2 * targets];
      const float* label = &fit.ngrams[kLabelFirst + k].weight[c * 2 * targets + targets];
      for (std::size_t t = 0; t < targets; ++t) sums[t] += stack[t][k] * value[t] + stack[t][kOfEach + k] * label[t];
    }
    for (std::size_t e = 0; e < m; ++e) weights[inputs.bucket[c] * m + e] = static_cast<float>(sums[0] + sums[1 + e]);
  }
  model.set_weights(Bytes(weights));
  for (std::size_t s = 0; s < kTextStatistics; ++s) {
    model.add_statistic_mean(inputs.mean[s]);
    model.add_statistic_scale(inputs.scale[s]);
    for (std::size_t e = 0; e < m; ++e) {
      model.add_statistic_weights(
          static_cast<float>(DenseWeight(fit.statistics, kStatisticPenalties.size(), s, 0, kStatisticsAt, stack, e)));
    }
  }
  std::vector<double> bias(m);
  for (std::size_t e = 0; e < m; ++e) bias[e] = fit.mean[0] + fit.mean[1 + e];
  if (inputs.dimensions > 0) *model.mutable_embedding() = *options.embedding;
  for (std::size_t d = 0; d < inputs.dimensions; ++d) {
    for (std::size_t e = 0; e < m; ++e) {
      const std::size_t penalties = kVectorPenalties.size();
      const double weight = DenseWeight(fit.vectors, penalties, d, 0, kVectorsAt, stack, e) +
                            DenseWeight(fit.vectors, penalties, d, targets, kVectorsAt + penalties, stack, e);
      model.add_vector_weights(static_cast<float>(weight));
      bias[e] -= weight * inputs.vector_mean[d];
    }
  }
  for (std::size_t e = 0; e < m; ++e) model.add_bias(static_cast<float>(bias[e]));
  return model;
}

}  // namespace

Result<PredictorFit> FitPredictor(std::span<const ScoredRow> rows, const std::vector<std::string>& experts,
                                  const PredictorOptions& options,
                                  const std::function<void(std::string_view, double)>& progress) {
  if (rows.size() < kLeastRows) {
    return InvalidArgument("rows", std::to_string(rows.size()) + " rows are too few to learn from (50 or more)");
  }
  if (experts.size() < 2 || experts.size() > classifier::kMaxPredictorExperts) {
    return InvalidArgument("experts", std::to_string(experts.size()) + " experts; 2 to 64 can be predicted");
  }
  const auto show = [&](std::string_view stage, double share) {
    if (progress) progress(stage, share);
  };
  show("reading texts", 0);
  Inputs inputs;
  ReadNgrams(rows, options, inputs);
  ReadStatistics(rows, options, inputs);
  ReadVectors(rows, options, inputs);
  const std::size_t targets = experts.size() + 1, n = rows.size();
  const std::vector<float> y = Targets(rows, experts.size());
  const Fitter fitter(rows, inputs, y, targets);

  std::vector<double> predictions(n * kRegressions * targets), means(n * targets);
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    show("cross-fitting", static_cast<double>(fold) / (kFolds + 1));
    std::vector<std::uint32_t> inside, outside;
    for (std::uint32_t r = 0; r < n; ++r) (FoldOf(rows[r].text) == fold ? outside : inside).push_back(r);
    if (inside.empty()) return InvalidArgument("rows", "all rows have the same text");
    const Fit fit = fitter.On(inside);
    for (const std::uint32_t r : outside) {
      fitter.Predict(fit, r, {&predictions[r * kRegressions * targets], kRegressions * targets});
      std::copy(fit.mean.begin(), fit.mean.end(), &means[r * targets]);
    }
  }
  show("fitting on all rows", static_cast<double>(kFolds) / (kFolds + 1));
  std::vector<std::array<double, kRegressions>> stack;
  for (std::size_t t = 0; t < targets; ++t) stack.push_back(Stack(predictions, y, targets, t));
  std::vector<std::uint32_t> all(n);
  std::iota(all.begin(), all.end(), 0U);

  PredictorFit result;
  result.model = Merge(inputs, fitter.On(all), stack, experts, options);
  for (std::size_t r = 0; r < n; ++r) {
    std::vector<double> sums(&means[r * targets], &means[r * targets] + targets);
    for (std::size_t b = 0; b < kRegressions; ++b) {
      for (std::size_t t = 0; t < targets; ++t)
        sums[t] += stack[t][b] * predictions[(r * kRegressions + b) * targets + t];
    }
    for (std::size_t e = 0; e < experts.size(); ++e)
      result.cross_fitted.push_back(static_cast<float>(sums[0] + sums[1 + e]));
  }
  const std::size_t kept = std::min(n, kMostCalibration);
  std::vector<float> calibration;
  for (std::size_t k = 0; k < kept; ++k) {
    const float* row = &result.cross_fitted[k * n / kept * experts.size()];
    calibration.insert(calibration.end(), row, row + experts.size());
  }
  result.model.set_calibration(Bytes(calibration));
  for (std::size_t b = 0; b < kRegressions; ++b) {
    double deviation = 0;
    for (std::size_t t = 1; t < targets; ++t) deviation += stack[t][b] / static_cast<double>(experts.size());
    result.stack.push_back({NameOf(b), stack[0][b], deviation});
  }
  return result;
}

}  // namespace pointsman::offline
