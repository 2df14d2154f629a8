#include "router/offline/values.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pointsman::offline {
namespace {

constexpr std::size_t kFolds = 5;
constexpr int kSweeps = 20;

double Mean(double sum, double count) { return count > 0 ? sum / count : 0; }

// The additive part: mu_m and a_i, by alternating means (backfitting).
struct Layout {
  std::vector<double> expert;   // mu_m, mean 0 over the requests' weights is not needed: level is in `request`
  std::vector<double> request;  // a_i, by position in `rows`
};

Layout FitLayout(const Outcomes& outcomes, const std::vector<std::size_t>& rows) {
  const std::size_t experts = outcomes.experts.size(), categories = outcomes.categories.size();
  std::size_t scores = 0;
  for (const std::size_t i : rows) {
    for (const float s : outcomes.rows[i].scores) scores += !std::isnan(s);
  }
  const bool shared = 2 * scores >= 3 * rows.size();  // most requests were answered by several experts
  Layout fit{std::vector<double>(experts, 0), std::vector<double>(rows.size(), 0)};
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    std::vector<double> sum(experts, 0), count(experts, 0);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const Outcome& row = outcomes.rows[rows[k]];
      for (std::size_t m = 0; m < experts; ++m) {
        if (std::isnan(row.scores[m])) continue;
        sum[m] += row.scores[m] - fit.request[k];
        ++count[m];
      }
    }
    for (std::size_t m = 0; m < experts; ++m) fit.expert[m] = Mean(sum[m], count[m]);
    // The level belongs to the requests, so that an expert nobody asked counts as an average one.
    double level = 0, asked = 0;
    for (std::size_t m = 0; m < experts; ++m) {
      if (count[m] == 0) continue;
      level += fit.expert[m];
      ++asked;
    }
    for (std::size_t m = 0; m < experts; ++m) fit.expert[m] = count[m] > 0 ? fit.expert[m] - level / asked : 0;

    std::vector<double> category_sum(categories, 0), category_count(categories, 0);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const Outcome& row = outcomes.rows[rows[k]];
      double total = 0, n = 0;
      for (std::size_t m = 0; m < experts; ++m) {
        if (std::isnan(row.scores[m])) continue;
        total += row.scores[m] - fit.expert[m];
        ++n;
      }
      fit.request[k] = Mean(total, n);
      category_sum[row.category] += total;
      category_count[row.category] += n;
    }
    if (shared) continue;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const std::uint32_t c = outcomes.rows[rows[k]].category;
      fit.request[k] = Mean(category_sum[c], category_count[c]);
    }
  }
  return fit;
}

// Sums over the residuals of one cell (category, expert), in all rows and in each fold.
struct Cell {
  double count = 0, sum = 0, squares = 0;
  double fold_count[kFolds] = {}, fold_sum[kFolds] = {};
};

double Shrinkage(double between, double within, double count) {
  if (count == 0) return 0;
  if (std::isinf(between)) return 1;
  const double noise = within / count;
  return between + noise > 0 ? between / (between + noise) : 0;
}

}  // namespace

Values EstimateValues(const Outcomes& outcomes, const std::vector<std::size_t>& rows) {
  const std::size_t experts = outcomes.experts.size(), categories = outcomes.categories.size();
  const Layout fit = FitLayout(outcomes, rows);

  std::vector<std::vector<Cell>> cells(categories, std::vector<Cell>(experts));
  std::vector<Cell> difficulty(categories);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const Outcome& row = outcomes.rows[rows[k]];
    Cell& common = difficulty[row.category];
    ++common.count;
    common.sum += fit.request[k];
    common.squares += fit.request[k] * fit.request[k];
    for (std::size_t m = 0; m < experts; ++m) {
      if (std::isnan(row.scores[m])) continue;
      const double residual = row.scores[m] - fit.expert[m] - fit.request[k];
      Cell& cell = cells[row.category][m];
      ++cell.count;
      cell.sum += residual;
      cell.squares += residual * residual;
      ++cell.fold_count[k % kFolds];
      cell.fold_sum[k % kFolds] += residual;
    }
  }

  // v_m: within the cells; tau^2: what the cells' means vary by beyond that.
  std::vector<double> within(experts, 0);
  double between = 0, weight = 0;
  for (std::size_t m = 0; m < experts; ++m) {
    double squares = 0, freedom = 0;
    for (std::size_t c = 0; c < categories; ++c) {
      const Cell& cell = cells[c][m];
      if (cell.count < 2) continue;
      squares += cell.squares - cell.sum * cell.sum / cell.count;
      freedom += cell.count - 1;
    }
    within[m] = Mean(squares, freedom);
    for (std::size_t c = 0; c < categories; ++c) {
      const Cell& cell = cells[c][m];
      if (cell.count == 0) continue;
      const double mean = cell.sum / cell.count;
      between += cell.count * mean * mean - within[m];
      weight += cell.count;
    }
  }
  const double tau2 = std::max(0.0, Mean(between, weight));

  Values values;
  double least = std::numeric_limits<double>::infinity();
  for (const double scale : {1.0, 0.25, 4.0, 0.0, std::numeric_limits<double>::infinity()}) {
    const double prior = scale == 0 || tau2 == 0 ? 0 : scale * tau2;
    double error = 0;
    for (std::size_t c = 0; c < categories; ++c) {
      for (std::size_t m = 0; m < experts; ++m) {
        const Cell& cell = cells[c][m];
        for (std::size_t f = 0; f < kFolds; ++f) {
          const double n = cell.count - cell.fold_count[f];
          const double estimate = Shrinkage(prior, within[m], n) * Mean(cell.sum - cell.fold_sum[f], n);
          // Sum over the fold of (residual - estimate)^2, without the residuals' squares, which are the same for all.
          error += cell.fold_count[f] * estimate * estimate - 2 * estimate * cell.fold_sum[f];
        }
      }
    }
    if (error < least - 1e-12) {
      least = error;
      values.scale = scale;
    }
  }
  const double prior = values.scale == 0 || tau2 == 0 ? 0 : values.scale * tau2;
  values.spread = std::sqrt(tau2);

  // The category's difficulty, shrunk to the mean likewise.
  double level = 0, squares = 0, freedom = 0;
  for (const Cell& cell : difficulty) {
    level += cell.sum;
    if (cell.count < 2) continue;
    squares += cell.squares - cell.sum * cell.sum / cell.count;
    freedom += cell.count - 1;
  }
  level /= static_cast<double>(rows.size());
  const double noise = Mean(squares, freedom);
  double common = 0;
  for (const Cell& cell : difficulty) {
    if (cell.count == 0) continue;
    const double mean = cell.sum / cell.count - level;
    common += cell.count * mean * mean - noise;
  }
  common = std::max(0.0, common / static_cast<double>(rows.size()));

  for (std::size_t c = 0; c < categories; ++c) {
    const Cell& cell = difficulty[c];
    values.share.push_back(cell.count / static_cast<double>(rows.size()));
    const double base = level + Shrinkage(common, noise, cell.count) * (Mean(cell.sum, cell.count) - level);
    std::vector<double>& value = values.value.emplace_back();
    std::vector<double>& deviation = values.deviation.emplace_back();
    std::vector<std::size_t>& counts = values.rows.emplace_back();
    for (std::size_t m = 0; m < experts; ++m) {
      const Cell& mine = cells[c][m];
      const double keep = Shrinkage(prior, within[m], mine.count);
      value.push_back(std::clamp(fit.expert[m] + base + keep * Mean(mine.sum, mine.count), 0.0, 1.0));
      const double unseen = std::isinf(prior) ? 0 : prior;
      deviation.push_back(std::sqrt(mine.count > 0 ? keep * within[m] / mine.count : unseen));
      counts.push_back(static_cast<std::size_t>(mine.count));
    }
  }
  for (std::size_t m = 0; m < experts; ++m) values.overall.push_back(std::clamp(fit.expert[m] + level, 0.0, 1.0));
  return values;
}

}  // namespace pointsman::offline
