#include "router/classifier/text_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

// Words that turn a question round, that relate quantities, and that count or repeat them: the last two are what makes
// a word problem take more steps.
constexpr std::array<std::string_view, 14> kNegations = {"not",     "except",    "never",    "no",      "least",
                                                         "false",   "incorrect", "cannot",   "neither", "nor",
                                                         "without", "untrue",    "unlikely", "none"};
constexpr std::array<std::string_view, 20> kRatios = {
    "half",   "twice", "double", "triple",  "times",    "third", "thirds",  "quarter", "percent", "percentage",
    "fourth", "fifth", "ratio",  "average", "fraction", "tenth", "doubled", "tripled", "halves",  "interest"};
constexpr std::array<std::string_view, 8> kRates = {"per", "each", "every", "hour", "hourly", "daily", "week", "rate"};
constexpr std::array<std::string_view, 16> kCompares = {"more",    "less",    "fewer",  "than",   "as",   "older",
                                                        "younger", "longer",  "left",   "remain", "rest", "remaining",
                                                        "if",      "instead", "before", "after"};
constexpr std::array<std::string_view, 12> kNumberWords = {"one",   "two",   "three", "four", "five",  "six",
                                                           "seven", "eight", "nine",  "ten",  "dozen", "hundred"};
constexpr std::array<std::string_view, 8> kQuestions = {"what", "which", "who", "when", "where", "how", "why", "whom"};

template <std::size_t kSize>
bool Among(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool Digit(char c) { return c >= '0' && c <= '9'; }
bool Upper(char c) { return c >= 'A' && c <= 'Z'; }

// Whether `line` begins an answer option: "A. ", "B) ", "(C) ".
bool Option(std::string_view line) {
  if (!line.empty() && line[0] == '(') line.remove_prefix(1);
  return line.size() >= 3 && line[0] >= 'A' && line[0] <= 'J' && (line[1] == '.' || line[1] == ')') && line[2] == ' ';
}

struct Counts {
  double bytes = 0, words = 0, word_bytes = 0, long_words = 0, numbers = 0, digits = 0, number_bytes = 0, decimals = 0;
  double sentences = 0, commas = 0, marks = 0, dollars = 0, percents = 0, upper = 0, blanks = 0, questions = 0;
  double lines = 0, negations = 0, shouted = 0, ratios = 0, rates = 0, compares = 0, number_words = 0,
         question_words = 0;
  double non_ascii = 0, distinct_numbers = 0;
};

// Distinct numbers by a 256-bit filter of their digits.
struct Seen {
  std::array<std::uint64_t, 4> bits{};
  bool Add(std::string_view number) {
    std::uint64_t hash = internal::kFnvStart;
    for (const char c : number) hash = internal::FnvStep(hash, c);
    hash = (hash ^ (hash >> 29)) * 0x9E3779B97F4A7C15ULL;
    std::uint64_t& word = bits[hash >> 62];
    const std::uint64_t bit = 1ULL << ((hash >> 56) & 63);
    const bool fresh = (word & bit) == 0;
    word |= bit;
    return fresh;
  }
};

void CountWord(std::string_view text, std::size_t begin, std::size_t end, std::string_view folded, Counts& counts) {
  ++counts.words;
  counts.word_bytes += static_cast<double>(end - begin);
  if (end - begin > 9) ++counts.long_words;
  if (Among(kNegations, folded)) {
    ++counts.negations;
    if (Upper(text[begin]) && Upper(text[begin + 1])) ++counts.shouted;  // NOT, EXCEPT
  }
  counts.ratios += Among(kRatios, folded);
  counts.rates += Among(kRates, folded);
  counts.compares += Among(kCompares, folded);
  counts.number_words += Among(kNumberWords, folded);
  counts.question_words += Among(kQuestions, folded);
}

void Count(std::string_view text, Counts& counts) {
  Seen seen;
  counts.bytes += static_cast<double>(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const internal::Character c = internal::kCharacters[static_cast<unsigned char>(text[i])];
    std::size_t end = i + 1;
    if (c.kind == internal::Kind::kLetter) {
      std::array<char, 16> folded;
      std::size_t size = 0;
      for (end = i; end < text.size(); ++end) {
        const internal::Character next = internal::kCharacters[static_cast<unsigned char>(text[end])];
        if (next.kind != internal::Kind::kLetter) break;
        if (size < folded.size()) folded[size++] = next.folded;
        counts.upper += Upper(text[end]);
        counts.non_ascii += static_cast<unsigned char>(text[end]) > 127;
      }
      CountWord(text, i, end, {folded.data(), size}, counts);
    } else if (c.kind == internal::Kind::kDigit) {
      while (end < text.size() && Digit(text[end])) ++end;
      ++counts.numbers;
      counts.digits += static_cast<double>(end - i);
      counts.number_bytes = std::max(counts.number_bytes, static_cast<double>(end - i));
      counts.distinct_numbers += seen.Add(text.substr(i, end - i));
      if (end + 1 < text.size() && (text[end] == '.' || text[end] == '/') && Digit(text[end + 1])) ++counts.decimals;
    } else if (text[i] == '\n') {
      ++counts.lines;
    } else if (text[i] == '.' || text[i] == '!' || text[i] == '?') {
      const bool ends = end == text.size() ||
                        internal::kCharacters[static_cast<unsigned char>(text[end])].kind == internal::Kind::kSpace;
      counts.sentences += ends;
      counts.questions += text[i] == '?';
    } else if (text[i] == ',') {
      ++counts.commas;
    } else if (text[i] == '$') {
      ++counts.dollars;
    } else if (text[i] == '%') {
      ++counts.percents;
    } else if (text[i] == '_') {
      ++counts.blanks;
    } else if (std::string_view("=+*/^<>\\{}|").find(text[i]) != std::string_view::npos) {
      ++counts.marks;
    }
    i = end;
  }
}

// The options at the end of a text.
struct Options {
  double count = 0, bytes = 0, longest = 0, shortest = std::numeric_limits<double>::max(), words = 0, with_digits = 0;
};

void CountOption(std::string_view option, Options& options) {
  option.remove_prefix(std::min<std::size_t>(option.size(), 3));
  const auto size = static_cast<double>(option.size());
  ++options.count;
  options.bytes += size;
  options.longest = std::max(options.longest, size);
  options.shortest = std::min(options.shortest, size);
  options.words += static_cast<double>(std::count(option.begin(), option.end(), ' ') + 1);
  options.with_digits += std::any_of(option.begin(), option.end(), Digit);
}

// Counts the options; returns the stem.
std::string_view Split(std::string_view text, Options& options) {
  std::size_t stem = text.size();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (begin > 0 && Option(line)) {
      stem = std::min(stem, begin - 1);
      CountOption(line, options);
    }
    begin = end + 1;
  }
  return text.substr(0, stem);
}

float Log(double count) { return static_cast<float>(std::log1p(count)); }
float Share(double part, double whole) { return whole > 0 ? static_cast<float>(part / whole) : 0.0F; }

}  // namespace

const std::array<const char*, kTextStatistics> kTextStatisticNames = {"stem bytes",
                                                                      "stem words",
                                                                      "sentences",
                                                                      "bytes a word",
                                                                      "long words",
                                                                      "numbers",
                                                                      "distinct numbers",
                                                                      "digits",
                                                                      "longest number",
                                                                      "decimals and fractions",
                                                                      "commas",
                                                                      "formula marks",
                                                                      "dollar signs",
                                                                      "percent signs",
                                                                      "share of capitals",
                                                                      "blanks",
                                                                      "question marks",
                                                                      "lines",
                                                                      "negations",
                                                                      "negations in capitals",
                                                                      "ratio words",
                                                                      "rate words",
                                                                      "comparing words",
                                                                      "number words",
                                                                      "question words",
                                                                      "non-ASCII letters",
                                                                      "options",
                                                                      "option bytes",
                                                                      "option words",
                                                                      "longest to shortest option",
                                                                      "options with digits",
                                                                      "words a sentence"};

TextStatistics StatisticsOf(std::string_view text, std::size_t max_bytes) {
  const Excerpt excerpt = Sample(text, max_bytes);
  Options options;
  Counts c;
  Count(Split(excerpt.head, options), c);
  if (!excerpt.tail.empty()) Count(Split(excerpt.tail, options), c);
  const bool any = options.count > 0;
  return {Log(c.bytes),
          Log(c.words),
          Log(c.sentences),
          Share(c.word_bytes, c.words),
          Log(c.long_words),
          Log(c.numbers),
          Log(c.distinct_numbers),
          Log(c.digits),
          Log(c.number_bytes),
          Log(c.decimals),
          Log(c.commas),
          Log(c.marks),
          Log(c.dollars),
          Log(c.percents),
          Share(c.upper, c.word_bytes),
          Log(c.blanks),
          Log(c.questions),
          Log(c.lines),
          Log(c.negations),
          Log(c.shouted),
          Log(c.ratios),
          Log(c.rates),
          Log(c.compares),
          Log(c.number_words),
          Log(c.question_words),
          Log(c.non_ascii),
          static_cast<float>(options.count),
          any ? Log(options.bytes / options.count) : 0.0F,
          any ? Log(options.words / options.count) : 0.0F,
          any ? Log(options.longest) - Log(options.shortest) : 0.0F,
          Share(options.with_digits, options.count),
          Log(c.words / std::max(1.0, c.sentences))};
}

}  // namespace pointsman::classifier
