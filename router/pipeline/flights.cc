#include "router/pipeline/flights.h"

#include "router/cache/lease.h"

namespace pointsman::pipeline {

// Drawn once: random numbers that nobody can guess are dear.
Flights::Flights(std::size_t most) : most_(most), owner_(cache::RandomSecret().substr(0, cache::Lease::kOwnerBytes)) {}

Flights::Boarded Flights::Board(const cache::Key& key, const std::shared_ptr<Passenger>& passenger, Executor executor,
                                Deadline deadline, const std::string& request_id) {
  Stripe& stripe = StripeOf(key);
  const std::lock_guard lock(stripe.mutex);
  auto found = stripe.flights.find(key);
  if (found != stripe.flights.end()) {
    if (found->second->Board(passenger)) return {found->second, false};
    stripe.flights.erase(found);  // it has ended, and is about to remove itself
    size_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (size() >= most_) return {};
  auto flight = std::make_shared<Flight>(*this, key, executor, deadline, request_id);
  flight->Board(passenger);
  stripe.flights.emplace(key, flight);
  size_.fetch_add(1, std::memory_order_relaxed);
  return {std::move(flight), true};
}

void Flights::Remove(const Flight& flight) {
  Stripe& stripe = StripeOf(flight.key());
  const std::lock_guard lock(stripe.mutex);
  auto found = stripe.flights.find(flight.key());
  if (found == stripe.flights.end() || found->second.get() != &flight) return;
  stripe.flights.erase(found);
  size_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace pointsman::pipeline
