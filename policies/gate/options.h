// policies/gate/options.h: multiple-choice questions, final answers, and votes over them. Pure, any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pointsman::gate {

inline constexpr std::size_t kMaxOptions = 26;

// How many lettered options (A, B, ...) the question at the end of `prompt` has: 0 when it is not multiple choice, else
// 2 to 26. An option begins a line as "A.", "A)", "A:" or "(A)" with text after it, or is "(A)" between blanks
// anywhere; letters count from A without a gap, and an A begins a new question, so that of several (worked examples)
// the last one counts.
std::size_t CountOptions(std::string_view prompt);

struct TopToken {
  std::string_view text;  // as the tokenizer has it, blanks included
  double logprob = 0;     // natural logarithm, <= 0
};

// Fills `out` (2 to 26 values: option A, B, ...) with the probabilities of the option letters among one token's most
// probable tokens, normalised to sum 1; "A", " A" and "(A" are one letter. Returns the mass that they had before that,
// in [0, 1]; 0 = none of them is listed, and `out` is uniform then. A letter that is not listed gets 0: it has at most
// the least listed probability. The token is where the answer stands when the mass is at least kMinOptionMass.
double OptionProbabilities(std::span<const TopToken> top, std::span<double> out);
inline constexpr double kMinOptionMass = 0.5;

// The final answer of a text, in a form in which equal answers are equal strings; "" when none is found.
//   options > 0   a letter among the first `options` of the alphabet, as "B": what follows the last "answer is",
//                 "answer:", "option", "choice" or \boxed{; else the text's beginning, when that is a letter alone
//                 ("B", "B.", "(B) because"); else the last letter in brackets or alone on a line
//   options = 0   a number, as "-1234.5": what follows the last "####", \boxed{, "answer is" or "answer:" (of the
//                 same line); else the last number of the text. Thousands' commas, currency and percent signs and
//                 trailing zeros are dropped.
std::string ExtractAnswer(std::string_view text, std::size_t options = 0);

// The votes of samples of one answer.
struct Votes {
  std::vector<double> shares;  // of each distinct answer, largest first, sum 1; empty without any answer
  std::size_t majority = 0;    // index of the first sample that gave the most frequent answer
  std::size_t samples = 0;
};

// Answers as of ExtractAnswer(); an empty one (nothing found) agrees with no other. Of equally frequent answers the one
// that was given first wins, an empty one last.
Votes Agreement(std::span<const std::string> answers);

}  // namespace pointsman::gate
