#include "router/offline/map_solver.h"

#include <coin/Cbc_C_Interface.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

namespace pointsman::offline {
namespace {

constexpr double kTolerance = 1e-6;  // relative, of a limit

Error Bad(std::string message) { return {ErrorClass::kCallersFault, Code::kFailedPrecondition, std::move(message)}; }

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

// Rows of the constraint matrix, and from them the columns that CBC wants.
class Program {
 public:
  explicit Program(std::size_t columns) : entries_(columns), objective(columns, 0), integer(columns, true) {}

  void AddRow(double lower, double upper) {
    lower_.push_back(lower);
    upper_.push_back(upper);
  }
  // In the row that was added last.
  void Set(std::size_t column, double value) {
    entries_[column].push_back({static_cast<int>(lower_.size()) - 1, value});
  }

  using Model = std::unique_ptr<Cbc_Model, void (*)(Cbc_Model*)>;
  Model Build() const {
    std::vector<CoinBigIndex> start = {0};
    std::vector<int> index;
    std::vector<double> value;
    for (const auto& column : entries_) {
      for (const auto& [row, coefficient] : column) {
        index.push_back(row);
        value.push_back(coefficient);
      }
      start.push_back(static_cast<CoinBigIndex>(index.size()));
    }
    const std::vector<double> zero(entries_.size(), 0), one(entries_.size(), 1);
    Model model(Cbc_newModel(), Cbc_deleteModel);
    Cbc_setLogLevel(model.get(), 0);
    Cbc_loadProblem(model.get(), static_cast<int>(entries_.size()), static_cast<int>(lower_.size()), start.data(),
                    index.data(), value.data(), zero.data(), one.data(), objective.data(), lower_.data(),
                    upper_.data());
    for (std::size_t i = 0; i < integer.size(); ++i) {
      if (integer[i]) Cbc_setInteger(model.get(), static_cast<int>(i));
    }
    Cbc_setObjSense(model.get(), -1);
    return model;
  }

 private:
  struct Entry {
    int row;
    double value;
  };
  std::vector<std::vector<Entry>> entries_;  // by column
  std::vector<double> lower_, upper_;        // by row

 public:
  std::vector<double> objective;
  std::vector<bool> integer;
};

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
  Program program(categories * n + n);
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

  const Program::Model model = program.Build();
  Cbc_setParameter(model.get(), "logLevel", "0");
  Cbc_setParameter(model.get(), "increment", "1e-9");  // the default passes over improvements under 1e-5
  Cbc_setParameter(model.get(), "ratioGap", "0");
  Cbc_setParameter(model.get(), "allowableGap", "0");
  Cbc_setParameter(model.get(), "seconds", std::to_string(p.max_seconds).c_str());
  Cbc_solve(model.get());
  const double* found = Cbc_bestSolution(model.get());
  if (found == nullptr) {
    if (Cbc_isProvenInfeasible(model.get())) return Bad(WhyInfeasible(p, experts));
    return Bad("no map was found in " + Number(p.max_seconds) + " s (--seconds gives the solver more time)");
  }

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
  if (!Cbc_isProvenOptimal(model.get())) {
    solution.bound = std::max(solution.quality, Cbc_getBestPossibleObjValue(model.get()) / 100);
  }
  solution.gap = solution.bound - solution.quality;
  return solution;
}

}  // namespace pointsman::offline
