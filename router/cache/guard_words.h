// router/cache/guard_words.h: the word lists of the guards (question_guards.h). Lower case, with plain apostrophes.
#pragma once

#include <cstddef>
#include <string_view>

namespace pointsman::cache {

enum class WordKind { kOther, kNegation, kName, kValue };

// What a word is by itself. Any thread.
WordKind KindOf(std::string_view word);

// The value of a number word ("three" and "third": "3"; "half": "1/2"), or "". "one" is none: it is a pronoun more
// often.
std::string_view NumberWord(std::string_view word);

// The language that a function word belongs to, [0, kFunctionLanguages), or -1. Words that several languages share
// belong to none.
inline constexpr std::size_t kFunctionLanguages = 8;
int FunctionWordOf(std::string_view word);

}  // namespace pointsman::cache
