#include "router/admission/admission.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>

namespace pointsman::admission {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

// Keys are compared by their digests, so that the comparison's time says nothing of a key's length or prefix.
Digest Hash(std::string_view text) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

Error Unauthenticated(std::string message) {
  return {ErrorClass::kCallersFault, Code::kUnauthenticated, std::move(message)};
}

}  // namespace

Result<Caller> Authenticate(const config::Config& config, std::string_view authorization) {
  if (config.tenants.empty()) return Caller{};
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) {
    return Unauthenticated("a key is needed: send the metadata 'authorization: Bearer KEY'");
  }
  Digest sent = Hash(authorization.substr(kScheme.size()));
  const config::Tenant* found = nullptr;
  for (const config::Tenant& tenant : config.tenants) {
    Digest key = Hash(tenant.key);
    if (CRYPTO_memcmp(key.data(), sent.data(), key.size()) == 0) found = &tenant;
  }
  if (!found) return Unauthenticated("the key is not that of a tenant");
  Caller caller;
  caller.tenant = found->name;
  caller.admin = found->admin;
  if (found->mask.any()) caller.mask = &found->mask;
  return caller;
}

Result<Ticket> Admission::Admit() {
  if (in_flight_.fetch_add(1, std::memory_order_relaxed) >= limit_) {
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
    Error error(ErrorClass::kRetryElsewhere, Code::kResourceExhausted,
                "the limit of " + std::to_string(limit_) + " requests in flight is reached");
    error.retry_after = std::chrono::milliseconds(1000);
    return error;
  }
  return Ticket(&in_flight_);
}

}  // namespace pointsman::admission
