#include "bench/floors/payload.h"

#include <charconv>
#include <system_error>

namespace pointsman::bench {

std::string_view LongAnswer() {
  return "A railway switch lets a train pass from one track to another. Two tapered rails, the points, slide together "
         "between the stock rails; a rod, driven by a lever, a motor or compressed air, holds them against one side or "
         "the other, and a lock keeps them there while wheels are on them. The frog, where the two routes cross, has a "
         "gap for the flanges, and check rails opposite to it keep the wheelset from taking the wrong side. Detection "
         "contacts report to the signal box whether the points lie fully home, and only then can the signal that "
         "protects the route be cleared for the driver of the train.";
}

std::string_view ShortAnswer() {
  return "A railway switch lets a train pass from one track to another. Two tapered rails, the points, slide together "
         "between the stock rails; a rod, driven by a lever, a motor or compressed air, holds them against one side or "
         "the other, and a lock keeps them there while wheels are on them.";
}

std::int64_t NowNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string ChunkText(std::int64_t nanoseconds) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(kChunkTextBytes, '@');
  for (std::size_t i = kChunkTextBytes - 1; i > 0; --i, nanoseconds >>= 4) text[i] = kDigits[nanoseconds & 15];
  return text;
}

void FindChunks(std::string_view text, std::vector<std::int64_t>& out) {
  for (std::size_t at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) {
    if (text.size() - at < kChunkTextBytes) return;
    std::int64_t value = 0;
    const char* end = text.data() + at + kChunkTextBytes;
    auto [stop, error] = std::from_chars(text.data() + at + 1, end, value, 16);
    if (error == std::errc() && stop == end) out.push_back(value);
  }
}

}  // namespace pointsman::bench
