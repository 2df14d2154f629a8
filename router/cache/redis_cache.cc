#include "router/cache/redis_cache.h"

#include <algorithm>
#include <array>

#include "router/cache/stored_answer.h"

namespace pointsman::cache {

namespace {

// The braces tell a Redis Cluster to place it by the key.
std::string Braced(std::string name, const Key& key) {
  constexpr char kDigits[] = "0123456789abcdef";
  name.reserve(name.size() + 2 * key.size() + 2);
  name += '{';
  for (const std::uint8_t byte : key) {
    name += kDigits[byte >> 4U];
    name += kDigits[byte & 15U];
  }
  name += '}';
  return name;
}

}  // namespace

std::string RedisCache::AnswerName(const Place& place) const {
  return Braced(prefix_ + ":a:" + place.tenant_tag + ":", place.key);
}

std::string RedisCache::LeaseName(const Key& key) const { return Braced(prefix_ + ":l:", key); }

std::optional<Entry> RedisCache::Read(std::string_view value, const Place& place,
                                      std::optional<std::chrono::seconds> max_age) const {
  std::optional<StoredAnswer> answer = Decode(value);
  if (!answer) return std::nullopt;
  // Clocks of replicas may differ a little: no answer is from the future.
  const auto age = std::max(std::chrono::system_clock::now() - answer->stored, std::chrono::system_clock::duration(0));
  if (age > place.ttl.value_or(ttl_) || (max_age && age > *max_age)) return std::nullopt;
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

void RedisCache::Store(const Place& place, const v1::CompleteResponse& response) {
  if (!client_.usable()) return;
  const std::string value = Encode(response, std::chrono::system_clock::now());
  if (value.empty()) return;
  const std::string name = AnswerName(place), seconds = std::to_string(place.ttl.value_or(ttl_).count());
  const std::array<std::string_view, 5> set = {"SET", name, value, "EX", seconds};
  client_.Tell(set);
}

}  // namespace pointsman::cache
