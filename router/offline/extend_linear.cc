#include "router/offline/extend_linear.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "router/classifier/features.h"
#include "router/offline/minimize.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kMostSteps = 200;
constexpr double kTolerance = 1e-6;
constexpr std::uint64_t kBackgroundSeed = 1;

struct Count {
  std::uint32_t row;
  float count;  // divided by the root of all occurrences
};

std::vector<Count> CountFeatures(std::string_view text, const v1::LinearClassifier& model) {
  std::vector<std::uint32_t> rows;
  classifier::StreamFeatures(text, model.max_bytes(), [&](const classifier::Feature& feature) {
    rows.push_back(feature.Row(model.bucket_bits()));
  });
  std::sort(rows.begin(), rows.end());
  std::vector<Count> counts;
  for (const std::uint32_t row : rows) {
    if (counts.empty() || counts.back().row != row) counts.push_back({row, 0});
    ++counts.back().count;
  }
  for (Count& count : counts) count.count /= std::sqrt(static_cast<float>(rows.size()));
  return counts;
}

// Buckets without an idf that enough fresh texts have get the largest one, as training gives its rarest features.
void OpenBuckets(std::span<const WeightedText> texts, std::span<const std::vector<Count>> counts,
                 std::uint32_t min_texts, v1::LinearClassifier& model) {
  std::unordered_map<std::uint32_t, std::uint32_t> unseen;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].fresh) continue;
    for (const Count& count : counts[i]) {
      if (model.idf()[count.row] == 0 && ++unseen[count.row] == min_texts) (*model.mutable_idf())[count.row] = '\xFF';
    }
  }
}

// One text as the fit sees it.
struct Row {
  std::vector<std::pair<std::uint32_t, float>> features;  // of those that can change: number, value
  std::vector<double> offset;                             // logit of each column that is fitted, before its change
  double others;                                          // ln of the sum of exp(logit) of the columns that stay
  std::size_t column;                                     // its category's, or as many as there are
  double weight;
};

double WeightAt(const v1::LinearClassifier& model, std::size_t row, std::size_t column) {
  const auto columns = static_cast<std::size_t>(model.categories_size());
  return static_cast<double>(static_cast<std::int8_t>(model.weights()[row * columns + column])) *
         static_cast<double>(model.scales(static_cast<int>(column)));
}

// The share of the texts that the model was fitted on which have a bucket: softmax.cc's idf, turned round.
double TextShare(const v1::LinearClassifier& model, std::uint32_t bucket, const ExtendOptions& options) {
  const auto n = static_cast<double>(options.old_texts);
  const double most = 1 + std::log((1 + n) / (1.0 + std::min<double>(options.min_texts, n)));
  const double idf = static_cast<std::uint8_t>(model.idf()[bucket]) * most / 255;
  return std::clamp(((1 + n) * std::exp(1 - idf) - 1) / n, 0.0, 1.0);
}

// See ExtendLinear: features that all texts have, for those that are not fresh. A value is the mean of the fresh texts.
void AddBackground(std::span<const WeightedText> texts, std::span<const std::uint32_t> buckets,
                   const ExtendOptions& options, const v1::LinearClassifier& model, std::vector<Row>& rows) {
  std::vector<double> sum(buckets.size()), count(buckets.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!texts[i].fresh) continue;
    for (const auto& [f, value] : rows[i].features) {
      sum[f] += value;
      ++count[f];
    }
  }
  std::vector<double> share;
  for (const std::uint32_t bucket : buckets) share.push_back(TextShare(model, bucket, options));
  SplitMix random(kBackgroundSeed);
  std::vector<bool> has(buckets.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (texts[i].fresh) continue;
    std::fill(has.begin(), has.end(), false);
    for (const auto& [f, value] : rows[i].features) has[f] = true;
    for (std::uint32_t f = 0; f < buckets.size(); ++f) {
      const bool drawn = static_cast<double>(random.Next() >> 11) * 0x1p-53 < share[f];
      if (drawn && !has[f]) rows[i].features.emplace_back(f, static_cast<float>(sum[f] / count[f]));
    }
  }
}

class Fit {
 public:
  Fit(std::vector<Row> rows, std::size_t columns, std::size_t features, double ridge)
      : rows_(std::move(rows)), columns_(columns), features_(features), ridge_(ridge) {}

  // Of a column: the changes of its weights, then of its bias.
  std::size_t stride() const { return features_ + 1; }

  std::vector<double> Solve() const {
    std::vector<double> x(columns_ * stride());
    Minimize([this](std::span<const double> at, std::span<double> gradient) { return Look(at, gradient); }, x,
             kMostSteps, kTolerance);
    return x;
  }

 private:
  double Look(std::span<const double> x, std::span<double> gradient) const {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double loss = 0;
    for (std::size_t k = 0; k < columns_; ++k) {
      for (std::size_t f = 0; f < features_; ++f) {
        const double w = x[k * stride() + f];
        loss += ridge_ / 2 * w * w;
        gradient[k * stride() + f] = ridge_ * w;
      }
    }
    std::vector<double> z(columns_);
    for (const Row& row : rows_) {
      double highest = row.others;
      for (std::size_t k = 0; k < columns_; ++k) {
        const double* const w = &x[k * stride()];
        z[k] = row.offset[k] + w[features_];
        for (const auto& [f, value] : row.features) z[k] += w[f] * value;
        highest = std::max(highest, z[k]);
      }
      double total = std::exp(row.others - highest);
      for (const double logit : z) total += std::exp(logit - highest);
      const double all = highest + std::log(total);
      loss += row.weight * (all - (row.column < columns_ ? z[row.column] : row.others));
      for (std::size_t k = 0; k < columns_; ++k) {
        const double slope = row.weight * (std::exp(z[k] - all) - (k == row.column ? 1 : 0));
        double* const g = &gradient[k * stride()];
        g[features_] += slope;
        for (const auto& [f, value] : row.features) g[f] += slope * value;
      }
    }
    return loss;
  }

  std::vector<Row> rows_;
  std::size_t columns_, features_;
  double ridge_;
};

// The columns that are fitted, of C, ascending.
std::vector<std::uint32_t> FreeColumns(std::span<const WeightedText> texts) {
  std::vector<std::uint32_t> columns;
  for (const WeightedText& text : texts) {
    if (text.fresh) columns.push_back(text.category);
  }
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

void AppendColumns(std::span<const std::string> names, v1::LinearClassifier& model) {
  const auto before = static_cast<std::size_t>(model.categories_size());
  const std::size_t after = before + names.size();
  std::string weights(model.idf().size() * after, '\0');
  for (std::size_t row = 0; row < model.idf().size(); ++row) {
    std::copy_n(model.weights().begin() + static_cast<std::ptrdiff_t>(row * before), before,
                weights.begin() + static_cast<std::ptrdiff_t>(row * after));
  }
  model.set_weights(std::move(weights));
  for (const std::string& name : names) {
    model.add_categories(name);
    model.add_scales(0);
    model.add_bias(0);
  }
}

// Adds the changes to a column and makes int8 of it again.
void ChangeColumn(std::size_t column, std::span<const std::uint32_t> buckets, const double* change, double bias,
                  v1::LinearClassifier& model) {
  const auto columns = static_cast<std::size_t>(model.categories_size());
  std::vector<double> weights(model.idf().size());
  for (std::size_t row = 0; row < weights.size(); ++row) weights[row] = WeightAt(model, row, column);
  for (std::size_t f = 0; f < buckets.size(); ++f) weights[buckets[f]] += change[f];
  double largest = 0;
  for (const double weight : weights) largest = std::max(largest, std::abs(weight));
  const double unit = largest > 0 ? 127 / largest : 0;
  for (std::size_t row = 0; row < weights.size(); ++row) {
    (*model.mutable_weights())[row * columns + column] = static_cast<char>(std::lround(weights[row] * unit));
  }
  model.set_scales(static_cast<int>(column), static_cast<float>(largest / 127));
  model.set_bias(static_cast<int>(column), model.bias(static_cast<int>(column)) + static_cast<float>(bias));
}

}  // namespace

void ExtendLinear(std::span<const WeightedText> texts, std::span<const std::string> names, const ExtendOptions& options,
                  v1::LinearClassifier& model) {
  AppendColumns(names, model);
  std::vector<std::vector<Count>> counts;
  for (const WeightedText& text : texts) counts.push_back(CountFeatures(text.text, model));
  OpenBuckets(texts, counts, options.min_texts, model);

  std::vector<std::uint32_t> buckets;  // that can change
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].fresh) continue;
    for (const Count& count : counts[i]) {
      if (model.idf()[count.row] != 0) buckets.push_back(count.row);
    }
  }
  std::sort(buckets.begin(), buckets.end());
  buckets.erase(std::unique(buckets.begin(), buckets.end()), buckets.end());
  std::unordered_map<std::uint32_t, std::uint32_t> number;
  for (std::uint32_t f = 0; f < buckets.size(); ++f) number[buckets[f]] = f;

  const std::vector<std::uint32_t> free = FreeColumns(texts);
  const auto all = static_cast<std::size_t>(model.categories_size());
  std::vector<Row> rows;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Row row{{}, {}, -1e9, free.size(), texts[i].weight};
    std::vector<double> logits(all);
    for (const Count& count : counts[i]) {
      const double value = static_cast<double>(static_cast<std::uint8_t>(model.idf()[count.row])) * model.idf_scale() *
                           count.count / model.temperature();
      if (value == 0) continue;
      for (std::size_t c = 0; c < all; ++c) logits[c] += value * WeightAt(model, count.row, c);
      if (const auto found = number.find(count.row); found != number.end()) {
        row.features.emplace_back(found->second, static_cast<float>(value));
      }
    }
    double highest = -1e9;
    for (std::size_t c = 0; c < all; ++c) {
      logits[c] += model.bias(static_cast<int>(c)) / model.temperature();
      highest = std::max(highest, logits[c]);
    }
    double total = 0;
    for (std::size_t c = 0; c < all; ++c) {
      const auto found = std::lower_bound(free.begin(), free.end(), c);
      if (found != free.end() && *found == c) {
        row.offset.push_back(logits[c]);
        if (c == texts[i].category) row.column = static_cast<std::size_t>(found - free.begin());
      } else {
        total += std::exp(logits[c] - highest);
      }
    }
    if (total > 0) row.others = highest + std::log(total);
    rows.push_back(std::move(row));
  }
  AddBackground(texts, buckets, options, model, rows);
  const Fit fit(std::move(rows), free.size(), buckets.size(), options.ridge);
  const std::vector<double> change = fit.Solve();
  for (std::size_t k = 0; k < free.size(); ++k) {
    const double* const own = &change[k * fit.stride()];
    ChangeColumn(free[k], buckets, own, own[buckets.size()] * model.temperature(), model);
  }
}

}  // namespace pointsman::offline
