// router/offline/hash_range.h: a share of the rows of a file, by a hash that the rows carry.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pointsman::offline {

// The rows whose field `h` (hexadecimal digits of a hash of the question) is in it: first <= int(h[:8], 16) % 100 <
// last. The same question is on the same side in every file.
struct HashRange {
  unsigned first = 0, last = 100;  // 0 <= first < last <= 100
};

// "LO:HI"; "" is no range.
Result<std::optional<HashRange>> ParseHashRange(const std::string& text);

// Whether the hash is in the range. One that does not begin with 8 hexadecimal digits is an error.
Result<bool> InRange(std::string_view hash, const HashRange& range);

}  // namespace pointsman::offline
