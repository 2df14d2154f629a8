// config/parse.h: YAML text to a validated Config, or everything that is wrong with it, at once. Pure but for the
// secrets that the text names; what needs the file system besides is config/check.h. Any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problem.h"
#include "config/secret.h"

namespace pointsman::config {

// Either a configuration or at least one problem, sorted by place.
struct Parsed {
  std::shared_ptr<const Config> config;
  std::vector<Problem> problems;

  bool ok() const { return config != nullptr; }
};

struct ParseOptions {
  EnvLookup environment = ProcessEnvironment;
  // false: secrets that cannot be had stay empty and are no problem, so that a file can be checked where they are not.
  bool require_secrets = true;
};

// Reads and parses a file of at most 4 MiB.
Parsed Parse(const std::filesystem::path& file, const ParseOptions& options = {});

// Parses `text`. `file` is what messages call it, and its folder is what relative paths in it start from.
Parsed ParseText(std::string_view text, const std::filesystem::path& file, const ParseOptions& options = {});

}  // namespace pointsman::config
