#include "config/keys.h"

namespace pointsman::config {
namespace {

constexpr std::string_view kKeys[] = {
    "server",
    "server.listen",
    "server.insecure",
    "server.tls",
    "server.tls.certificate",
    "server.tls.key",
    "server.metrics",
    "server.shards",
    "server.max_message",
    "engine",
    "engine.prompt_chunk",
    "engine.models",
    "engine.models.*",
    "engine.models.*.kind",
    "engine.models.*.file",
    "engine.models.*.sha256",
    "engine.models.*.context",
    "engine.models.*.slots",
    "engine.models.*.threads",
    "engine.models.*.queue",
    "engine.models.*.chat_template",
    "experts",
    "experts.*",
    "experts.*.description",
    "experts.*.local",
    "experts.*.local.model",
    "experts.*.openai",
    "experts.*.openai.url",
    "experts.*.openai.model",
    "experts.*.openai.key",
    "experts.*.openai.key.env",
    "experts.*.openai.key.file",
    "experts.*.openai.headers",
    "experts.*.openai.headers.*",
    "experts.*.openai.headers.*.env",
    "experts.*.openai.headers.*.file",
    "experts.*.openai.connect_timeout",
    "experts.*.openai.first_byte_timeout",
    "experts.*.openai.idle_timeout",
    "experts.*.openai.max_tokens_field",
    "experts.*.system",
    "experts.*.sampling",
    "experts.*.sampling.temperature",
    "experts.*.sampling.top_p",
    "experts.*.sampling.top_k",
    "experts.*.sampling.min_p",
    "experts.*.sampling.max_tokens",
    "experts.*.sampling.frequency_penalty",
    "experts.*.sampling.presence_penalty",
    "experts.*.sampling.repeat_penalty",
    "experts.*.sampling.seed",
    "experts.*.sampling.stop",
    "experts.*.capabilities",
    "experts.*.context",
    "experts.*.parameters",
    "experts.*.price",
    "experts.*.price.input",
    "experts.*.price.output",
    "experts.*.latency",
    "classifier",
    "classifier.artifact",
    "classifier.entropy_threshold",
    "classifier.history",
    "classifier.system",
    "classifier.encoder",
    "classifier.encoder.model",
    "classifier.encoder.head",
    "classifier.encoder.share",
    "classifier.encoder.timeout",
    "policies",
    "policies.*",
    "policies.*.score",
    "policies.*.map",
    "policies.*.map.*",
    "policies.*.uncertain",
    "policies.*.experts",
    "policies.*.artifact",
    "policies.*.lambda",
    "policies.*.cost",
    "policies.*.weak",
    "policies.*.strong",
    "policies.*.strong_share",
    "policies.*.select",
    "policies.*.run",
    "default_policy",
    "cache",
    "cache.memory",
    "cache.ttl",
    "tenants",
    "tenants.*",
    "tenants.*.key",
    "tenants.*.key.env",
    "tenants.*.key.file",
    "tenants.*.admin",
    "limits",
    "limits.in_flight",
    "limits.max_deadline",
    "telemetry",
    "telemetry.log_level",
    "telemetry.log_format",
    "telemetry.log_prompts",
};

}  // namespace

std::span<const std::string_view> KnownKeys() { return kKeys; }

std::vector<std::string_view> KeysUnder(std::string_view pattern) {
  std::vector<std::string_view> under;
  for (std::string_view key : kKeys) {
    if (!pattern.empty()) {
      if (key.size() <= pattern.size() || !key.starts_with(pattern) || key[pattern.size()] != '.') continue;
      key.remove_prefix(pattern.size() + 1);
    }
    if (key.find('.') == std::string_view::npos) under.push_back(key);
  }
  return under;
}

}  // namespace pointsman::config
