#include "router/cache/redis_cache.h"

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "router/cache/stored_answer.h"

namespace pointsman::cache {

// The braces tell a Redis Cluster to place it by the key.
std::string RedisCache::AnswerName(const Place& place) const {
  const Tags& tags = place.subject.tags;
  return prefix_ + ":a:" + Hex(tags.tenant) + ":" + Hex(tags.policy) + ":{" + Hex(place.key) + "}";
}

std::string RedisCache::LeaseName(const Key& key) const { return prefix_ + ":l:{" + Hex(key) + "}"; }

std::optional<Entry> RedisCache::Read(std::string_view value, const Place& place,
                                      std::optional<std::chrono::seconds> max_age) const {
  std::optional<StoredAnswer> answer = Decode(value);
  if (!answer) return std::nullopt;
  // Clocks of replicas may differ a little: no answer is from the future.
  const auto age = std::max(std::chrono::system_clock::now() - answer->stored, std::chrono::system_clock::duration(0));
  if (age > place.ttl.value_or(ttl_) || (max_age && age > *max_age)) return std::nullopt;
  if (purges_ != nullptr && purges_->After(answer->purges, place.subject)) return std::nullopt;
  return Entry{std::move(answer->response), Clock::now() - age};
}

Awaitable<std::optional<Entry>> RedisCache::Find(const Place& place, std::optional<std::chrono::seconds> max_age) {
  if (!client_.usable()) co_return std::nullopt;
  const std::string name = AnswerName(place);
  const std::array<std::string_view, 2> get = {"GET", name};
  const Result<redis::Reply> reply = co_await client_.Ask(get);
  if (!reply || reply->kind != redis::Reply::Kind::kText) co_return std::nullopt;
  co_return Read(reply->text, place, max_age);
}

void RedisCache::Store(const Place& place, const v1::CompleteResponse& response, Position began) {
  if (!client_.usable()) return;
  const std::string value = Encode(response, std::chrono::system_clock::now(), began);
  if (value.empty()) return;
  const std::string name = AnswerName(place), seconds = std::to_string(place.ttl.value_or(ttl_).count());
  const std::array<std::string_view, 5> set = {"SET", name, value, "EX", seconds};
  client_.Tell(set);
}

}  // namespace pointsman::cache
