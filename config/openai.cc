// The part experts.*.openai.
#include <algorithm>

#include "config/mapping.h"
#include "config/names.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return text;
}

// What is wrong with the URL; "" when nothing is.
std::string UrlFlaw(std::string_view url) {
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) return "does not begin with https:// or http://";
  for (char c : url) {
    if (c <= 0x20 || c >= 0x7f) return "has spaces or characters that are not printable ASCII";
  }
  std::string_view rest = url.substr(https ? 8 : 7);
  if (rest.find_first_of("?#") != std::string_view::npos) return "has a query or a fragment (leave it out)";
  std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != std::string_view::npos) return "has a user name or password (use key or headers)";
  if (authority.empty() || authority.front() == ':') return "has no host";
  // Whoever copies an address from a provider's manual copies the method's path along.
  if (rest.ends_with("/chat/completions")) return "ends in /chat/completions (leave that out: it is added)";
  return "";
}

bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

void ReadHeaders(const Value& value, const SecretSources& secrets, std::map<std::string, std::string>& headers) {
  constexpr std::string_view kOurs[] = {"content-type", "content-length",  "host",  "transfer-encoding", "connection",
                                        "accept",       "accept-encoding", "expect"};
  constexpr std::string_view kSecret[] = {"api-key", "x-api-key", "x-goog-api-key", "proxy-authorization", "cookie"};
  for (const auto& [name, entry] : value.Entries("a header", false, 128)) {
    const std::string lower = Lower(name);
    auto is = [&](std::string_view other) { return lower == other; };
    if (!IsHeaderName(name)) {
      entry.Fail("is not the name of an HTTP header");
      continue;
    }
    if (std::any_of(std::begin(kOurs), std::end(kOurs), is)) {
      entry.Fail("is set by Pointsman itself (leave it out)");
      continue;
    }
    if (lower == "authorization") {
      entry.Fail("is made from the key (use openai.key)");
      continue;
    }
    if (entry.IsMap() || std::any_of(std::begin(kSecret), std::end(kSecret), is)) {
      if (auto secret = ReadSecret(entry, secrets)) headers[name] = secret->value;
      continue;
    }
    auto text = entry.Text(1, 8192);
    if (!text) continue;
    if (std::any_of(text->begin(), text->end(), [](char c) { return c < 0x20 || c == 0x7f; })) {
      entry.Fail("has characters that no header may have (printable ASCII only)");
      continue;
    }
    headers[name] = *std::move(text);
  }
}

}  // namespace

void ReadOpenAi(const Value& value, const SecretSources& secrets, OpenAiBackend& backend) {
  using std::chrono::milliseconds;
  Section section(value);
  const Value url = section.Require("url", "where the server is, as in https://api.openai.com/v1");
  if (auto text = url.Text(1, 2048)) {
    while (text->ends_with('/')) text->pop_back();
    if (std::string flaw = UrlFlaw(*text); !flaw.empty()) url.Fail(flaw + " (as in https://api.openai.com/v1)");
    backend.url = *std::move(text);
  }
  Set(backend.model, section.Require("model", "the model, by the server's name").Text(1, 256));
  if (auto key = ReadSecret(section.Take("key"), secrets)) {
    backend.key = std::move(key->value);
    backend.key_source = std::move(key->source);
  }
  ReadHeaders(section.Take("headers"), secrets, backend.headers);
  const milliseconds least(1), most = std::chrono::hours(1);
  Set(backend.connect_timeout, section.Take("connect_timeout").Duration(least, most));
  Set(backend.first_byte_timeout, section.Take("first_byte_timeout").Duration(least, most));
  Set(backend.idle_timeout, section.Take("idle_timeout").Duration(least, most));
  Set(backend.max_tokens_field, section.Take("max_tokens_field").Choice({"max_tokens", "max_completion_tokens"}));
  section.Finish();
}

}  // namespace pointsman::config
