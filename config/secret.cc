#include "config/secret.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "config/mapping.h"
#include "config/names.h"

namespace pointsman::config {
namespace {

constexpr std::size_t kLongestSecret = 8192;

bool IsVariableName(std::string_view name) {
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// Editors and `echo` end a file with a newline that is no part of the secret.
std::string Trim(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// What is wrong with the secret, without showing it; "" when nothing is.
std::string Flaw(std::string_view secret) {
  if (secret.empty()) return "is empty";
  if (secret.size() > kLongestSecret) return "is longer than " + std::to_string(kLongestSecret) + " bytes";
  const bool printable = std::all_of(secret.begin(), secret.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return printable ? "" : "has spaces or characters that are not printable ASCII";
}

}  // namespace

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<std::string> ReadWholeFile(const std::filesystem::path& file, std::size_t max_bytes) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return InvalidArgument("", file.string() + " is a folder");
  std::ifstream in(file, std::ios::binary);
  if (!in) return InvalidArgument("", "cannot open " + file.string() + ": " + std::strerror(errno));
  std::string content(max_bytes + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.bad()) return InvalidArgument("", "cannot read " + file.string() + ": " + std::strerror(errno));
  content.resize(static_cast<std::size_t>(in.gcount()));
  if (content.size() > max_bytes) {
    return InvalidArgument("", file.string() + " is larger than " + std::to_string(max_bytes) + " bytes");
  }
  return content;
}

std::optional<Secret> ReadSecret(const Value& value, const SecretSources& sources) {
  if (!value.present()) return std::nullopt;
  constexpr char kHow[] = "write {env: NAME} for an environment variable or {file: PATH} for a file";
  if (!value.IsMap()) {
    value.Fail(std::string("secrets are not written in the configuration (") + kHow + ")");
    return std::nullopt;
  }
  Section section(value);
  const Value env = section.Take("env"), file = section.Take("file");
  section.Finish();
  auto name = env.Text(1, 256);
  auto path = file.Text(1, 4096);
  if (section.Has("env") == section.Has("file")) {
    value.Fail(std::string(section.Has("env") ? "has both env and file (" : "names no source (") + kHow + ")");
    return std::nullopt;
  }
  if (name) {
    if (!IsVariableName(*name)) {
      // Perhaps the secret itself: not repeated.
      env.Fail("is not the name of an environment variable (letters, digits and _, as in OPENAI_API_KEY)");
      return std::nullopt;
    }
    Secret secret{"", "environment variable " + *name};
    auto content = sources.environment(*name);
    if (!content) {
      if (sources.required) env.Fail("the environment variable " + *name + " is not set (export it before the start)");
      return sources.required ? std::nullopt : std::optional(std::move(secret));
    }
    if (std::string flaw = Flaw(*content); !flaw.empty()) {
      env.Fail("the environment variable " + *name + " " + flaw);
      return std::nullopt;
    }
    secret.value = *std::move(content);
    return secret;
  }
  if (path) {
    const std::filesystem::path absolute = (sources.folder / *path).lexically_normal();
    Secret secret{"", "file " + absolute.string()};
    auto content = sources.read_file(absolute);
    if (!content) {
      if (sources.required) file.Fail(content.error().message);
      return sources.required ? std::nullopt : std::optional(std::move(secret));
    }
    secret.value = Trim(*std::move(content));
    if (std::string flaw = Flaw(secret.value); !flaw.empty()) {
      file.Fail("the secret in " + absolute.string() + " " + flaw);
      return std::nullopt;
    }
    return secret;
  }
  return std::nullopt;
}

}  // namespace pointsman::config
