// router/cache/question_guards.h: what two questions must have in common, to the letter, before one answer may serve
// both. Vectors and classifiers are blind to just these differences (docs/cache-semantic.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pointsman::cache {

enum class Guard {
  kNumbers,    // digits with their units and signs, and number words, in their order
  kNegations,  // whether there is any: not, never, without, n't, ...
  kQuotes,     // texts in quotation marks or backticks, as they are, in their order
  kEntities,   // names: capitals inside a sentence, acronyms, codes, addresses; countries, cities, people
  kValues,     // words that stand for one value of a few: weekdays, months, languages, currencies, opposites
  kLanguage,   // script, and for Latin script the language by its function words
  kWords,      // words that the answer's questions do not use: what they say may be what is asked for
};
inline constexpr std::size_t kGuards = 7;

const char* NameOf(Guard guard);

// A hash for each guard; 0: the question has nothing of the kind.
struct QuestionGuards {
  std::array<std::uint32_t, kGuards> hashes{};

  bool operator==(const QuestionGuards&) const = default;
};

// `text` is UTF-8; bytes that are not are letters. `usual` says of a word, in lower case, whether questions of the same
// answer use it; without it all words are usual. Linear; allocates for the words. Any thread.
QuestionGuards GuardsOf(std::string_view text, const std::function<bool(std::string_view word)>& usual = {});

// The words of `text` in lower case, as the guards read them, each once, in order; those with digits are left out.
std::vector<std::string> DistinctWords(std::string_view text);

}  // namespace pointsman::cache
