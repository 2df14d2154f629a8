// router/cache/stored_answer.h: an answer as it lies in a cache outside of this process
// (proto/pointsman/v1/cache.proto).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::cache {

using WallTime = std::chrono::system_clock::time_point;

struct StoredAnswer {
  std::shared_ptr<const v1::CompleteResponse> response;  // without its trace
  WallTime stored;                                       // to the millisecond
  std::uint64_t purges = 0;                              // how far the log of them was known when it was begun
};

// Messages above this are compressed, where that makes them smaller.
inline constexpr std::size_t kCompressAbove = 1024;  // bytes
// Larger ones are neither written nor read.
inline constexpr std::size_t kLargestAnswer = std::size_t{16} << 20;  // bytes, uncompressed

// "" when it is too large. Any thread.
std::string Encode(const v1::CompleteResponse& response, WallTime stored, std::uint64_t purges = 0);

// nullopt: cut, damaged, too large, or of another format. Any thread.
std::optional<StoredAnswer> Decode(std::string_view bytes);

}  // namespace pointsman::cache
