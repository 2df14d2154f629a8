// router/classifier/text_statistics.h: a text as a few numbers: how long, how many numbers, what kind of question. They
// say how hard a question is where its words do not.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace pointsman::classifier {

inline constexpr std::size_t kTextStatistics = 32;
using TextStatistics = std::array<float, kTextStatistics>;

// The names of the statistics, for people, in their order.
extern const std::array<const char*, kTextStatistics> kTextStatisticNames;

// Counts as ln(1 + count), shares in [0, 1], all finite. Lines such as "A. ..." or "(B) ..." at the end are answer
// options, what stands before them is the stem; a text without options is all stem. At most `max_bytes` are read, as
// Sample() of features.h takes them. Linear, no allocation, any thread.
TextStatistics StatisticsOf(std::string_view text, std::size_t max_bytes);

}  // namespace pointsman::classifier
