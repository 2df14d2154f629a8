// router/cache/question_guards.h: what two questions must have in common, to the letter, before one answer may serve
// both. Vectors and classifiers are blind to just these differences (docs/cache-semantic.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pointsman::cache {

enum class Guard {
  kNumbers,    // digits with their units and signs, and number words, in their order
  kNegations,  // how many: not, never, without, n't, ...
  kQuotes,     // texts in quotation marks or backticks, as they are, in their order
  kEntities,   // names: capitals inside a sentence, acronyms, codes, addresses; countries, cities, people
  kValues,     // words that stand for one value of a few: weekdays, months, languages, currencies, opposites
  kAsked,      // what is wanted: when, where, who, why, how much
  kLanguage,   // script, and for Latin script the language by its function words
};
inline constexpr std::size_t kGuards = 7;

const char* NameOf(Guard guard);

// A hash for each guard; 0: the question has nothing of the kind.
struct QuestionGuards {
  std::array<std::uint32_t, kGuards> hashes{};

  bool operator==(const QuestionGuards&) const = default;
};

// `text` is UTF-8; bytes that are not are letters. Linear; allocates for the words. Any thread.
QuestionGuards GuardsOf(std::string_view text);

}  // namespace pointsman::cache
