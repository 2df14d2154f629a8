// router/cache/purge.h: which answers shall be forgotten before their time. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/cache/key.h"

namespace pointsman::cache {

// Whose answer it is, and by which policy (TenantTag, PolicyTag).
struct Tags {
  std::uint64_t tenant = 0, policy = 0;
};

// All that a purge may go by. `question` is HashQuestion's: that of all versions.
struct Subject {
  Tags tags;
  Key question{};
};

// The answers to which everything applies that is said; nothing said: all answers.
struct Purge {
  std::optional<std::uint64_t> tenant = {}, policy = {};
  std::vector<Key> questions = {};  // to one of these; empty: to any

  bool Takes(const Tags& tags) const {
    return (!tenant || *tenant == tags.tenant) && (!policy || *policy == tags.policy);
  }
  bool Takes(const Subject& subject) const;

  friend bool operator==(const Purge&, const Purge&) = default;
};

// As the fields of an entry of the log, name after value; nobody reads tenants or prompts from it.
std::vector<std::string> ToFields(const Purge& purge);
// What cannot be read, as it is of a later version, takes everything: to forget too much is no mistake.
Purge FromFields(const std::vector<std::string_view>& fields);

// The pattern (SCAN ... MATCH) of the entries under `prefix` that it may take, and of nothing else. Without questions.
std::string PatternOf(const Purge& purge, std::string_view prefix);

}  // namespace pointsman::cache
