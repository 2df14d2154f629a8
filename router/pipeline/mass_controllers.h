// router/pipeline/mass_controllers.h: the state behind `mean_experts`: one controller for each policy that has it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "config/config.h"
#include "policies/select/mass_controller.h"

namespace pointsman::pipeline {

// Shared by the shards: a target is one of all traffic. Any thread; a lock of some ten nanoseconds, taken only for
// policies with `mean_experts`.
class MassControllers {
 public:
  explicit MassControllers(const config::Config& config);

  // p for the next request of the policy (index into config.policies); unset where no controller holds it.
  std::optional<double> Mass(std::size_t policy);
  void Observe(std::size_t policy, std::size_t experts);

 private:
  struct Guarded {
    std::mutex mutex;
    select::MassController controller;
    Guarded(double target, double mass) : controller(target, mass) {}
  };
  std::vector<std::unique_ptr<Guarded>> by_policy_;  // null: no controller
};

}  // namespace pointsman::pipeline
