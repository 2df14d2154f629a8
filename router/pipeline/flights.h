// router/pipeline/flights.h: the flights that are under way, for all shards.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "router/pipeline/flight.h"

namespace pointsman::pipeline {

// Any thread: lock-striped.
class Flights {
 public:
  explicit Flights(std::size_t most);  // >= 1
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  struct Boarded {
    std::shared_ptr<Flight> flight;  // null: there are too many
    bool first = false;              // it is new: who boarded it begins it
  };
  // Puts the passenger on the flight of `key` that is under way, or on a new one, made of the other arguments as
  // Flight's constructor says.
  Boarded Board(const cache::Key& key, const std::shared_ptr<Passenger>& passenger, Executor executor,
                Deadline deadline, const std::string& request_id);

  // Nobody boards it any more.
  void Remove(const Flight& flight);

  // For a lease: that of no other flight, here or in another process. All of them begin with the same
  // Lease::kOwnerBytes, which no other Flights have.
  std::string NewToken() { return owner_ + std::to_string(tokens_.fetch_add(1, std::memory_order_relaxed)); }

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kStripes = 16;
  struct alignas(64) Stripe {
    std::mutex mutex;  // taken before a flight's own, never after
    std::unordered_map<cache::Key, std::shared_ptr<Flight>, cache::KeyHash> flights;
  };
  // The map inside a stripe uses the first bytes, this the last one.
  Stripe& StripeOf(const cache::Key& key) { return stripes_[key.back() % kStripes]; }

  const std::size_t most_;
  const std::string owner_;
  std::atomic<std::uint64_t> tokens_{0};
  std::atomic<std::size_t> size_{0};
  std::array<Stripe, kStripes> stripes_;
};

// A place on a flight: the passenger leaves when it is destroyed. On the passenger's loop.
class Seat {
 public:
  Seat(Flights& flights, const cache::Key& key, Executor executor, bool streams, Deadline deadline,
       const std::string& request_id)
      : passenger_(std::make_shared<Passenger>(executor, streams)),
        boarded_(flights.Board(key, passenger_, executor, deadline, request_id)) {}
  ~Seat() {
    if (boarded_.flight) boarded_.flight->Leave(*passenger_);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  const std::shared_ptr<Flight>& flight() const { return boarded_.flight; }  // null: there is none
  bool first() const { return boarded_.first; }
  Awaitable<News> Next() { return boarded_.flight->Next(passenger_); }

 private:
  std::shared_ptr<Passenger> passenger_;
  Flights::Boarded boarded_;
};

}  // namespace pointsman::pipeline
