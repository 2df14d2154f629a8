#include "router/offline/evaluate_policies.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "policies/choose.h"
#include "router/offline/map_policy.h"
#include "router/offline/policy_replay.h"
#include "router/offline/posterior_evidence.h"
#include "router/offline/random.h"
#include "router/offline/values.h"

namespace pointsman::offline {
namespace {

Error Bad(std::string message) { return InvalidArgument("options", std::move(message)); }

// One side of the rows, as policies see it.
struct Side {
  const Outcomes* outcomes = nullptr;
  std::vector<policies::Evidence> evidence;
};

struct Task {
  RoutingRows rows;
  Posteriors posteriors;
  config::Config config;
  Side train, test;
  std::vector<double> train_mean;  // by expert
};

using Results = std::vector<Replayed>;  // by row

// A policy that was replayed on both sides.
struct Candidate {
  PolicyFigures figures;
  Results train, test;
};

double Mean(const Results& results, double Replayed::*figure) {
  double sum = 0;
  for (const Replayed& r : results) sum += r.*figure;
  return sum / static_cast<double>(results.size());
}

std::vector<double> Scores(const Results& results) {
  std::vector<double> scores;
  for (const Replayed& r : results) scores.push_back(r.score);
  return scores;
}

Candidate Finish(Family family, std::string name, Results train, Results test) {
  Candidate candidate;
  PolicyFigures& f = candidate.figures;
  f.family = family;
  f.name = std::move(name);
  f.train_accuracy = Mean(train, &Replayed::score);
  f.train_active = Mean(train, &Replayed::cost);
  f.accuracy = Mean(test, &Replayed::score);
  f.active = Mean(test, &Replayed::cost);
  f.asked = Mean(test, &Replayed::asked);
  f.best_of_set = Mean(test, &Replayed::best);
  candidate.train = std::move(train);
  candidate.test = std::move(test);
  return candidate;
}

Result<std::vector<policies::Plan>> Plans(const config::Config& config, const config::Policy& policy,
                                          const Side& side) {
  std::vector<policies::Plan> plans;
  for (const policies::Evidence& evidence : side.evidence) {
    auto choice = policies::Choose(config, policy, {}, &evidence);
    if (!choice) return std::move(choice).error();
    plans.push_back(std::move(choice->plan));
  }
  return plans;
}

Results ReplayAll(const Task& task, const std::vector<policies::Plan>& plans, const Side& side) {
  Results results;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    results.push_back(Replay(plans[i], side.outcomes->rows[i], task.rows.cost));
  }
  return results;
}

// A policy without a vote, and whom it asks: what a cascade may go on to.
struct Strong {
  config::Policy policy;
  std::string name;
  std::vector<std::size_t> train_expert, test_expert;
  Results train, test;
};

Result<Strong> ReplaySingle(const Task& task, config::Policy policy, std::string name) {
  Strong strong{std::move(policy), std::move(name), {}, {}, {}, {}};
  const auto side = [&](const Side& rows, std::vector<std::size_t>& experts, Results& results) -> Result<void> {
    auto plans = Plans(task.config, strong.policy, rows);
    if (!plans) return std::move(plans).error();
    for (const policies::Plan& plan : *plans) experts.push_back(policies::First(plan).expert);
    results = ReplayAll(task, *plans, rows);
    return {};
  };
  if (auto done = side(task.train, strong.train_expert, strong.train); !done) return done.error();
  if (auto done = side(task.test, strong.test_expert, strong.test); !done) return done.error();
  return strong;
}

// The temperature of the softmax over experts under which those that were right on the training rows are most probable:
// least mean of -ln p over the rows' right experts, rows with none left out.
Result<double> FitTemperature(const Task& task, const config::Policy& map) {
  config::Policy all = map;
  all.select.rule = config::Select::kTopK;
  all.select.k = static_cast<unsigned>(task.config.experts.size());
  auto plans = Plans(task.config, all, task.train);
  if (!plans) return std::move(plans).error();
  double best = 1, least = INFINITY;
  constexpr int kSteps = 40;
  for (int step = 0; step <= kSteps; ++step) {  // 0.005 to 2, by equal factors
    const double temperature = 0.005 * std::pow(400.0, static_cast<double>(step) / kSteps);
    double loss = 0;
    for (std::size_t i = 0; i < plans->size(); ++i) {
      const auto* ensemble = std::get_if<policies::Ensemble>(&(*plans)[i]);
      if (ensemble == nullptr) return 1.0;  // one expert is in use: it has all the mass at any temperature
      const double top = ensemble->members.front().candidate.score;
      double sum = 0, right = 0, weight = 0;
      for (const policies::Member& member : ensemble->members) {
        const double logit = (member.candidate.score - top) / temperature;
        const double score = task.rows.train.rows[i].scores[member.candidate.expert];
        sum += std::exp(logit);
        right += score * logit;
        weight += score;
      }
      if (weight > 0) loss += std::log(sum) - right / weight;
    }
    if (loss >= least) continue;
    least = loss;
    best = temperature;
  }
  return best;
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

Result<void> AddSets(const Task& task, const EvaluatePoliciesOptions& options, const Strong& map,
                     std::vector<Candidate>& candidates) {
  auto temperature = FitTemperature(task, map.policy);
  if (!temperature) return std::move(temperature).error();
  config::Policy policy = map.policy;
  policy.ensemble = config::Combine::kVote;
  policy.select.temperature = *temperature;
  policy.select.most = options.top_p.most;
  const auto add = [&](Family family, const std::string& name) -> Result<void> {
    auto train = Plans(task.config, policy, task.train);
    if (!train) return std::move(train).error();
    auto test = Plans(task.config, policy, task.test);
    if (!test) return std::move(test).error();
    candidates.push_back(Finish(family, name + " of " + map.name + ", temperature " + Number(*temperature),
                                ReplayAll(task, *train, task.train), ReplayAll(task, *test, task.test)));
    return {};
  };
  policy.select.rule = config::Select::kTopK;
  for (const unsigned k : {2U, 3U}) {
    policy.select.k = k;
    if (auto added = add(Family::kTopK, "top-" + std::to_string(k)); !added) return added;
  }
  policy.select.rule = config::Select::kTopP;
  for (const double mass : options.top_p.masses) {
    policy.select.mass = mass;
    if (auto added = add(Family::kTopP, "p = " + Number(mass)); !added) return added;
  }
  return {};
}

// The three best by a map's values and by the null experts' score (docs/policies/zero-cost.md), of which there are two:
// one expert at least is among three.
Result<void> AddNulls(const Task& task, const EvaluatePoliciesOptions& options, const Strong& map,
                      std::vector<Candidate>& candidates) {
  constexpr std::size_t kNulls = 2;
  config::Config config = task.config;
  config::Policy policy = map.policy;
  policy.ensemble = config::Combine::kVote;
  policy.select.rule = config::Select::kTopK;
  policy.select.k = kNulls + 1;
  auto temperature = FitTemperature(task, map.policy);
  if (!temperature) return std::move(temperature).error();
  policy.select.temperature = *temperature;
  for (auto& [category, worth] : std::get<config::CategoryMap>(policy.score).worth) {
    worth.resize(config.experts.size() + kNulls, std::numeric_limits<double>::quiet_NaN());
  }
  for (std::size_t i = 0; i < kNulls; ++i) config.experts.emplace_back().name = "nobody " + std::to_string(i + 1);
  for (const double score : options.null_scores) {
    config::ZeroCostBackend nobody;
    nobody.kind = config::ZeroCost::kNull;
    nobody.score = score;
    for (std::size_t m = task.config.experts.size(); m < config.experts.size(); ++m) config.experts[m].backend = nobody;
    auto train = Plans(config, policy, task.train);
    if (!train) return std::move(train).error();
    auto test = Plans(config, policy, task.test);
    if (!test) return std::move(test).error();
    candidates.push_back(Finish(Family::kNull, "nobody at " + Number(score) + ", " + map.name,
                                ReplayAll(task, *train, task.train), ReplayAll(task, *test, task.test)));
  }
  return {};
}

// Groups of two to four of the cheap experts, each group best first.
std::vector<std::vector<std::size_t>> WeakGroups(const Task& task) {
  const std::vector<double>& cost = task.rows.cost;
  std::vector<std::size_t> cheap;
  for (std::size_t m = 0; m < cost.size(); ++m) {
    if (cost[m] <= *std::max_element(cost.begin(), cost.end()) / 3) cheap.push_back(m);
  }
  std::stable_sort(cheap.begin(), cheap.end(),
                   [&](std::size_t a, std::size_t b) { return task.train_mean[a] > task.train_mean[b]; });
  if (cheap.size() > 10) cheap.resize(10);  // 375 groups
  std::vector<std::vector<std::size_t>> groups;
  for (unsigned bits = 0; bits < 1U << cheap.size(); ++bits) {
    std::vector<std::size_t> group;
    for (std::size_t i = 0; i < cheap.size(); ++i) {
      if (bits >> i & 1U) group.push_back(cheap[i]);
    }
    if (group.size() >= 2 && group.size() <= 4) groups.push_back(std::move(group));
  }
  return groups;
}

struct Group {
  std::vector<std::size_t> members;
  std::vector<WeakVote> train, test;
};

// The group's answer where it is confident enough, else the strong side's; where that would ask one of the group first,
// it alone.
Results Cascade(const std::vector<WeakVote>& weak, const Group& group, double threshold,
                const std::vector<std::size_t>& expert, const Results& strong) {
  Results results;
  results.reserve(weak.size());
  for (std::size_t i = 0; i < weak.size(); ++i) {
    const bool inside = std::find(group.members.begin(), group.members.end(), expert[i]) != group.members.end();
    if (inside) {
      results.push_back(strong[i]);
    } else if (gate::KeepByThreshold(weak[i].confidence, threshold)) {
      results.push_back(weak[i].answer);
    } else {
      const Replayed &first = weak[i].answer, &then = strong[i];
      results.push_back(
          {then.score, first.cost + then.cost, first.asked + then.asked, std::max(first.best, then.best)});
    }
  }
  return results;
}

// What of a cascade must be known before it is chosen.
struct CascadeRule {
  Family family;
  std::size_t group, strong, agree;  // how many of the group must agree
  double train_accuracy, train_active;
};

// Agreement of `agree` among `count` experts, with room for rounding.
double Threshold(std::size_t agree, std::size_t count) {
  return static_cast<double>(agree) / static_cast<double>(count) - 1e-9;
}

std::string GroupName(const Task& task, const CascadeRule& rule, const Group& group, const Strong& strong) {
  std::string name = std::to_string(rule.agree) + " of";
  for (const std::size_t m : group.members)
    name += (m == group.members.front() ? " " : ", ") + task.config.experts[m].name;
  return name + " agree, else " + strong.name;
}

void AddCascades(const Task& task, const std::vector<Strong>& singles, const std::vector<Strong>& maps,
                 const std::vector<double>& budgets, const std::function<void(double)>& progress,
                 std::vector<Candidate>& candidates) {
  const auto gate = gate::SignalGate("agreement");
  std::vector<Group> groups;
  for (std::vector<std::size_t>& members : WeakGroups(task)) {
    Group group{std::move(members), {}, {}};
    for (const Outcome& row : task.rows.train.rows)
      group.train.push_back(Vote(group.members, *gate, row, task.rows.cost));
    for (const Outcome& row : task.rows.test.rows)
      group.test.push_back(Vote(group.members, *gate, row, task.rows.cost));
    groups.push_back(std::move(group));
  }
  std::vector<CascadeRule> rules;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    progress(static_cast<double>(g) / static_cast<double>(groups.size()));
    const Group& group = groups[g];
    for (const Family family : {Family::kCascade, Family::kMapCascade}) {
      const std::vector<Strong>& strong = family == Family::kCascade ? singles : maps;
      for (std::size_t s = 0; s < strong.size(); ++s) {
        const bool inside = family == Family::kCascade && std::find(group.members.begin(), group.members.end(),
                                                                    strong[s].train_expert[0]) != group.members.end();
        if (inside) continue;  // no step up
        for (std::size_t agree = 2; agree <= group.members.size(); ++agree) {
          const Results results = Cascade(group.train, group, Threshold(agree, group.members.size()),
                                          strong[s].train_expert, strong[s].train);
          rules.push_back({family, g, s, agree, Mean(results, &Replayed::score), Mean(results, &Replayed::cost)});
        }
      }
    }
  }
  std::vector<std::size_t> chosen;
  for (const Family family : {Family::kCascade, Family::kMapCascade}) {
    for (const double budget : budgets) {
      std::optional<std::size_t> best;
      for (std::size_t r = 0; r < rules.size(); ++r) {
        if (rules[r].family != family || rules[r].train_active > budget) continue;
        if (!best || rules[r].train_accuracy > rules[*best].train_accuracy) best = r;
      }
      if (best && std::find(chosen.begin(), chosen.end(), *best) == chosen.end()) chosen.push_back(*best);
    }
  }
  for (const std::size_t r : chosen) {
    const CascadeRule& rule = rules[r];
    const Group& group = groups[rule.group];
    const Strong& strong = (rule.family == Family::kCascade ? singles : maps)[rule.strong];
    const double threshold = Threshold(rule.agree, group.members.size());
    candidates.push_back(Finish(rule.family, GroupName(task, rule, group, strong),
                                Cascade(group.train, group, threshold, strong.train_expert, strong.train),
                                Cascade(group.test, group, threshold, strong.test_expert, strong.test)));
  }
}

Result<std::vector<Strong>> Singles(const Task& task) {
  std::vector<Strong> singles;
  for (std::size_t m = 0; m < task.config.experts.size(); ++m) {
    config::Policy policy;
    policy.name = task.config.experts[m].name;
    policy.score = config::Pinned{{m}};
    auto single = ReplaySingle(task, policy, policy.name);
    if (!single) return std::move(single).error();
    singles.push_back(*std::move(single));
  }
  return singles;
}

constexpr std::array<double, 6> kCharges = {0, 0.0005, 0.001, 0.002, 0.004, 0.008};  // score a billion

// Maps under limits on the mean active parameters, from the cheapest expert to what the best map without one uses.
Result<std::vector<Strong>> Maps(const Task& task, const std::function<void(double)>& progress) {
  std::vector<std::size_t> all(task.rows.train.rows.size());
  std::iota(all.begin(), all.end(), 0);
  const Values values = EstimateValues(task.rows.train, all);
  MapProblem problem;
  problem.value = values.value;
  problem.share = values.share;
  problem.active = task.rows.cost;
  problem.allowed.assign(task.config.experts.size(), true);
  auto free = SolveMap(problem);
  if (!free) return std::move(free).error();
  const double least = *std::min_element(problem.active.begin(), problem.active.end());
  std::vector<Strong> maps;
  for (std::size_t i = 0; i < kMaps; ++i) {
    progress(static_cast<double>(i) / kMaps);
    const bool last = i + 1 == kMaps;
    problem.max_active = least * std::pow(free->active / least, static_cast<double>(i) / (kMaps - 1));
    auto solution = last ? std::move(free) : SolveMap(problem);
    if (!solution) return std::move(solution).error();
    config::Policy policy;
    policy.name = last ? "map" : "map of " + Number(*problem.max_active) + " B";
    policy.score = MapOf(task.rows.train.categories, problem, *solution);
    auto map = ReplaySingle(task, policy, policy.name);
    if (!map) return std::move(map).error();
    maps.push_back(*std::move(map));
  }
  // A solved map uses few experts, too few for a vote: the values of all of them, less what a billion is charged.
  for (const double charge : kCharges) {
    MapSolution all_used;
    all_used.used.assign(task.config.experts.size(), true);
    for (const double active : problem.active) all_used.charge.push_back(charge * active);
    config::Policy policy;
    policy.name = "all values less " + Number(100 * charge) + " points a B";
    policy.score = MapOf(task.rows.train.categories, problem, all_used);
    auto map = ReplaySingle(task, policy, policy.name);
    if (!map) return std::move(map).error();
    maps.push_back(*std::move(map));
  }
  return maps;
}

std::vector<double> Difference(const Results& a, const Results& b) {
  std::vector<double> difference;
  for (std::size_t i = 0; i < a.size(); ++i) difference.push_back(a[i].score - b[i].score);
  return difference;
}

BudgetFigures Compare(double budget, const std::vector<Candidate>& candidates) {
  BudgetFigures figures{budget, std::vector<std::optional<AtBudget>>(kFamilies)};
  for (std::size_t p = 0; p < candidates.size(); ++p) {
    const PolicyFigures& f = candidates[p].figures;
    if (f.train_active > budget + 1e-9) continue;
    auto& best = figures.best[static_cast<std::size_t>(f.family)];
    if (!best || f.train_accuracy > candidates[best->policy].figures.train_accuracy) {
      best.emplace();
      best->policy = p;
    }
  }
  const auto& single = figures.best[static_cast<std::size_t>(Family::kSingle)];
  const auto& map = figures.best[static_cast<std::size_t>(Family::kMap)];
  const auto over = [&](const Candidate& candidate, const std::optional<AtBudget>& other, double& gain,
                        Interval& interval) {
    if (!other) return;
    const auto difference = Difference(candidate.test, candidates[other->policy].test);
    gain = std::accumulate(difference.begin(), difference.end(), 0.0) / static_cast<double>(difference.size());
    interval = BootstrapMean(difference);
  };
  for (auto& best : figures.best) {
    if (!best) continue;
    over(candidates[best->policy], single, best->over_single, best->over_single_interval);
    over(candidates[best->policy], map, best->over_map, best->over_map_interval);
  }
  return figures;
}

Result<void> Controls(const Task& task, PolicyEvaluation& e) {
  std::vector<double> oracle, random;
  config::Policy policy;
  policy.name = "random";
  config::Experts all(task.config.experts.size());
  std::iota(all.begin(), all.end(), 0);
  policy.score = config::Random{std::move(all)};
  SplitMix draw(0);
  constexpr std::size_t kDraws = 20;  // of each request
  for (const Outcome& row : task.rows.test.rows) {
    oracle.push_back(*std::max_element(row.scores.begin(), row.scores.end()));
    random.push_back(0);
    for (std::size_t d = 0; d < kDraws; ++d) {
      policies::RequestFacts facts;
      facts.random = static_cast<double>(draw.Next() >> 11) / 9007199254740992.0;  // 2^53
      auto choice = policies::Choose(task.config, policy, facts, nullptr);
      if (!choice) return std::move(choice).error();
      const Replayed replayed = Replay(choice->plan, row, task.rows.cost);
      random.back() += replayed.score / kDraws;
      e.random_active += replayed.cost / static_cast<double>(kDraws * task.rows.test.rows.size());
    }
  }
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  e.oracle = mean(oracle), e.oracle_interval = BootstrapMean(oracle);
  e.random = mean(random), e.random_interval = BootstrapMean(random);
  return {};
}

Side SideOf(const Outcomes& outcomes, const std::vector<std::string>& categories, const Matrix& posteriors) {
  Side side{&outcomes, {}};
  for (std::size_t i = 0; i < posteriors.rows; ++i) side.evidence.push_back(EvidenceOf(categories, posteriors.Row(i)));
  return side;
}

std::vector<std::uint32_t> Labels(const Outcomes& outcomes, const std::vector<std::string>& categories) {
  std::vector<std::uint32_t> labels;
  for (const Outcome& row : outcomes.rows) {
    const auto found = std::find(categories.begin(), categories.end(), outcomes.categories[row.category]);
    labels.push_back(found == categories.end() ? kNoLabel : static_cast<std::uint32_t>(found - categories.begin()));
  }
  return labels;
}

std::vector<double> DefaultBudgets(const Task& task) {
  const std::vector<double>& cost = task.rows.cost;
  const double least = *std::min_element(cost.begin(), cost.end());
  const auto best = static_cast<std::size_t>(std::max_element(task.train_mean.begin(), task.train_mean.end()) -
                                             task.train_mean.begin());
  std::vector<double> budgets;
  for (int i = 0; i < 6; ++i) budgets.push_back(least * std::pow(cost[best] / least, i / 5.0));
  return budgets;
}

Result<void> CheckOptions(const EvaluatePoliciesOptions& o) {
  for (const double mass : o.top_p.masses) {
    if (!(mass > 0 && mass <= 1)) return Bad("--mass " + Number(mass) + " is not in (0, 1]");
  }
  if (o.top_p.most < 1) return Bad("--most is not at least 1");
  if (!(o.top_p.mean_experts >= 1 && o.top_p.mean_experts <= o.top_p.most)) {
    return Bad("--mean-experts " + Number(o.top_p.mean_experts) + " is not from 1 to --most");
  }
  return {};
}

}  // namespace

const char* Name(Family family) {
  constexpr std::array<const char*, kFamilies> kNames = {"single",  "map",         "top_k", "top_p",
                                                         "cascade", "map_cascade", "null"};
  return kNames[static_cast<std::size_t>(family)];
}

Result<PolicyEvaluation> EvaluatePolicies(const EvaluatePoliciesOptions& options) {
  if (auto checked = CheckOptions(options); !checked) return checked.error();
  RoutingOptions read = options;
  read.answers = !options.top_p_only;
  auto rows = ReadRoutingRows(read);
  if (!rows) return std::move(rows).error();
  Task task;
  task.rows = *std::move(rows);
  if (options.top_p_only && task.rows.gold) {
    return Bad("--top-p needs texts of more than one category: name them with --questions, and leave --gold out");
  }
  if (!options.top_p_only && !task.rows.has_active) {
    return Bad("policies are compared by what they cost: name --experts with active_billion for every expert");
  }
  for (const double budget : options.budgets) {
    const double least = *std::min_element(task.rows.cost.begin(), task.rows.cost.end());
    if (budget < least) {
      return Bad("the budget of " + Number(budget) + " B is below the cheapest expert (" + Number(least) + " B)");
    }
  }
  const auto stage = [&options](std::string_view name) {
    return [&options, name](double share) {
      if (options.progress) options.progress(name, share);
    };
  };
  auto posteriors = FitPosteriors(read, task.rows, stage("fitting classifiers"));
  if (!posteriors) return std::move(posteriors).error();
  task.posteriors = *std::move(posteriors);

  PolicyEvaluation e;
  e.n = task.rows.test.rows.size();
  e.train_rows = task.rows.train.rows.size();
  e.left_out_train = task.rows.train.incomplete;
  e.left_out_test = task.rows.test.incomplete;
  e.experts = task.rows.train.experts;
  e.gold = task.rows.gold;
  const std::vector<std::string>& categories = task.rows.train.categories;
  if (!e.gold) {
    e.category_accuracy = CategoryAccuracy(task.rows, task.posteriors);
    const auto train = Labels(task.rows.train, categories), test = Labels(task.rows.test, categories);
    e.top_p = EvaluateTopP(categories, {task.posteriors.train, train}, {task.posteriors.test, test}, options.top_p);
  }
  if (options.top_p_only) return e;

  task.config = ConfigOf(e.experts);
  task.train = SideOf(task.rows.train, categories, task.posteriors.train);
  task.test = SideOf(task.rows.test, categories, task.posteriors.test);
  task.train_mean.assign(e.experts.size(), 0);
  for (const Outcome& row : task.rows.train.rows) {
    for (std::size_t m = 0; m < e.experts.size(); ++m) task.train_mean[m] += row.scores[m];
  }
  if (auto controls = Controls(task, e); !controls) return controls.error();
  const std::vector<double> budgets = options.budgets.empty() ? DefaultBudgets(task) : options.budgets;
  auto singles = Singles(task);
  if (!singles) return std::move(singles).error();
  auto maps = Maps(task, stage("solving maps"));
  if (!maps) return std::move(maps).error();
  std::vector<Candidate> candidates;
  for (const Strong& s : *singles) candidates.push_back(Finish(Family::kSingle, s.name, s.train, s.test));
  for (const Strong& s : *maps) candidates.push_back(Finish(Family::kMap, s.name, s.train, s.test));
  for (std::size_t m = 0; m < maps->size(); ++m) {
    stage("replaying sets")(static_cast<double>(m) / static_cast<double>(maps->size()));
    if (auto added = AddSets(task, options, (*maps)[m], candidates); !added) return added.error();
    if (auto added = AddNulls(task, options, (*maps)[m], candidates); !added) return added.error();
  }
  AddCascades(task, *singles, *maps, budgets, stage("replaying cascades"), candidates);
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.figures.family != b.figures.family ? a.figures.family < b.figures.family
                                                : a.figures.active < b.figures.active;
  });
  for (Candidate& candidate : candidates) {
    candidate.figures.accuracy_interval = BootstrapMean(Scores(candidate.test));
    e.policies.push_back(candidate.figures);
  }
  for (const double budget : budgets) e.budgets.push_back(Compare(budget, candidates));
  return e;
}

}  // namespace pointsman::offline
