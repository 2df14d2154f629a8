// config/sections.h: how each section of the file is read; parse.cc puts them together. Inside config/ only.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/secret.h"
#include "config/value.h"

namespace pointsman::config {

// Relative to the configuration file, then normalised.
std::filesystem::path Resolve(const std::filesystem::path& folder, const std::string& path);

// Each reads what is there into its struct, and reports what is wrong. An absent section keeps its defaults.
void ReadServer(const Value& value, const std::filesystem::path& folder, Server& server);
void ReadEngine(const Value& value, const std::filesystem::path& folder, Engine& engine);
void ReadExperts(const Value& value, const Engine& engine, const SecretSources& secrets, std::vector<Expert>& experts);
void ReadZeroCost(const Value& value, const std::filesystem::path& folder, ZeroCostBackend& backend);
void ReadSampling(const Value& value, SamplingDefaults& sampling);
void ReadOpenAi(const Value& value, const SecretSources& secrets, OpenAiBackend& backend);
void ReadClassifier(const Value& value, const Engine& engine, const std::filesystem::path& folder,
                    Classifier& classifier);
// `experts` are all names of the section, also of those that were wrong: no problem is reported twice. `sums` gets the
// SHA-256 of the map files that were read.
void ReadPolicies(const Value& value, std::span<const std::string_view> experts, std::span<const Expert> catalogue,
                  const std::filesystem::path& folder, std::vector<Policy>& policies, std::string& sums);
// Times to live of answers.
inline constexpr std::chrono::milliseconds kShortestTtl = std::chrono::seconds(1),
                                           kLongestTtl = std::chrono::hours(24 * 365);

// Where nothing is kept: reports every policy that says how its answers are.
void CheckPolicyCaches(const Value& policies, const std::vector<Policy>& read);
void ReadCache(const Value& value, const SecretSources& secrets, Cache& cache);
void ReadTenants(const Value& value, const SecretSources& secrets, std::span<const std::string_view> experts,
                 std::vector<Tenant>& tenants);
void ReadLimits(const Value& value, Limits& limits);
void ReadTelemetry(const Value& value, Telemetry& telemetry);

}  // namespace pointsman::config
