// config/policy_parts.h: the three choices of a policy, and its mask. Inside config/ only.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/mapping.h"

namespace pointsman::config {

// A policy that is being read.
struct PolicyReader {
  const Value& value;
  Section& section;
  std::span<const std::string_view> experts;  // all names
  std::span<const Expert> catalogue;          // as far as they could be read, in the same order
  const std::filesystem::path& folder;
  std::string& sums;  // gets the SHA-256 of the map files that were read

  // Reports every key of `keys` that is there: it belongs to `owner`.
  void Refuse(std::initializer_list<std::string_view> keys, std::string_view owner);
};

void ReadScore(PolicyReader& reader, Score& score);
void ReadSelection(PolicyReader& reader, const std::string& run, Selection& selection);
void ReadRun(PolicyReader& reader, const std::string& run, Policy& policy);
void ReadBudget(const Value& value, std::span<const Expert> catalogue, Budget& budget);
void ReadPolicyCache(const Value& value, const std::filesystem::path& folder, PolicyCache& cache);

// deny, require and boost of a policy or a tenant.
void ReadMask(const Value& deny, const Value& require, const Value& boost, std::span<const std::string_view> experts,
              Mask& mask);

}  // namespace pointsman::config
