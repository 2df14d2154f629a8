// router/cache/purge_log.h: purges in the Redis that replicas share: the log by which they hear of them, and the
// entries that go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/result.h"
#include "router/cache/purges.h"
#include "router/cache/redis_cache.h"

namespace pointsman::cache {

// The log is a stream, PREFIX:p, of the last Purges::kMost purges. Every replica reads it about once a second
// (purge_watch.h). Whoever stores an entry writes into it how far it had read when the execution began, and whoever
// finds one looks whether a later purge takes it; so nothing depends on the order in which replicas hear of a purge, or
// on every entry being deleted. Loop thread of `redis`; it and `purges` outlive the calls. Errors: UNAVAILABLE and
// DEADLINE_EXCEEDED as redis::Asker says, and what Redis refuses (OOM, READONLY, ...): RESOURCE_EXHAUSTED, UNAVAILABLE.

// Writes it into the log; its place there.
Awaitable<Result<Position>> Announce(RedisCache& redis, const Purge& purge);

// Reads on in the log.
Awaitable<Result<void>> CatchUp(RedisCache& redis, Purges& purges);

struct Swept {
  std::uint64_t entries = 0;  // that went
  std::string left;           // why not all may have gone; "" = they have
};
// Deletes what it takes: SCAN and UNLINK on every master, of a few hundred keys at a time; of a purge by questions the
// entries at `places`.
Awaitable<Swept> Sweep(RedisCache& redis, const Purge& purge, const std::vector<Place>& places);

// "1526919030474-55" and back; 0: it is none.
Position PositionOf(std::string_view id);
std::string IdOf(Position position);

}  // namespace pointsman::cache
