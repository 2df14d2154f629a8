// config/secret.h: secrets are named in the configuration, never written in it: `{env: NAME}` or `{file: PATH}`.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/value.h"

namespace pointsman::config {

// The value of an environment variable, nothing when it is not set.
using EnvLookup = std::function<std::optional<std::string>(const std::string& name)>;
// The content of a file, whole.
using FileReader = std::function<Result<std::string>(const std::filesystem::path& file)>;

// The environment of this process.
std::optional<std::string> ProcessEnvironment(const std::string& name);
// Reads up to `max_bytes`; a longer file is an error, as is a missing one or a folder.
Result<std::string> ReadWholeFile(const std::filesystem::path& file, std::size_t max_bytes);

struct Secret {
  std::string value;   // "" when it could not be had and need not be
  std::string source;  // "environment variable X" or "file F"
};

struct SecretSources {
  EnvLookup environment;
  FileReader read_file;
  std::filesystem::path folder;  // what relative file names start from
  bool required = true;          // false: a variable that is not set, or a file that cannot be read, is no problem
};

// Reports a literal (without repeating it), a variable that is not set, a file that cannot be read, and a value that no
// HTTP header could carry.
std::optional<Secret> ReadSecret(const Value& value, const SecretSources& sources);

}  // namespace pointsman::config
