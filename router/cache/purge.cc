#include "router/cache/purge.h"

#include <algorithm>

namespace pointsman::cache {
namespace {

constexpr std::string_view kTenant = "tenant", kPolicy = "policy", kQuestions = "questions", kAny = "*";
constexpr std::size_t kMostQuestions = 16;

// "*", or hex texts with commas between them.
bool ReadQuestions(std::string_view text, std::vector<Key>& questions) {
  if (text == kAny) return true;
  while (questions.size() < kMostQuestions) {
    const std::size_t comma = text.find(',');
    const std::optional<Key> question = KeyOf(text.substr(0, comma));
    if (!question) return false;
    questions.push_back(*question);
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
  return false;
}

bool ReadTag(std::string_view text, std::optional<std::uint64_t>& tag) {
  if (text != kAny) tag = TagOf(text);
  return text == kAny || tag;
}

}  // namespace

bool Purge::Takes(const Subject& subject) const {
  if (!Takes(subject.tags)) return false;
  return questions.empty() || std::find(questions.begin(), questions.end(), subject.question) != questions.end();
}

std::vector<std::string> ToFields(const Purge& purge) {
  const auto tag = [](const std::optional<std::uint64_t>& value) { return value ? Hex(*value) : std::string(kAny); };
  std::string questions;
  for (const Key& question : purge.questions) questions += (questions.empty() ? "" : ",") + Hex(question);
  if (questions.empty()) questions = kAny;
  return {std::string(kTenant), tag(purge.tenant),       std::string(kPolicy),
          tag(purge.policy),    std::string(kQuestions), std::move(questions)};
}

Purge FromFields(const std::vector<std::string_view>& fields) {
  Purge purge;
  if (fields.size() != 6 || fields[0] != kTenant || fields[2] != kPolicy || fields[4] != kQuestions) return {};
  const bool read =
      ReadTag(fields[1], purge.tenant) && ReadTag(fields[3], purge.policy) && ReadQuestions(fields[5], purge.questions);
  return read ? purge : Purge();
}

std::string PatternOf(const Purge& purge, std::string_view prefix) {
  std::string pattern;
  for (const char c : prefix) {
    if (std::string_view("*?[]^-\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  const std::string any_tag(16, '?'), any_key(64, '?');
  return pattern + ":a:" + (purge.tenant ? Hex(*purge.tenant) : any_tag) + ":" +
         (purge.policy ? Hex(*purge.policy) : any_tag) + ":{" + any_key + "}";
}

}  // namespace pointsman::cache
