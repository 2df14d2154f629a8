// router/admission/admission.h: who calls, and is there room?
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "config/config.h"

namespace pointsman::admission {

inline constexpr char kDefaultTenant[] = "default";  // where no tenants are configured

struct Caller {
  std::string tenant = kDefaultTenant;
  bool admin = true;                   // where no tenants are configured, everybody is
  const config::Mask* mask = nullptr;  // the tenant's own, of the configuration; null: it has none
};

// `authorization` is the metadata's value, "" when there is none. UNAUTHENTICATED says what is missing, never what was
// sent. Takes the same time for every wrong key. Any thread.
Result<Caller> Authenticate(const config::Config& config, std::string_view authorization);

// A place among the requests in flight; gives it back when destroyed. Movable.
class Ticket {
 public:
  Ticket() = default;
  explicit Ticket(std::atomic<int>* count) : count_(count) {}
  Ticket(Ticket&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Ticket& operator=(Ticket&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~Ticket() {
    if (count_) count_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<int>* count_ = nullptr;
};

// Bounds the requests in flight over all shards. Any thread, lock-free; outlives its tickets.
class Admission {
 public:
  explicit Admission(unsigned limit) : limit_(static_cast<int>(limit)) {}

  // RESOURCE_EXHAUSTED with a time to come back when full: clients retry UNAVAILABLE at once, which would multiply the
  // load.
  Result<Ticket> Admit();

  int in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  int limit() const { return limit_; }

 private:
  const int limit_;
  std::atomic<int> in_flight_{0};
};

}  // namespace pointsman::admission
