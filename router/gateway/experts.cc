#include "router/gateway/experts.h"

namespace pointsman::gateway {

void DescribeExperts(const config::Config& config, std::span<const std::unique_ptr<backends::Backend>> backends,
                     google::protobuf::RepeatedPtrField<v1::Expert>& out) {
  for (std::size_t i = 0; i < config.experts.size(); ++i) {
    const config::Expert& expert = config.experts[i];
    v1::Expert& e = *out.Add();
    e.set_name(expert.name);
    e.set_description(expert.description);
    if (const auto* local = std::get_if<config::LocalBackend>(&expert.backend)) {
      e.set_backend("local");
      e.set_model(local->model);
    } else if (expert.zero_cost()) {
      e.set_backend("zero_cost");
    } else {
      e.set_backend("openai");
      e.set_model(std::get<config::OpenAiBackend>(expert.backend).model);
    }
    for (config::Capability capability : config::kAllCapabilities) {
      if (expert.capabilities & capability) e.add_capabilities(std::string(config::Name(capability)));
    }
    e.set_context(expert.context);
    if (expert.parameters) e.set_parameters_billion(*expert.parameters);
    if (expert.price) {
      e.set_input_usd_per_million(expert.price->input);
      e.set_output_usd_per_million(expert.price->output);
    }
    std::string reason = backends[i] ? backends[i]->Unavailable() : "";
    e.set_available(reason.empty());
    e.set_unavailable_reason(std::move(reason));
  }
}

}  // namespace pointsman::gateway
