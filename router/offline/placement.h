// router/offline/placement.h: which host runs which expert.
//
// After MoETuner (arXiv 2502.06643), which places the experts of one model's layers on GPUs by two integer programmes:
// balanced load, and little traffic between devices. The form for whole models is ours: docs/placement.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace pointsman::offline {

struct PlacedHost {
  std::string name;
  double memory_gb = 0;  // > 0
  double speed = 1;      // > 0; a host of speed 2 answers in half the seconds
};

struct PlacedExpert {
  std::string name;
  double memory_gb = 0;  // of each copy, > 0
  double rate = 0;       // requests per second, >= 0
  double seconds = 0;    // that a request keeps a host of speed 1 busy, >= 0
};

// Requests per second that go from one expert to another: cascades, fallbacks, sessions.
struct HandOff {
  std::size_t from = 0, to = 0;  // experts
  double rate = 0;               // >= 0
};

struct PlacementProblem {
  std::vector<PlacedHost> hosts;      // H, at least 1
  std::vector<PlacedExpert> experts;  // E, at least 1
  std::vector<HandOff> handoffs;
  std::size_t copies = 1;    // of an expert, at most, >= 1
  double handoff_price = 0;  // in utilisation, of one hand-off per second between hosts, >= 0
  double max_seconds = 60;   // of solving
};

struct Placement {
  std::vector<std::vector<double>> share;  // [E][H]: of the expert's requests that the host answers
  std::vector<std::vector<bool>> copy;     // [E][H]
  std::vector<double> memory_gb;           // [H], used
  std::vector<double> utilisation;         // [H]: busy seconds per second; above 1 the host cannot keep up
  double largest = 0;                      // of the utilisations
  double remote_handoffs = 0;              // per second, between experts that have no host in common
  double gap = 0;                          // of the objective; 0 = proven optimal
};

// Minimises  max_h u_h + handoff_price * sum of the hand-offs between experts without a common host,
//   u_h = sum_e rate_e seconds_e f_eh / speed_h,  sum_h f_eh = 1,  0 <= f_eh <= y_eh in {0, 1},
//   1 <= sum_h y_eh <= copies,  sum_e memory_e y_eh <= memory_h
// exactly, with CBC; of equally good ones one with few copies. Errors: an expert that fits no host, memory that does
// not suffice, nothing found in max_seconds. One thread at a time.
Result<Placement> Place(const PlacementProblem& problem);

// Reads {"hosts": [{"name", "memory_gb", "speed"}], "experts": [{"name", "memory_gb", "rate", "seconds"}],
// "handoffs": [{"from", "to", "rate"}]}; speed and handoffs may be absent. Errors name the file, the entry and the key.
Result<PlacementProblem> ReadPlacementFile(const std::filesystem::path& file);

std::string PlacementText(const PlacementProblem& problem, const Placement& placement);
std::string PlacementJson(const PlacementProblem& problem, const Placement& placement);

}  // namespace pointsman::offline
