// tests/config/support.h: parsing in tests, without this machine's environment.
#pragma once

#include <map>
#include <string>

#include "config/parse.h"

namespace pointsman::config {

// Parses `text` as the file /etc/pointsman/test.yaml, with only these environment variables.
inline Parsed ParseWith(std::string_view text, std::map<std::string, std::string> environment = {},
                        bool require = true) {
  ParseOptions options;
  options.environment = [environment](const std::string& name) -> std::optional<std::string> {
    auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  options.require_secrets = require;
  return ParseText(text, "/etc/pointsman/test.yaml", options);
}

// All problems, a line each, without the file's name: "line:col: path: message".
inline std::string Problems(const Parsed& parsed) {
  std::string text;
  for (Problem problem : parsed.problems) {
    problem.file.clear();
    text += problem.ToString().substr(1) + "\n";
  }
  return text;
}

// A valid file: one local expert `tiny` over the model `small`, one remote expert `far`, the policy `all`.
inline const std::string kEngine = "engine: {models: {small: {file: small.gguf, context: 4096}}}\n";
inline const std::string kExperts =
    "experts: {tiny: {local: {model: small}}, far: {openai: {url: 'https://a.b/v1', model: m}}}\n";
inline const std::string kPolicies = "policies: {all: {score: pinned, experts: [tiny, far]}}\n";
inline const std::string kBase = kEngine + kExperts + kPolicies;

}  // namespace pointsman::config
