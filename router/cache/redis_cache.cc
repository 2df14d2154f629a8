#include "router/cache/redis_cache.h"

#include <algorithm>
#include <array>

#include "router/cache/stored_answer.h"

namespace pointsman::cache {

std::string RedisCache::NameOf(const Key& key, std::string_view tenant_tag) const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string name;
  name.reserve(prefix_.size() + tenant_tag.size() + 2 * key.size() + 6);
  name += prefix_;
  name += ":a:";
  name += tenant_tag;
  name += ":{";
  for (const std::uint8_t byte : key) {
    name += kDigits[byte >> 4U];
    name += kDigits[byte & 15U];
  }
  name += '}';
  return name;
}

Awaitable<std::optional<Entry>> RedisCache::Find(const Key& key, std::string_view tenant_tag,
                                                 std::optional<std::chrono::seconds> max_age) {
  if (!client_.usable()) co_return std::nullopt;
  const std::string name = NameOf(key, tenant_tag);
  const std::array<std::string_view, 2> get = {"GET", name};
  const Result<redis::Reply> reply = co_await client_.Ask(get);
  if (!reply || reply->kind != redis::Reply::Kind::kText) co_return std::nullopt;
  std::optional<StoredAnswer> answer = Decode(reply->text);
  if (!answer) co_return std::nullopt;
  // Clocks of replicas may differ a little: no answer is from the future.
  const auto age = std::max(std::chrono::system_clock::now() - answer->stored, std::chrono::system_clock::duration(0));
  if (age > ttl_ || (max_age && age > *max_age)) co_return std::nullopt;
  co_return Entry{std::move(answer->response), Clock::now() - age};
}

void RedisCache::Store(const Key& key, std::string_view tenant_tag, const v1::CompleteResponse& response) {
  if (!client_.usable()) return;
  const std::string value = Encode(response, std::chrono::system_clock::now());
  if (value.empty()) return;
  const std::string name = NameOf(key, tenant_tag), seconds = std::to_string(ttl_.count());
  const std::array<std::string_view, 5> set = {"SET", name, value, "EX", seconds};
  client_.Tell(set);
}

}  // namespace pointsman::cache
