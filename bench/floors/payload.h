// bench/floors/payload.h: what the mock upstream and the echo floor answer, in one place, so that peers are compared on
// the same bytes. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pointsman::bench {

// A streamed answer: this many chunks, this far apart, the first one at once.
inline constexpr int kChunks = 50;
inline constexpr std::chrono::milliseconds kChunkPeriod{20};

// About 600 bytes of text: the whole answer of the echo floor.
std::string_view LongAnswer();

// About 300 bytes of text: the content of the mock's answer, which is about 600 bytes long with its JSON.
std::string_view ShortAnswer();

// Nanoseconds on the steady clock, which all processes of one machine share.
std::int64_t NowNanoseconds();

// The text of one chunk: '@' and the time as 16 hexadecimal digits. It tells the load generator how long a chunk took,
// and how many chunks there are in a text, whether or not somebody on the way joined or wrapped them.
inline constexpr std::size_t kChunkTextBytes = 17;
std::string ChunkText(std::int64_t nanoseconds);

// The times of all chunks in `text`, in order; what is between them does not matter. Appends to `out`.
void FindChunks(std::string_view text, std::vector<std::int64_t>& out);

}  // namespace pointsman::bench
