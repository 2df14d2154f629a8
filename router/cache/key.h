// router/cache/key.h: what an answer is found by, and whether it may be kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::cache {

// SHA-256 over a secret, tenant, version of all that an answer depends on, and canonical request: tenants cannot share
// an entry, and nobody without the secret can aim at another's.
using Key = std::array<std::uint8_t, 32>;

// 32 random bytes: the secret of a process that shares its cache with nobody.
std::string RandomSecret();

// What counts for the answer: messages, sampling, tools, format, logprobs, policy or pinned expert, deny, require,
// ceilings, and whether answers that are drawn at random may be given, because the policy says so (`sampled`) or the
// request is `cacheable`: nobody is served one who did not agree to it. What does not: the rest of cache control,
// session, user, tags, explain. Any thread.
Key MakeKey(std::string_view secret, std::string_view tenant, std::uint64_t version, const v1::CompleteRequest& request,
            bool sampled = false);

// The same in two steps, for what must be known of any version: what was asked, by whom; then the key of one version.
Key HashQuestion(std::string_view secret, std::string_view tenant, const v1::CompleteRequest& request, bool sampled);
Key VersionKey(const Key& question, std::uint64_t version);

// Names for tenants and policies that people can see, and by which nobody without the secret knows them. Any thread.
std::uint64_t TenantTag(std::string_view secret, std::string_view tenant);
std::uint64_t PolicyTag(std::string_view secret, std::string_view policy);

// 16 and 64 hex digits.
std::string Hex(std::uint64_t tag);
std::string Hex(const Key& key);
// nullopt: something else.
std::optional<std::uint64_t> TagOf(std::string_view hex);
std::optional<Key> KeyOf(std::string_view hex);

// Whether the answer may be kept at all: temperature 0 or a seed (`sampling` is the effective one), or the request says
// `cacheable` or the policy `sampled`; no tools and no tool results; not `no_store`. Any thread.
bool MayStore(const v1::CompleteRequest& request, const v1::Sampling& sampling, bool sampled = false);
// Whether an answer may have been kept for an earlier request like it: as MayStore, but for `no_store`.
bool MayHold(const v1::CompleteRequest& request, const v1::Sampling& sampling, bool sampled = false);

// Keys are hashes already, and nobody outside can choose them.
struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::size_t hash;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
  }
};

}  // namespace pointsman::cache
