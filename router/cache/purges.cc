#include "router/cache/purges.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace pointsman::cache {

bool Purges::Since(std::uint64_t count, const Subject& subject) const {
  if (count >= count_.load(std::memory_order_acquire)) return false;
  const std::lock_guard lock(mutex_);
  if (count < forgotten_count_) return true;
  return std::any_of(records_.rbegin(), records_.rend(),
                     [&](const auto& record) { return record->count > count && record->purge.Takes(subject); });
}

bool Purges::After(Position position, const Subject& subject) const {
  if (position >= latest_.load(std::memory_order_acquire)) return false;
  const std::lock_guard lock(mutex_);
  if (position < forgotten_) return true;
  return std::any_of(records_.rbegin(), records_.rend(),
                     [&](const auto& record) { return record->position > position && record->purge.Takes(subject); });
}

void Purges::Note(Purge purge, Position position) {
  auto record = std::make_shared<Record>();
  record->count = count_.load(std::memory_order_relaxed) + 1;
  record->position = position;
  record->purge = std::move(purge);
  if (memory_ != nullptr) due_.push_back(record);
  records_.push_back(std::move(record));
  if (records_.size() > kMost) {
    forgotten_count_ = records_.front()->count;
    forgotten_ = std::max(forgotten_, records_.front()->position);
    records_.pop_front();
  }
  if (due_.size() > kMost) due_ = {std::make_shared<Record>()};  // everything
  if (position > 0) read_.store(position, std::memory_order_release);
  latest_.store(std::max(latest_.load(std::memory_order_relaxed), position), std::memory_order_release);
  count_.fetch_add(1, std::memory_order_release);
}

std::uint64_t Purges::Add(Purge purge) {
  const std::lock_guard lock(mutex_);
  Note(std::move(purge), 0);
  return count_.load(std::memory_order_relaxed);
}

void Purges::Read(const std::vector<Logged>& log, Position since) {
  const std::lock_guard lock(mutex_);
  const Position known = read_.load(std::memory_order_relaxed);
  const bool goes_on = std::any_of(log.begin(), log.end(), [&](const Logged& each) { return each.position == known; });
  if (known != since && !goes_on) return;                                    // another reader was faster
  if (known == 0 && log.size() >= kMost) forgotten_ = log.front().position;  // it is full: its beginning may be lost
  if (known != 0 && !goes_on) {
    const Position newest = log.empty() ? 0 : log.back().position;
    forgotten_ = std::max(forgotten_, newest);
    Note({}, newest);
    if (log.empty()) read_.store(0, std::memory_order_release);  // begun anew
    return;
  }
  for (const Logged& entry : log) {
    if (entry.position > known) Note(entry.purge, entry.position);
  }
}

std::vector<std::shared_ptr<Purges::Record>> Purges::Due() {
  const std::lock_guard lock(mutex_);
  std::erase_if(due_, [](const auto& record) { return record->done.load(); });
  return due_;
}

Awaitable<void> Purges::ForgetInMemory() {
  const Executor executor = (co_await asio::this_coro::executor);
  const std::vector<std::shared_ptr<Record>> due = Due();
  for (const std::shared_ptr<Record>& record : due) {
    if (record->purge.questions.empty()) {
      MemoryCache::Progress progress;
      while (memory_->ForgetSome(record->purge, progress, record->gone)) co_await asio::post(executor, kAwait);
    }
    for (const Key& question : record->purge.questions) {
      if (memory_->Forget(VersionKey(question, version_))) record->gone.fetch_add(1);
    }
    // Two loops may have been at it together.
    if (!record->done.exchange(true)) memory_entries_.fetch_add(record->gone.load(), std::memory_order_relaxed);
  }
}

std::uint64_t Purges::GoneBy(std::uint64_t count) const {
  const std::lock_guard lock(mutex_);
  for (const auto& record : records_) {
    if (record->count == count) return record->gone.load();
  }
  return 0;
}

std::uint64_t Purges::GoneByLogged(Position position) const {
  const std::lock_guard lock(mutex_);
  for (const auto& record : records_) {
    if (record->position == position) return record->gone.load();
  }
  return 0;
}

}  // namespace pointsman::cache
