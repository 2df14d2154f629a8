#include "router/offline/map_solver.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "router/offline/integer_program.h"

namespace pointsman::offline {
namespace {

constexpr double kTolerance = 1e-6;  // relative, of a limit

Error Bad(std::string message) { return {ErrorClass::kCallersFault, Code::kFailedPrecondition, std::move(message)}; }

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

// Why nothing can keep the limits, as far as one limit alone says it.
std::string WhyInfeasible(const MapProblem& p, const std::vector<std::size_t>& experts) {
  std::string why;
  const auto cheapest = [&](const char* name, const std::optional<double>& limit, const std::vector<double>& of) {
    if (!limit) return;
    double least = of[experts[0]];
    for (const std::size_t m : experts) least = std::min(least, of[m]);
    if (least > *limit)
      why += std::string("; ") + name + " is " + Number(*limit) + ", but the least is " + Number(least);
  };
  cheapest("the limit on deployed parameters", p.max_deployed, p.size);
  cheapest("the limit on mean active parameters", p.max_active, p.active);
  cheapest("the limit on the mean price", p.max_price, p.price);
  return "no map keeps all limits" + (why.empty() ? "; each alone can be kept: relax one of them" : why);
}

double Sum(const std::vector<double>& of, const std::vector<double>& share, const std::vector<std::size_t>& expert) {
  double sum = 0;
  if (of.empty()) return sum;
  for (std::size_t c = 0; c < expert.size(); ++c) sum += share[c] * of[expert[c]];
  return sum;
}

bool Keeps(double value, const std::optional<double>& limit) {
  return !limit || value <= *limit + kTolerance * std::max(1.0, *limit);
}

// The figures of an assignment; false when it breaks a limit.
bool Describe(const MapProblem& p, MapSolution& s) {
  std::vector<double> served(p.allowed.size(), 0);
  s.used.assign(p.allowed.size(), false);
  s.quality = 0;
  for (std::size_t c = 0; c < s.expert.size(); ++c) {
    s.used[s.expert[c]] = true;
    served[s.expert[c]] += p.share[c];
    s.quality += p.share[c] * p.value[c][s.expert[c]];
  }
  s.deployed = 0;
  bool enough = true;
  for (std::size_t m = 0; m < s.used.size(); ++m) {
    if (!s.used[m]) continue;
    if (!p.size.empty()) s.deployed += p.size[m];
    enough &= served[m] >= p.min_share - kTolerance;
  }
  s.active = Sum(p.active, p.share, s.expert);
  s.price = Sum(p.price, p.share, s.expert);
  return enough && Keeps(s.deployed, p.max_deployed) && Keeps(s.active, p.max_active) && Keeps(s.price, p.max_price);
}

// The multipliers of the limits on averages when only the used experts are open and categories may be split.
std::vector<double> Charges(const MapProblem& p, const MapSolution& s) {
  std::vector<double> charge(p.allowed.size(), 0);
  std::vector<std::size_t> open;
  for (std::size_t m = 0; m < s.used.size(); ++m) {
    if (s.used[m]) open.push_back(m);
  }
  const std::size_t n = open.size();
  IntegerProgram program(p.share.size() * n);
  const auto each = [&](auto set) {
    for (std::size_t c = 0; c < p.share.size(); ++c) {
      for (std::size_t k = 0; k < n; ++k) set(c, k, c * n + k);
    }
  };
  for (std::size_t c = 0; c < p.share.size(); ++c) {
    program.AddRow(1, 1);
    for (std::size_t k = 0; k < n; ++k) program.Set(c * n + k, 1);
  }
  each([&](std::size_t c, std::size_t k, std::size_t column) {
    program.objective[column] = p.share[c] * p.value[c][open[k]];
  });
  std::vector<std::pair<std::size_t, const std::vector<double>*>> limits;  // row, what it limits
  const auto mean = [&](const std::optional<double>& limit, const std::vector<double>& of) {
    if (!limit) return;
    program.AddRow(0, *limit);
    each([&](std::size_t c, std::size_t k, std::size_t column) { program.Set(column, p.share[c] * of[open[k]]); });
    limits.emplace_back(program.rows() - 1, &of);
  };
  mean(p.max_active, p.active);
  mean(p.max_price, p.price);
  const std::size_t first_minimum = program.rows();
  if (p.min_share > 0) {
    for (std::size_t k = 0; k < n; ++k) {
      program.AddRow(p.min_share, 1);
      for (std::size_t c = 0; c < p.share.size(); ++c) program.Set(c * n + k, p.share[c]);
    }
  }
  const std::vector<double> price = program.Multipliers();
  if (price.empty()) return charge;
  // A multiplier's sign is known by what it limits; the solver's depends on how it turns the objective.
  for (std::size_t k = 0; k < n; ++k) {
    for (const auto& [at, of] : limits) charge[open[k]] += std::abs(price[at]) * (*of)[open[k]];
    if (p.min_share > 0) charge[open[k]] -= std::abs(price[first_minimum + k]);
  }
  return charge;
}

}  // namespace

Result<MapSolution> SolveMap(const MapProblem& p) {
  std::vector<std::size_t> experts;
  for (std::size_t m = 0; m < p.allowed.size(); ++m) {
    if (p.allowed[m]) experts.push_back(m);
  }
  if (experts.empty()) return Bad("no expert keeps the limits on latency, licence and region");
  const std::size_t categories = p.value.size(), n = experts.size();
  const auto z = [n](std::size_t c, std::size_t k) { return c * n + k; };
  const auto y = [n, categories](std::size_t k) { return categories * n + k; };

  const bool averages = p.max_active || p.max_price || p.min_share > 0;
  IntegerProgram program(categories * n + n);
  for (std::size_t c = 0; c < categories; ++c) {
    program.AddRow(1, 1);
    for (std::size_t k = 0; k < n; ++k) {
      program.Set(z(c, k), 1);
      program.objective[z(c, k)] = 100 * p.share[c] * p.value[c][experts[k]];
      program.integer[z(c, k)] = averages;
    }
    for (std::size_t k = 0; k < n; ++k) {
      program.AddRow(-1, 0);
      program.Set(z(c, k), 1);
      program.Set(y(k), -1);
    }
  }
  if (p.max_deployed) {
    program.AddRow(0, *p.max_deployed);
    for (std::size_t k = 0; k < n; ++k) program.Set(y(k), p.size[experts[k]]);
  }
  const auto mean = [&](const std::optional<double>& limit, const std::vector<double>& of) {
    if (!limit) return;
    program.AddRow(0, *limit);
    for (std::size_t c = 0; c < categories; ++c) {
      for (std::size_t k = 0; k < n; ++k) program.Set(z(c, k), p.share[c] * of[experts[k]]);
    }
  };
  mean(p.max_active, p.active);
  mean(p.max_price, p.price);
  if (p.min_share > 0) {
    for (std::size_t k = 0; k < n; ++k) {
      program.AddRow(0, 1);
      for (std::size_t c = 0; c < categories; ++c) program.Set(z(c, k), p.share[c]);
      program.Set(y(k), -p.min_share);
    }
  }

  IntegerProgram::Failure failure;
  const auto solved = program.Maximise(p.max_seconds, failure);
  if (!solved) {
    if (failure == IntegerProgram::Failure::kInfeasible) return Bad(WhyInfeasible(p, experts));
    return Bad("no map was found in " + Number(p.max_seconds) + " s (--seconds gives the solver more time)");
  }
  const std::vector<double>& found = solved->value;

  MapSolution solution;
  std::vector<std::size_t> open;
  for (std::size_t k = 0; k < n; ++k) {
    if (found[y(k)] > 0.5) open.push_back(k);
  }
  for (std::size_t c = 0; c < categories; ++c) {
    // Without limits on averages, and where a category has no traffic, the best of the open experts is as good as any.
    const bool free = !averages || p.share[c] == 0;
    std::size_t best = 0;
    double most = -1;
    for (std::size_t k = 0; k < n; ++k) {
      const bool can = free ? std::find(open.begin(), open.end(), k) != open.end() : true;
      const double rank = free ? p.value[c][experts[k]] : found[z(c, k)];
      if (can && rank > most) {
        most = rank;
        best = k;
      }
    }
    solution.expert.push_back(experts[best]);
  }
  if (!Describe(p, solution)) return Internal("the solver's map breaks a limit");
  solution.bound = solution.quality;
  if (!solved->optimal) solution.bound = std::max(solution.quality, solved->bound / 100);
  solution.gap = solution.bound - solution.quality;
  solution.charge = averages ? Charges(p, solution) : std::vector<double>(p.allowed.size(), 0);
  return solution;
}

}  // namespace pointsman::offline
