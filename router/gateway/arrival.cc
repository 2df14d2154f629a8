#include "router/gateway/arrival.h"

#include <algorithm>
#include <array>
#include <bit>
#include <random>

#include "base/hex.h"

namespace pointsman::gateway {
namespace {

constexpr std::size_t kMaxRequestId = 128;

std::string MakeRequestId() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  const std::array<std::uint64_t, 2> number = {random(), random()};
  std::string id;
  AppendHex(std::bit_cast<std::array<std::uint8_t, sizeof number>>(number), id);
  return id;
}

bool IsRequestId(grpc::string_ref text) {
  return !text.empty() && text.size() <= kMaxRequestId &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

Deadline DeadlineOf(grpc::CallbackServerContext& context, const config::Limits& limits, Clock::time_point now) {
  auto longest = now + limits.max_deadline;
  std::chrono::system_clock::time_point wanted = context.deadline();
  if (wanted == std::chrono::system_clock::time_point::max()) return longest;
  auto left = std::chrono::duration_cast<Clock::duration>(wanted - std::chrono::system_clock::now());
  return std::min(longest, now + left);
}

}  // namespace

pipeline::Arrival ArrivalOf(grpc::CallbackServerContext& context, const config::Limits& limits) {
  pipeline::Arrival arrival;
  arrival.time = Clock::now();
  arrival.deadline = DeadlineOf(context, limits, arrival.time);
  const auto& metadata = context.client_metadata();
  if (auto it = metadata.find("authorization"); it != metadata.end()) {
    arrival.authorization.assign(it->second.data(), it->second.size());
  }
  auto id = metadata.find(kRequestIdKey);
  if (id != metadata.end() && IsRequestId(id->second)) {
    arrival.request_id.assign(id->second.data(), id->second.size());
  } else {
    arrival.request_id = MakeRequestId();
  }
  context.AddInitialMetadata(kRequestIdKey, arrival.request_id);
  return arrival;
}

}  // namespace pointsman::gateway
