#include "router/pipeline/mass_controllers.h"

namespace pointsman::pipeline {

MassControllers::MassControllers(const config::Config& config) {
  for (const config::Policy& policy : config.policies) {
    by_policy_.push_back(policy.select.mean_experts
                             ? std::make_unique<Guarded>(*policy.select.mean_experts, policy.select.mass)
                             : nullptr);
  }
}

std::optional<double> MassControllers::Mass(std::size_t policy) {
  if (by_policy_[policy] == nullptr) return std::nullopt;
  std::lock_guard lock(by_policy_[policy]->mutex);
  return by_policy_[policy]->controller.mass();
}

void MassControllers::Observe(std::size_t policy, std::size_t experts) {
  if (by_policy_[policy] == nullptr) return;
  std::lock_guard lock(by_policy_[policy]->mutex);
  by_policy_[policy]->controller.Observe(experts);
}

}  // namespace pointsman::pipeline
