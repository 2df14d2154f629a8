// router/offline/random.h: random numbers that are the same on every platform, which <random>'s distributions do not
// promise.
#pragma once

#include <cstdint>

namespace pointsman::offline {

// splitmix64 (Steele, Lea, Flood 2014).
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // In [0, limit), limit > 0; the bias of the remainder is below 2^-40 for the sizes of data sets.
  std::uint64_t Below(std::uint64_t limit) { return Next() % limit; }

 private:
  std::uint64_t state_;
};

}  // namespace pointsman::offline
