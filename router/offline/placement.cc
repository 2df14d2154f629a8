#include "router/offline/placement.h"

#include <algorithm>

#include "router/offline/format.h"
#include "router/offline/integer_program.h"

namespace pointsman::offline {
namespace {

constexpr double kScale = 100;          // of the objective, so that the solver's tolerances are small beside it
constexpr double kPriceOfACopy = 1e-6;  // in utilisation: only decides between equals

Error Bad(std::string message) { return {ErrorClass::kCallersFault, Code::kFailedPrecondition, std::move(message)}; }

// Where each variable's column is.
struct Columns {
  std::size_t experts, hosts, handoffs;
  std::size_t Copy(std::size_t e, std::size_t h) const { return e * hosts + h; }
  std::size_t Share(std::size_t e, std::size_t h) const { return experts * hosts + Copy(e, h); }
  std::size_t Together(std::size_t k, std::size_t h) const { return 2 * experts * hosts + k * hosts + h; }
  std::size_t Local(std::size_t k) const { return (2 * experts + handoffs) * hosts + k; }  // a host in common
  std::size_t Largest() const { return (2 * experts + handoffs) * hosts + handoffs; }
  std::size_t count() const { return Largest() + 1; }
};

double Load(const PlacedExpert& expert, const PlacedHost& host) { return expert.rate * expert.seconds / host.speed; }

IntegerProgram Program(const PlacementProblem& p, const Columns& at) {
  IntegerProgram program(at.count());
  const std::size_t first_continuous = at.Share(0, 0);
  for (std::size_t i = first_continuous; i < at.count(); ++i) program.integer[i] = false;
  program.upper[at.Largest()] = kNoLimit;
  program.objective[at.Largest()] = -kScale;
  for (std::size_t e = 0; e < at.experts; ++e) {
    program.AddRow(1, 1);
    for (std::size_t h = 0; h < at.hosts; ++h) program.Set(at.Share(e, h), 1);
    program.AddRow(1, static_cast<double>(p.copies));
    for (std::size_t h = 0; h < at.hosts; ++h) {
      program.Set(at.Copy(e, h), 1);
      program.objective[at.Copy(e, h)] = -kScale * kPriceOfACopy;
    }
    for (std::size_t h = 0; h < at.hosts; ++h) {
      program.AddRow(-1, 0);
      program.Set(at.Share(e, h), 1);
      program.Set(at.Copy(e, h), -1);
    }
  }
  for (std::size_t h = 0; h < at.hosts; ++h) {
    program.AddRow(0, p.hosts[h].memory_gb);
    for (std::size_t e = 0; e < at.experts; ++e) program.Set(at.Copy(e, h), p.experts[e].memory_gb);
    program.AddRow(-kNoLimit, 0);
    for (std::size_t e = 0; e < at.experts; ++e) program.Set(at.Share(e, h), Load(p.experts[e], p.hosts[h]));
    program.Set(at.Largest(), -1);
  }
  for (std::size_t k = 0; k < at.handoffs; ++k) {
    for (std::size_t h = 0; h < at.hosts; ++h) {
      for (const std::size_t e : {p.handoffs[k].from, p.handoffs[k].to}) {
        program.AddRow(-1, 0);
        program.Set(at.Together(k, h), 1);
        program.Set(at.Copy(e, h), -1);
      }
    }
    program.AddRow(-kNoLimit, 0);
    program.Set(at.Local(k), 1);
    for (std::size_t h = 0; h < at.hosts; ++h) program.Set(at.Together(k, h), -1);
    program.objective[at.Local(k)] = kScale * p.handoff_price * p.handoffs[k].rate;
  }
  return program;
}

std::string WhyInfeasible(const PlacementProblem& p) {
  const auto most = [](const PlacedHost& a, const PlacedHost& b) { return a.memory_gb < b.memory_gb; };
  const PlacedHost& largest = *std::max_element(p.hosts.begin(), p.hosts.end(), most);
  double wanted = 0, there = 0;
  for (const PlacedHost& host : p.hosts) there += host.memory_gb;
  for (const PlacedExpert& expert : p.experts) {
    wanted += expert.memory_gb;
    if (expert.memory_gb > largest.memory_gb) {
      return Format("expert %s needs %.4g GB, and the largest host, %s, has %.4g GB", expert.name.c_str(),
                    expert.memory_gb, largest.name.c_str(), largest.memory_gb);
    }
  }
  if (wanted > there) return Format("the experts need %.4g GB, and the hosts have %.4g GB", wanted, there);
  return Format("the experts (%.4g GB) do not fit into the hosts (%.4g GB) in any arrangement", wanted, there);
}

}  // namespace

Result<Placement> Place(const PlacementProblem& p) {
  const Columns at{p.experts.size(), p.hosts.size(), p.handoffs.size()};
  IntegerProgram::Failure failure;
  const auto solved = Program(p, at).Maximise(p.max_seconds, failure);
  if (!solved) {
    if (failure == IntegerProgram::Failure::kInfeasible) return Bad(WhyInfeasible(p));
    return Bad(Format("no placement was found in %.4g s (--seconds gives the solver more time)", p.max_seconds));
  }
  Placement placement;
  placement.memory_gb.assign(at.hosts, 0);
  placement.utilisation.assign(at.hosts, 0);
  std::size_t copies = 0;
  for (std::size_t e = 0; e < at.experts; ++e) {
    std::vector<bool>& copy = placement.copy.emplace_back();
    std::vector<double>& share = placement.share.emplace_back();
    for (std::size_t h = 0; h < at.hosts; ++h) {
      copy.push_back(solved->value[at.Copy(e, h)] > 0.5);
      share.push_back(copy.back() ? std::clamp(solved->value[at.Share(e, h)], 0.0, 1.0) : 0);
      copies += copy.back();
      if (copy.back()) placement.memory_gb[h] += p.experts[e].memory_gb;
      placement.utilisation[h] += share.back() * Load(p.experts[e], p.hosts[h]);
    }
  }
  placement.largest = *std::max_element(placement.utilisation.begin(), placement.utilisation.end());
  for (const HandOff& handoff : p.handoffs) {
    bool local = false;
    for (std::size_t h = 0; h < at.hosts; ++h) {
      local |= placement.copy[handoff.from][h] && placement.copy[handoff.to][h];
    }
    if (!local) placement.remote_handoffs += handoff.rate;
  }
  if (!solved->optimal) {
    double local_rate = 0;
    for (const HandOff& handoff : p.handoffs) local_rate += handoff.rate;
    const double value = -placement.largest + p.handoff_price * (local_rate - placement.remote_handoffs) -
                         kPriceOfACopy * static_cast<double>(copies);
    placement.gap = std::max(0.0, solved->bound / kScale - value);
  }
  return placement;
}

}  // namespace pointsman::offline
