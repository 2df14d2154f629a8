#include "router/offline/evaluate_map.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "config/checksum.h"
#include "router/offline/budget.h"
#include "router/offline/score_predictor.h"

namespace pointsman::offline {
namespace {

Error Bad(std::string message) { return InvalidArgument("options", std::move(message)); }

// For each row the expert of the largest score - weight * cost.
std::vector<std::size_t> Choose(const Matrix& scores, const std::vector<double>& cost, double weight) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < scores.rows; ++i) {
    chosen.push_back(BestFor(scores.Row(i), cost, weight, std::numeric_limits<double>::infinity()));
  }
  return chosen;
}

// Likewise under a budget, request by request. The file may be sorted by category, traffic is not: the requests come in
// the order of a hash of their ids.
std::vector<std::size_t> ChooseUnder(double budget, const Matrix& scores, const std::vector<double>& cost,
                                     double weight, const Outcomes& outcomes) {
  std::vector<std::pair<std::string, std::size_t>> order;
  for (std::size_t i = 0; i < scores.rows; ++i) {
    const std::string& id = outcomes.rows[i].id;
    order.emplace_back(config::Sha256Hex(id.empty() ? std::to_string(i) : id), i);
  }
  std::sort(order.begin(), order.end());
  BudgetPacer pacer(budget, weight);
  std::vector<std::size_t> chosen(scores.rows);
  for (const auto& [hash, i] : order) chosen[i] = pacer.Choose(scores.Row(i), cost);
  return chosen;
}

double MeanCost(const std::vector<std::size_t>& chosen, const std::vector<double>& cost) {
  double sum = 0;
  for (const std::size_t m : chosen) sum += cost[m];
  return sum / static_cast<double>(chosen.size());
}

double MeanScore(const Outcomes& outcomes, const std::vector<std::size_t>& chosen) {
  double sum = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) sum += outcomes.rows[i].scores[chosen[i]];
  return sum / static_cast<double>(chosen.size());
}

// The least weight at which the mean cost of the training rows keeps to the budget. The mean cost falls as the weight
// grows.
double CostWeight(const Matrix& scores, const std::vector<double>& cost, double budget) {
  const auto keeps = [&](double weight) { return MeanCost(Choose(scores, cost, weight), cost) <= budget; };
  if (keeps(0)) return 0;
  double low = 0, high = 1e-6;
  while (!keeps(high) && high < 1e6) high *= 2;  // at the end all take the cheapest
  for (int step = 0; step < 40; ++step) {
    const double middle = (low + high) / 2;
    (keeps(middle) ? high : low) = middle;
  }
  return high;
}

struct Rule {
  const char* name;
  PredictedScores scores;
  double weight = 0, train_accuracy = 0;
};

// Whether, on the training rows, `rule` does better than the simplest one by more than a standard error of the paired
// difference (the one-standard-error rule, Breiman et al. 1984, section 3.4.3).
bool ClearlyBetter(const RoutingRows& data, const Rule& rule, const Rule& simplest) {
  const auto chosen = Choose(rule.scores.train, data.cost, rule.weight);
  const auto simple = Choose(simplest.scores.train, data.cost, simplest.weight);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::vector<float>& scores = data.train.rows[i].scores;
    const double difference = scores[chosen[i]] - scores[simple[i]];
    sum += difference;
    squares += difference * difference;
  }
  return sum > std::sqrt(std::max(0.0, squares - sum * sum / static_cast<double>(chosen.size())));
}

PredictedScores MeanOf(const PredictedScores& a, const PredictedScores& b) {
  PredictedScores mean = a;
  for (std::size_t i = 0; i < mean.train.data.size(); ++i) mean.train.data[i] = (a.train.data[i] + b.train.data[i]) / 2;
  for (std::size_t i = 0; i < mean.test.data.size(); ++i) mean.test.data[i] = (a.test.data[i] + b.test.data[i]) / 2;
  return mean;
}

void Describe(const RoutingRows& data, const std::vector<std::size_t>& chosen, MapEvaluation& e) {
  const std::size_t n = data.test.rows.size(), experts = data.test.experts.size();
  std::vector<double> train_mean(experts, 0);
  for (const Outcome& row : data.train.rows) {
    for (std::size_t m = 0; m < experts; ++m) train_mean[m] += row.scores[m];
  }
  const auto single =
      static_cast<std::size_t>(std::max_element(train_mean.begin(), train_mean.end()) - train_mean.begin());
  std::vector<double> mine, best, oracle, random, gain;
  e.traffic.assign(experts, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::vector<float>& scores = data.test.rows[i].scores;
    mine.push_back(scores[chosen[i]]);
    best.push_back(scores[single]);
    gain.push_back(mine.back() - best.back());
    oracle.push_back(*std::max_element(scores.begin(), scores.end()));
    random.push_back(std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(experts));
    e.traffic[chosen[i]] += 1 / static_cast<double>(n);
    if (data.has_active) e.mean_active += *data.facts[chosen[i]].active_billion / static_cast<double>(n);
    if (data.has_price) e.mean_price += *data.facts[chosen[i]].price / static_cast<double>(n);
  }
  const auto mean = [n](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
  };
  e.accuracy = mean(mine), e.accuracy_interval = BootstrapMean(mine);
  e.best_single = mean(best), e.best_single_interval = BootstrapMean(best);
  e.oracle = mean(oracle), e.oracle_interval = BootstrapMean(oracle);
  e.random = mean(random), e.random_interval = BootstrapMean(random);
  e.gain = mean(gain), e.gain_interval = BootstrapMean(gain);
  e.best_single_expert = data.test.experts[single];
  if (data.has_active) e.best_single_active = *data.facts[single].active_billion;
  if (data.has_price) e.best_single_price = *data.facts[single].price;
}

}  // namespace

Result<MapEvaluation> EvaluateMap(const EvaluateMapOptions& options) {
  MapEvaluation e;
  auto read = ReadRoutingRows(options);
  if (!read) return std::move(read).error();
  const RoutingRows& data = *read;
  e.gold = data.gold;
  if (e.gold && (options.method == ScoreMethod::kKernel || options.method == ScoreMethod::kMean)) {
    return Bad("--method kernel and mean need texts: name them with --questions, and leave --gold out");
  }
  if (options.budget) {
    if (!data.has_active && !data.has_price) {
      return Bad("--budget needs --experts with active_billion (or price) for every expert");
    }
    const double least = *std::min_element(data.cost.begin(), data.cost.end());
    if (*options.budget < least) {
      return Bad("the budget of " + std::to_string(*options.budget) + " is below the cheapest expert (" +
                 std::to_string(least) + ")");
    }
  }
  const auto stage = [&options](std::string_view name) {
    return [&options, name](double share) {
      if (options.progress) options.progress(name, share);
    };
  };

  const std::vector<std::string_view> train_texts(data.train_text.begin(), data.train_text.end());
  const std::vector<std::string_view> test_texts(data.test_text.begin(), data.test_text.end());
  auto fitted = FitPosteriors(options, data, stage("fitting classifiers"));
  if (!fitted) return std::move(fitted).error();
  const Posteriors& posteriors = *fitted;
  if (!e.gold) e.category_accuracy = CategoryAccuracy(data, posteriors);

  std::vector<Rule> rules;
  const ScoreMethod method = options.method;
  rules.push_back({"map", PredictByMap(data.train, posteriors)});
  if (!e.gold && method != ScoreMethod::kMap) {
    rules.push_back(
        {"kernel", PredictByKernel(data.train, posteriors, train_texts, test_texts, stage("fitting outcomes"))});
    rules.push_back({"mean", MeanOf(rules[0].scores, rules[1].scores)});
  }
  const std::size_t n = data.test.rows.size();
  for (Rule& rule : rules) {
    if (options.budget) rule.weight = CostWeight(rule.scores.train, data.cost, *options.budget);
    rule.train_accuracy = MeanScore(data.train, Choose(rule.scores.train, data.cost, rule.weight));
  }
  const Rule* rule = &rules[0];
  if (method == ScoreMethod::kKernel) rule = &rules[1];
  if (method == ScoreMethod::kMean) rule = &rules[2];
  if (method == ScoreMethod::kBest) {
    for (const Rule& other : rules) {
      if (other.train_accuracy > rule->train_accuracy && ClearlyBetter(data, other, rules[0])) rule = &other;
    }
  }

  const auto train_chosen = Choose(rule->scores.train, data.cost, rule->weight);
  e.n = n;
  e.train_rows = data.train.rows.size();
  e.left_out_train = data.train.incomplete;
  e.left_out_test = data.test.incomplete;
  e.experts = data.train.experts;
  e.has_active = data.has_active;
  e.has_price = data.has_price;
  e.budget = options.budget;
  e.cost_weight = rule->weight;
  e.train_accuracy = rule->train_accuracy;
  e.train_cost = MeanCost(train_chosen, data.cost);
  e.method = rule->name;
  Describe(data,
           options.budget ? ChooseUnder(*options.budget, rule->scores.test, data.cost, rule->weight, data.test)
                          : Choose(rule->scores.test, data.cost, 0),
           e);
  return e;
}

}  // namespace pointsman::offline
