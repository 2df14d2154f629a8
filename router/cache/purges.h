// router/cache/purges.h: the purges that this process knows of: what was begun before one of them is not kept after it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/async.h"
#include "router/cache/memory_cache.h"
#include "router/cache/purge.h"

namespace pointsman::cache {

// A place in the log of purges (purge_log.h); grows with time. 0 = before all.
using Position = std::uint64_t;

// Where an execution stood when it began.
struct Began {
  std::uint64_t count = 0;  // purges that this process had been told
  Position position = 0;    // the latest that it had ever read of
};

// Any thread, but for what says otherwise. It remembers the last thousand; of what is older than these it takes
// everything to be purged.
class Purges {
 public:
  static constexpr std::size_t kMost = 1000;

  // `memory` may be null, and outlives it; `version` is that of its keys.
  Purges(MemoryCache* memory, std::uint64_t version) : memory_(memory), version_(version) {}
  Purges(const Purges&) = delete;
  Purges& operator=(const Purges&) = delete;

  Began now() const { return {count_.load(std::memory_order_acquire), latest_.load(std::memory_order_acquire)}; }

  // Whether a purge came after so many that takes it.
  bool Since(std::uint64_t count, const Subject& subject) const;
  // Whether the log has a purge after this place that takes it: so an entry of Redis is read that another replica may
  // have stored without knowing of the purge.
  bool After(Position position, const Subject& subject) const;

  // One of which nobody else is told. Its number.
  std::uint64_t Add(Purge purge);

  struct Logged {
    Position position = 0;
    Purge purge;
  };
  // How far the log was read; 0 = it was empty, or is begun anew.
  Position read() const { return read_.load(std::memory_order_acquire); }
  // Takes note of what the log has from `since` on, where read() was when it was asked; oldest first. Where it does not
  // have that one any more, purges may have been missed: everything is forgotten.
  void Read(const std::vector<Logged>& log, Position since);

  // Forgets in memory what the purges take that were noted and not carried out yet, in pieces: others on the loop have
  // their turn. Any loop; a purge is carried out when one such call has ended after it was noted.
  Awaitable<void> ForgetInMemory();
  // Entries that went from the memory by a purge, as far as it was carried out.
  std::uint64_t GoneBy(std::uint64_t count) const;      // of Add
  std::uint64_t GoneByLogged(Position position) const;  // of Read

  // Totals since the start.
  std::uint64_t memory_entries() const { return memory_entries_.load(std::memory_order_relaxed); }
  std::uint64_t redis_entries() const { return redis_entries_.load(std::memory_order_relaxed); }
  void CountRedis(std::uint64_t entries) { redis_entries_.fetch_add(entries, std::memory_order_relaxed); }

 private:
  struct Record {
    std::uint64_t count = 0;
    Position position = 0;  // 0: not of the log
    Purge purge;
    std::atomic<std::uint64_t> gone{0};
    std::atomic<bool> done{false};
  };

  void Note(Purge purge, Position position);  // with the mutex
  std::vector<std::shared_ptr<Record>> Due();

  MemoryCache* const memory_;
  const std::uint64_t version_;
  std::atomic<std::uint64_t> count_{0}, memory_entries_{0}, redis_entries_{0};
  std::atomic<Position> read_{0};
  std::atomic<Position> latest_{0};              // more than read_ after a failover that lost the end of the log
  mutable std::mutex mutex_;                     // of what follows, and of writing the two above
  std::deque<std::shared_ptr<Record>> records_;  // oldest first
  std::vector<std::shared_ptr<Record>> due_;     // that are not carried out in memory
  std::uint64_t forgotten_count_ = 0;            // records up to this one are not remembered
  Position forgotten_ = 0;                       // likewise of the log
};

}  // namespace pointsman::cache
