#include "router/cache/redis_cache.h"

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "router/cache/stored_answer.h"

namespace pointsman::cache {

namespace {

// The braces tell a Redis Cluster to place it by the key.
std::string Braced(std::string name, const Key& key) {
  name.reserve(name.size() + 2 * key.size() + 2);
  name += '{';
  AppendHex(key, name);
  name += '}';
  return name;
}

}  // namespace

std::string RedisCache::AnswerName(const Key& key, std::string_view tenant_tag) const {
  return Braced(prefix_ + ":a:" + std::string(tenant_tag) + ":", key);
}

std::string RedisCache::LeaseName(const Key& key) const { return Braced(prefix_ + ":l:", key); }

std::optional<Entry> RedisCache::Read(std::string_view value, std::optional<std::chrono::seconds> max_age) const {
  std::optional<StoredAnswer> answer = Decode(value);
  if (!answer) return std::nullopt;
  // Clocks of replicas may differ a little: no answer is from the future.
  const auto age = std::max(std::chrono::system_clock::now() - answer->stored, std::chrono::system_clock::duration(0));
  if (age > ttl_ || (max_age && age > *max_age)) return std::nullopt;
  return Entry{std::move(answer->response), Clock::now() - age};
}

Awaitable<std::optional<Entry>> RedisCache::Find(const Key& key, std::string_view tenant_tag,
                                                 std::optional<std::chrono::seconds> max_age) {
  if (!client_.usable()) co_return std::nullopt;
  const std::string name = AnswerName(key, tenant_tag);
  const std::array<std::string_view, 2> get = {"GET", name};
  const Result<redis::Reply> reply = co_await client_.Ask(get);
  if (!reply || reply->kind != redis::Reply::Kind::kText) co_return std::nullopt;
  co_return Read(reply->text, max_age);
}

void RedisCache::Store(const Key& key, std::string_view tenant_tag, const v1::CompleteResponse& response) {
  if (!client_.usable()) return;
  const std::string value = Encode(response, std::chrono::system_clock::now());
  if (value.empty()) return;
  const std::string name = AnswerName(key, tenant_tag), seconds = std::to_string(ttl_.count());
  const std::array<std::string_view, 5> set = {"SET", name, value, "EX", seconds};
  client_.Tell(set);
}

}  // namespace pointsman::cache
