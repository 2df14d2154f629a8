#include "router/offline/evaluate_map.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_set>

#include "config/checksum.h"
#include "router/offline/budget.h"
#include "router/offline/experts_file.h"
#include "router/offline/posteriors.h"
#include "router/offline/score_predictor.h"

namespace pointsman::offline {
namespace {

Error Bad(std::string message) { return InvalidArgument("options", std::move(message)); }

// Costs of the experts and what is learnt from, as one value.
struct Data {
  std::vector<ExpertFacts> facts;  // empty without an experts file
  Outcomes train, test;
  std::vector<std::string> train_text, test_text;  // empty with `gold`
  std::vector<double> cost;                        // by expert; 0 where nothing is known
  bool has_active = false, has_price = false;
};

// Says what is wrong when a row may be learnt from and measured on.
Result<void> CheckApart(const EvaluateMapOptions& o, const Data& data) {
  std::unordered_set<std::string> ids;
  for (const Outcome& row : data.train.rows) {
    if (!row.id.empty()) ids.insert(row.id);
  }
  const auto both = std::count_if(data.test.rows.begin(), data.test.rows.end(),
                                  [&](const Outcome& row) { return ids.contains(row.id); });
  if (both > 0) {
    return Bad(std::to_string(both) + " rows of " + o.test.string() + " are among the training rows of " +
               o.train.string() + " (the same id): figures would mean nothing");
  }
  return {};
}

Result<void> CheckRanges(const EvaluateMapOptions& o) {
  std::error_code ignored;
  if (!std::filesystem::equivalent(o.train, o.test, ignored)) return {};
  const HashRange train = o.train_range.value_or(HashRange{}), test = o.test_range.value_or(HashRange{});
  if (train.last <= test.first || test.last <= train.first) return {};
  return Bad(o.train.string() +
             " is both the training and the test set: split it by h, as in --train-h 0:50 --test-h 50:100");
}

// The rows' texts, from the questions file or from the outcome file.
Result<std::vector<std::string>> Texts(const Outcomes& outcomes, const std::filesystem::path& file,
                                       const std::filesystem::path& questions, QuestionText kind) {
  std::vector<std::string> texts;
  if (questions.empty()) {
    for (const Outcome& row : outcomes.rows) {
      if (row.question.empty()) {
        return Bad(file.string() + ": row " + row.id +
                   " has no question (name a file with --questions, or use --gold)");
      }
      texts.push_back(row.question);
    }
    return texts;
  }
  auto by_id = ReadQuestions(questions, kind);
  if (!by_id) return std::move(by_id).error();
  for (const Outcome& row : outcomes.rows) {
    const auto found = by_id->find(row.id);
    if (found == by_id->end()) return Bad(questions.string() + ": no question with the id \"" + row.id + "\"");
    texts.push_back(found->second);
  }
  return texts;
}

Result<Data> Read(const EvaluateMapOptions& o, bool& gold) {
  Data data;
  OutcomeOptions train{o.train, {}, o.train_range, true}, test{o.test, {}, o.test_range, true};
  if (!o.experts.empty()) {
    auto facts = ReadExpertsFile(o.experts);
    if (!facts) return std::move(facts).error();
    data.facts = *std::move(facts);
    for (const ExpertFacts& expert : data.facts) train.experts.push_back(expert.name);
  }
  auto outcomes = ReadOutcomes(train);
  if (!outcomes) return std::move(outcomes).error();
  data.train = *std::move(outcomes);
  test.experts = data.train.experts;
  outcomes = ReadOutcomes(test);
  if (!outcomes) return std::move(outcomes).error();
  data.test = *std::move(outcomes);
  if (auto apart = CheckApart(o, data); !apart) return apart.error();
  const auto all = [&data](auto has) {
    return !data.facts.empty() && std::all_of(data.facts.begin(), data.facts.end(), has);
  };
  data.has_active = all([](const ExpertFacts& e) { return e.active_billion.has_value(); });
  data.has_price = all([](const ExpertFacts& e) { return e.price.has_value(); });
  for (std::size_t m = 0; m < data.train.experts.size(); ++m) {
    data.cost.push_back(data.has_active ? *data.facts[m].active_billion : data.has_price ? *data.facts[m].price : 0);
  }
  const bool inside = !data.train.rows[0].question.empty() && !data.test.rows[0].question.empty();
  gold = o.gold || (o.questions.empty() && !inside);
  if (gold) return data;
  auto texts = Texts(data.train, o.train, o.questions, o.text);
  if (!texts) return std::move(texts).error();
  data.train_text = *std::move(texts);
  texts = Texts(data.test, o.test, o.test_questions.empty() ? o.questions : o.test_questions, o.text);
  if (!texts) return std::move(texts).error();
  data.test_text = *std::move(texts);
  return data;
}

// Certain distributions: the categories that the rows name. One that the training rows do not have is spread as the
// training rows are.
Posteriors GoldPosteriors(const Data& data) {
  const std::size_t categories = data.train.categories.size();
  Posteriors posteriors{Matrix(data.train.rows.size(), categories), Matrix(data.test.rows.size(), categories)};
  std::vector<float> share(categories, 0);
  for (std::size_t i = 0; i < data.train.rows.size(); ++i) {
    const std::uint32_t c = data.train.rows[i].category;
    posteriors.train.Row(i)[c] = 1;
    share[c] += 1.0F / static_cast<float>(data.train.rows.size());
  }
  for (std::size_t i = 0; i < data.test.rows.size(); ++i) {
    const std::string& name = data.test.categories[data.test.rows[i].category];
    const auto found = std::find(data.train.categories.begin(), data.train.categories.end(), name);
    if (found != data.train.categories.end()) {
      posteriors.test.Row(i)[static_cast<std::size_t>(found - data.train.categories.begin())] = 1;
    } else {
      std::copy(share.begin(), share.end(), posteriors.test.Row(i).begin());
    }
  }
  return posteriors;
}

std::optional<double> CategoryAccuracy(const Data& data, const Posteriors& posteriors) {
  double right = 0, known = 0;
  for (std::size_t i = 0; i < data.test.rows.size(); ++i) {
    const std::string& name = data.test.categories[data.test.rows[i].category];
    const auto found = std::find(data.train.categories.begin(), data.train.categories.end(), name);
    if (found == data.train.categories.end()) continue;
    const auto row = posteriors.test.Row(i);
    right += std::max_element(row.begin(), row.end()) - row.begin() == found - data.train.categories.begin();
    ++known;
  }
  return known > 0 ? std::optional(right / known) : std::nullopt;
}

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
bool ClearlyBetter(const Data& data, const Rule& rule, const Rule& simplest) {
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

void Describe(const Data& data, const std::vector<std::size_t>& chosen, MapEvaluation& e) {
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
  if (auto apart = CheckRanges(options); !apart) return apart.error();
  MapEvaluation e;
  auto read = Read(options, e.gold);
  if (!read) return std::move(read).error();
  const Data& data = *read;
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

  Posteriors posteriors;
  std::vector<std::string_view> train_texts(data.train_text.begin(), data.train_text.end());
  std::vector<std::string_view> test_texts(data.test_text.begin(), data.test_text.end());
  if (e.gold) {
    posteriors = GoldPosteriors(data);
  } else {
    std::vector<std::uint32_t> labels;
    for (const Outcome& row : data.train.rows) labels.push_back(row.category);
    auto fitted =
        CrossFitPosteriors(train_texts, labels, data.train.categories, test_texts, stage("fitting classifiers"));
    if (!fitted) return std::move(fitted).error();
    posteriors = *std::move(fitted);
    e.category_accuracy = CategoryAccuracy(data, posteriors);
  }

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
