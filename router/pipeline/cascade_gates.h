// router/pipeline/cascade_gates.h: the gates of the policies' cascades, ready to decide.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "policies/gate/cascade_gate.h"

namespace pointsman::pipeline {

struct StageGate {
  gate::CascadeGate gate;
  double threshold = 0;  // keep where the confidence is at least this (rule: threshold)
  double shift = 0;      // of the log-odds (rule: stochastic)
  std::string checksum;  // of the gate's file; "" = it has none
};

// By policy, then by stage. Adds to `problems` what does not fit: a file that cannot be read, a gate that was fitted
// for another expert, a target that it cannot reach. Reads files; blocking.
std::vector<std::vector<StageGate>> LoadCascadeGates(const config::Config& config,
                                                     std::vector<config::Problem>& problems);

}  // namespace pointsman::pipeline
