#include "router/cache/key.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <stdexcept>
#include <vector>

#include "base/hex.h"

namespace pointsman::cache {
namespace {

// SHA-256, with a context for each thread: making one costs more than hashing a short request.
class Hash {
 public:
  Hash() : context_(Context()) { EVP_DigestInit_ex(context_, nullptr, nullptr); }
  void Add(const void* data, std::size_t bytes) { EVP_DigestUpdate(context_, data, bytes); }
  void Add(std::uint64_t number) { Add(&number, sizeof number); }
  Key Finish() {
    Key key;
    EVP_DigestFinal_ex(context_, key.data(), nullptr);
    return key;
  }

 private:
  static EVP_MD_CTX* Context() {
    struct Holder {
      EVP_MD_CTX* context = EVP_MD_CTX_new();
      Holder() {
        if (context == nullptr || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
          throw std::runtime_error("OpenSSL has no SHA-256");
        }
      }
      ~Holder() { EVP_MD_CTX_free(context); }
    };
    thread_local Holder holder;
    return holder.context;
  }

  EVP_MD_CTX* context_;
};

// Takes protobuf's serialisation into the hash: short pieces through a small buffer, long texts from where they are.
class HashStream : public google::protobuf::io::ZeroCopyOutputStream {
 public:
  explicit HashStream(Hash& hash) : hash_(hash) {}
  ~HashStream() override { Flush(); }

  bool Next(void** data, int* size) override {
    Flush();
    *data = buffer_;
    *size = pending_ = sizeof buffer_;
    total_ += pending_;
    return true;
  }
  void BackUp(int count) override {
    pending_ -= count;
    total_ -= count;
  }
  std::int64_t ByteCount() const override { return total_; }
  bool WriteAliasedRaw(const void* data, int size) override {
    Flush();
    hash_.Add(data, static_cast<std::size_t>(size));
    total_ += size;
    return true;
  }
  bool AllowsAliasing() const override { return true; }

 private:
  void Flush() {
    if (pending_ > 0) hash_.Add(buffer_, static_cast<std::size_t>(pending_));
    pending_ = 0;
  }

  Hash& hash_;
  char buffer_[1024];
  int pending_ = 0;
  std::int64_t total_ = 0;
};

// Every part goes in with its kind and length, so that no two requests give the same bytes.
class RequestHash {
 public:
  void Text(int kind, std::string_view text) {
    Head(kind, text.size());
    hash_.Add(text.data(), text.size());
  }
  void Number(int kind, std::uint64_t number) {
    Head(kind, sizeof number);
    hash_.Add(number);
  }
  void Message(int kind, const google::protobuf::MessageLite& message) {
    Head(kind, message.ByteSizeLong());
    HashStream stream(hash_);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.EnableAliasing(true);
    coded.SetSerializationDeterministic(true);
    message.SerializeWithCachedSizes(&coded);
  }
  // A set of names: neither order nor repetition counts.
  void Names(int kind, const google::protobuf::RepeatedPtrField<std::string>& names) {
    if (names.empty()) return;
    std::vector<std::string_view> sorted(names.begin(), names.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (std::string_view name : sorted) Text(kind, name);
  }
  Key Finish() { return hash_.Finish(); }

 private:
  void Head(int kind, std::uint64_t bytes) {
    const std::uint64_t head[] = {static_cast<std::uint64_t>(kind), bytes};
    hash_.Add(head, sizeof head);
  }

  Hash hash_;
};

// Kinds of parts: the field numbers of CompleteRequest, those of Routing above 100, and ours.
constexpr int kSecret = 1000, kTenant = 1001, kCacheable = 1003, kTag = 1004, kPolicyTag = 1005, kRouting = 100;

constexpr char kDigits[] = "0123456789abcdef";

std::uint64_t TagFor(int kind, std::string_view secret, std::string_view name) {
  RequestHash hash;
  hash.Text(kSecret, secret);
  hash.Text(kind, name);
  const Key key = hash.Finish();
  std::uint64_t tag;
  std::memcpy(&tag, key.data(), sizeof tag);
  return tag;
}

}  // namespace

std::string RandomSecret() {
  std::string bytes(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random numbers");
  }
  return bytes;
}

std::uint64_t TenantTag(std::string_view secret, std::string_view tenant) { return TagFor(kTag, secret, tenant); }

std::uint64_t PolicyTag(std::string_view secret, std::string_view policy) { return TagFor(kPolicyTag, secret, policy); }

std::string Hex(std::uint64_t tag) {
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4) hex += kDigits[tag >> static_cast<unsigned>(shift) & 15U];
  return hex;
}

std::string Hex(const Key& key) {
  std::string hex;
  AppendHex(key, hex);
  return hex;
}

std::optional<std::uint64_t> TagOf(std::string_view hex) {
  std::uint64_t tag = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), tag, 16);
  return hex.size() == 16 && error == std::errc() && end == hex.data() + hex.size() ? std::optional(tag) : std::nullopt;
}

std::optional<Key> KeyOf(std::string_view hex) {
  Key key;
  if (hex.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* const byte = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(byte, byte + 2, key[i], 16);
    if (error != std::errc() || end != byte + 2) return std::nullopt;
  }
  return key;
}

Key MakeKey(std::string_view secret, std::string_view tenant, std::uint64_t version, const v1::CompleteRequest& request,
            bool sampled) {
  return VersionKey(HashQuestion(secret, tenant, request, sampled), version);
}

Key VersionKey(const Key& question, std::uint64_t version) {
  Hash hash;
  hash.Add(question.data(), question.size());
  hash.Add(version);
  return hash.Finish();
}

Key HashQuestion(std::string_view secret, std::string_view tenant, const v1::CompleteRequest& request, bool sampled) {
  using R = v1::CompleteRequest;
  using G = v1::Routing;
  RequestHash hash;
  hash.Text(kSecret, secret);
  hash.Text(kTenant, tenant);
  if (sampled || request.routing().cache().cacheable()) hash.Number(kCacheable, 1);
  for (const v1::Message& message : request.messages()) hash.Message(R::kMessagesFieldNumber, message);
  if (request.has_sampling()) hash.Message(R::kSamplingFieldNumber, request.sampling());
  for (const v1::Tool& tool : request.tools()) hash.Message(R::kToolsFieldNumber, tool);
  if (!request.tool_choice().empty()) hash.Text(R::kToolChoiceFieldNumber, request.tool_choice());
  if (request.has_response_format()) hash.Message(R::kResponseFormatFieldNumber, request.response_format());
  if (request.logprobs()) hash.Number(R::kLogprobsFieldNumber, 1);
  if (request.top_logprobs() > 0) hash.Number(R::kTopLogprobsFieldNumber, request.top_logprobs());

  const v1::Routing& routing = request.routing();
  if (!routing.policy().empty()) hash.Text(kRouting + G::kPolicyFieldNumber, routing.policy());
  if (!routing.expert().empty()) hash.Text(kRouting + G::kExpertFieldNumber, routing.expert());
  hash.Names(kRouting + G::kDenyFieldNumber, routing.deny());
  hash.Names(kRouting + G::kRequireFieldNumber, routing.require());
  const std::map<std::string_view, double> boosts(routing.boost().begin(), routing.boost().end());  // in one order
  for (const auto& [expert, boost] : boosts) {
    hash.Text(kRouting + G::kBoostFieldNumber, expert);
    hash.Number(kRouting + G::kBoostFieldNumber, std::bit_cast<std::uint64_t>(boost));
  }
  if (routing.has_max_cost_usd()) {
    hash.Number(kRouting + G::kMaxCostUsdFieldNumber, std::bit_cast<std::uint64_t>(routing.max_cost_usd()));
  }
  if (routing.has_max_latency_ms()) hash.Number(kRouting + G::kMaxLatencyMsFieldNumber, routing.max_latency_ms());
  return hash.Finish();
}

bool MayStore(const v1::CompleteRequest& request, const v1::Sampling& sampling, bool sampled) {
  return !request.routing().cache().no_store() && MayHold(request, sampling, sampled);
}

bool MayHold(const v1::CompleteRequest& request, const v1::Sampling& sampling, bool sampled) {
  const v1::CacheControl& control = request.routing().cache();
  if (!request.tools().empty()) return false;
  for (const v1::Message& message : request.messages()) {
    if (message.role() == v1::ROLE_TOOL || !message.tool_calls().empty()) return false;
  }
  const bool greedy = sampling.has_temperature() && sampling.temperature() == 0;
  return greedy || sampling.has_seed() || sampled || control.cacheable();
}

}  // namespace pointsman::cache
