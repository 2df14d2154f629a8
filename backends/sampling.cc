#include "backends/backend.h"

namespace pointsman::backends {

v1::Sampling EffectiveSampling(const v1::Sampling& requested, const config::SamplingDefaults& defaults) {
  v1::Sampling s = requested;
  if (!s.has_temperature() && defaults.temperature) s.set_temperature(*defaults.temperature);
  if (!s.has_top_p() && defaults.top_p) s.set_top_p(*defaults.top_p);
  if (!s.has_top_k() && defaults.top_k) s.set_top_k(*defaults.top_k);
  if (!s.has_min_p() && defaults.min_p) s.set_min_p(*defaults.min_p);
  if (!s.has_max_tokens() && defaults.max_tokens) s.set_max_tokens(*defaults.max_tokens);
  if (!s.has_frequency_penalty() && defaults.frequency_penalty) s.set_frequency_penalty(*defaults.frequency_penalty);
  if (!s.has_presence_penalty() && defaults.presence_penalty) s.set_presence_penalty(*defaults.presence_penalty);
  if (!s.has_repeat_penalty() && defaults.repeat_penalty) s.set_repeat_penalty(*defaults.repeat_penalty);
  if (!s.has_seed() && defaults.seed) s.set_seed(*defaults.seed);
  if (s.stop().empty()) {
    for (const std::string& stop : defaults.stop) s.add_stop(stop);
  }
  return s;
}

}  // namespace pointsman::backends
