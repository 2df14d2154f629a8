#include "policies/gate/options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>

namespace pointsman::gate {
namespace {

constexpr auto kNone = std::string_view::npos;

bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsWord(char c) { return IsLetter(c) || IsDigit(c) || (static_cast<unsigned char>(c) & 0x80U) != 0; }

char At(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : '\n'; }

// The last place of any of `phrases` (lower case) in `text`, and what follows it; nullopt without any.
template <std::size_t n>
std::optional<std::string_view> AfterLast(std::string_view text, const std::array<std::string_view, n>& phrases) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::size_t best = kNone;
  for (const std::string_view phrase : phrases) {
    const std::size_t at = lower.rfind(phrase);
    if (at == kNone) continue;
    const std::size_t end = at + phrase.size();
    if (best == kNone || end > best) best = end;
  }
  if (best == kNone) return std::nullopt;
  return text.substr(best);
}

// The option letter at `at`, when one stands there alone: not inside a word, and not the article of a sentence.
std::optional<char> LoneLetter(std::string_view text, std::size_t at, std::size_t options) {
  const char c = At(text, at);
  if (c < 'A' || c >= static_cast<char>('A' + options)) return std::nullopt;
  if (at > 0 && IsWord(text[at - 1])) return std::nullopt;
  const char next = At(text, at + 1);
  if (IsWord(next) || next == '\'') return std::nullopt;
  // "A train", "I think": a word of the sentence.
  if ((c == 'A' || c == 'I') && next == ' ' && IsWord(At(text, at + 2))) return std::nullopt;
  return c;
}

// The letter after blanks and marks like "**(", "is: ", "option ".
std::optional<char> LeadingLetter(std::string_view text, std::size_t options) {
  std::size_t at = 0;
  while (at < text.size() && (IsBlank(text[at]) || std::string_view("*_([{:$\"'`").find(text[at]) != kNone)) ++at;
  return LoneLetter(text, at, options);
}

std::string Letter(std::string_view text, std::size_t options) {
  constexpr std::array<std::string_view, 7> kPhrases = {"answer is",   "answer:",  "answer: option", "answer is option",
                                                        "answer is: ", "\\boxed{", "\\text{"};
  if (const auto after = AfterLast(text, kPhrases)) {
    if (const auto letter = LeadingLetter(*after, options)) return std::string(1, *letter);
  }
  constexpr std::array<std::string_view, 2> kWeaker = {"option ", "choice "};
  if (const auto after = AfterLast(text, kWeaker)) {
    if (const auto letter = LeadingLetter(*after, options)) return std::string(1, *letter);
  }
  if (const auto letter = LeadingLetter(text, options)) return std::string(1, *letter);
  for (std::size_t at = text.size(); at-- > 0;) {
    const auto letter = LoneLetter(text, at, options);
    if (!letter) continue;
    const char before = at == 0 ? '\n' : text[at - 1], after = At(text, at + 1);
    const bool bracketed = before == '(' && after == ')';
    const bool line = before == '\n' && (after == '\n' || after == '\r' || after == '.' || after == ')');
    if (bracketed || line) return std::string(1, *letter);
  }
  return "";
}

struct Number {
  std::size_t begin, end;  // of its text
  std::string value;       // normal form
};

// The number that begins at or after `at`.
std::optional<Number> NextNumber(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    if (!IsDigit(text[at])) continue;
    if (at > 0 && (IsLetter(text[at - 1]) || text[at - 1] == '_')) {  // "x2", "gpt4"
      while (at + 1 < text.size() && IsDigit(text[at + 1])) ++at;
      continue;
    }
    const std::size_t begin = at;
    std::string digits;
    for (; at < text.size(); ++at) {
      const bool grouped = text[at] == ',' && IsDigit(At(text, at + 1)) && IsDigit(At(text, at + 2)) &&
                           IsDigit(At(text, at + 3)) && !IsDigit(At(text, at + 4));
      if (grouped) continue;
      if (!IsDigit(text[at])) break;
      digits += text[at];
    }
    std::string fraction;
    if (At(text, at) == '.' && IsDigit(At(text, at + 1))) {
      for (++at; at < text.size() && IsDigit(text[at]); ++at) fraction += text[at];
    }
    // ".5" after a blank or sign.
    if (begin > 0 && text[begin - 1] == '.' && (begin == 1 || !IsDigit(text[begin - 2])) && fraction.empty() &&
        (begin == 1 || !IsWord(text[begin - 2]))) {
      fraction = digits;
      digits = "0";
    }
    while (fraction.ends_with('0')) fraction.pop_back();
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    // A minus sign, unless it is the operator between two operands ("5-3") or a hyphen.
    std::size_t sign = begin;
    while (sign > 0 && (text[sign - 1] == '$' || text[sign - 1] == '.')) --sign;
    const bool negative =
        sign > 0 && text[sign - 1] == '-' && (sign == 1 || !(IsWord(text[sign - 2]) || text[sign - 2] == ')'));
    std::string value = digits + (fraction.empty() ? "" : "." + fraction);
    if (negative && value != "0") value.insert(0, 1, '-');
    return Number{begin, at, std::move(value)};
  }
  return std::nullopt;
}

std::string LastNumber(std::string_view text) {
  constexpr std::array<std::string_view, 4> kPhrases = {"####", "\\boxed{", "answer is", "answer:"};
  if (const auto after = AfterLast(text, kPhrases)) {
    // What stands beside the phrase: "The answer is simple:\n" followed by reasoning is no statement.
    const std::string_view line = after->substr(0, after->find('\n', std::min<std::size_t>(1, after->size())));
    if (const auto number = NextNumber(line, 0)) {
      // "the answer is 3 * 5 = 15": what the equation ends in.
      const std::size_t equals = line.rfind('=');
      if (equals != kNone && equals > number->end) {
        if (const auto result = NextNumber(line, equals)) return result->value;
      }
      return number->value;
    }
  }
  std::string last;
  for (std::size_t at = 0; at < text.size();) {
    auto number = NextNumber(text, at);
    if (!number) break;
    at = number->end;
    last = std::move(number->value);
  }
  return last;
}

}  // namespace

std::size_t CountOptions(std::string_view prompt) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < prompt.size(); ++at) {
    const char c = prompt[at];
    if (c < 'A' || c > 'Z') continue;
    // Back over one bracket and blanks to what stands before.
    std::size_t before = at;
    const bool bracket = before > 0 && prompt[before - 1] == '(';
    if (bracket) --before;
    const bool spaced = before == 0 || IsBlank(prompt[before - 1]);
    while (before > 0 && (prompt[before - 1] == ' ' || prompt[before - 1] == '\t')) --before;
    const bool line = before == 0 || prompt[before - 1] == '\n';
    const char mark = At(prompt, at + 1);
    const bool marked = bracket ? mark == ')' : mark == '.' || mark == ')' || mark == ':';
    if (!marked || !spaced || !(line || bracket) || !IsBlank(At(prompt, at + 2))) continue;
    if (c == 'A') {
      count = 1;
    } else if (static_cast<std::size_t>(c - 'A') == count) {
      ++count;
    }
  }
  return count >= 2 ? count : 0;
}

double OptionProbabilities(std::span<const TopToken> top, std::span<double> out) {
  std::fill(out.begin(), out.end(), 0.0);
  double mass = 0;
  for (const TopToken& token : top) {
    std::string_view text = token.text;
    while (!text.empty() && (IsBlank(text.front()) || text.front() == '(')) text.remove_prefix(1);
    if (text.size() != 1 || text[0] < 'A' || static_cast<std::size_t>(text[0] - 'A') >= out.size()) continue;
    const double p = std::isnan(token.logprob) ? 0 : std::exp(std::min(token.logprob, 0.0));
    out[static_cast<std::size_t>(text[0] - 'A')] += p;
    mass += p;
  }
  for (double& p : out) p = mass > 0 ? p / mass : 1 / static_cast<double>(out.size());
  return std::min(mass, 1.0);
}

std::string ExtractAnswer(std::string_view text, std::size_t options) {
  return options > 0 ? Letter(text, std::min(options, kMaxOptions)) : LastNumber(text);
}

Votes Agreement(std::span<const std::string> answers) {
  struct Count {
    std::size_t first, votes;
  };
  std::vector<Count> counts;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto same = std::find_if(counts.begin(), counts.end(), [&](const Count& count) {
      return !answers[i].empty() && answers[count.first] == answers[i];
    });
    if (same == counts.end()) {
      counts.push_back({i, 1});
    } else {
      ++same->votes;
    }
  }
  std::stable_sort(counts.begin(), counts.end(), [&](const Count& a, const Count& b) {
    if (a.votes != b.votes) return a.votes > b.votes;
    return !answers[a.first].empty() && answers[b.first].empty();
  });
  Votes votes;
  votes.samples = answers.size();
  for (const Count& count : counts) {
    votes.shares.push_back(static_cast<double>(count.votes) / static_cast<double>(answers.size()));
  }
  if (!counts.empty()) votes.majority = counts.front().first;
  return votes;
}

}  // namespace pointsman::gate
