#include "router/cache/question_guards.h"

#include <algorithm>
#include <string>
#include <vector>

#include "router/cache/guard_words.h"

namespace pointsman::cache {
namespace {

constexpr std::uint32_t kFnvStart = 2166136261U, kFnvPrime = 16777619U;

class Fnv {
 public:
  void Add(std::string_view text) {
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * kFnvPrime;
    hash_ = (hash_ ^ 0xFFU) * kFnvPrime;  // a byte that no UTF-8 text has: ("a", "b") is not ("ab")
    any_ = true;
  }
  std::uint32_t hash() const { return any_ ? std::max(hash_, 1U) : 0; }

 private:
  std::uint32_t hash_ = kFnvStart;
  bool any_ = false;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsOther(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWord(char c) { return IsDigit(c) || IsUpper(c) || IsLower(c) || IsOther(c); }

// A word as people write it: apostrophes inside ("don't"), and in codes and addresses what joins them ("a@b.c",
// "v1.2").
struct Word {
  std::string_view text;  // as it is
  std::string lower;
  bool begins = false;  // a sentence
};

// U+2019, the apostrophe of typesetters, where it joins letters.
std::size_t ApostropheAt(std::string_view text, std::size_t at) {
  if (text[at] == '\'') return 1;
  return text.substr(at, 3) == "\xE2\x80\x99" ? 3 : 0;
}

std::vector<Word> WordsOf(std::string_view text) {
  std::vector<Word> words;
  bool begins = true;
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "\xE2\x80") {  // dashes, quotation marks, spaces
      i = std::min(i + 3, text.size());
      continue;
    }
    if (!IsWord(text[i])) {
      if (text[i] == '.' || text[i] == '!' || text[i] == '?' || text[i] == ':' || text[i] == '\n') begins = true;
      ++i;
      continue;
    }
    std::size_t end = i;
    std::string lower;
    while (end < text.size()) {
      if (const std::size_t apostrophe = ApostropheAt(text, end);
          apostrophe > 0 && end + apostrophe < text.size() && IsWord(text[end + apostrophe])) {
        lower += '\'';
        end += apostrophe;
      } else if (text.substr(end, 2) == "\xE2\x80") {
        break;  // dashes and quotation marks
      } else if (IsWord(text[end])) {
        lower += IsUpper(text[end]) ? static_cast<char>(text[end] - 'A' + 'a') : text[end];
        ++end;
      } else if (end + 1 < text.size() && IsWord(text[end + 1]) &&
                 (text[end] == '@' || text[end] == '_' ||
                  ((text[end] == '.' || text[end] == ',' || text[end] == ':' || text[end] == '/') &&
                   IsDigit(text[end - 1]) && IsDigit(text[end + 1])) ||
                  (text[end] == '.' && IsLower(text[end + 1]) && !IsSpace(text[end - 1])))) {
        lower += text[end];
        ++end;
      } else {
        break;
      }
    }
    words.push_back({text.substr(i, end - i), std::move(lower), begins});
    begins = false;
    i = end;
  }
  return words;
}

// Texts between quotation marks. A single one opens after a space or at the start, and closes before what is no letter.
void AddQuotes(std::string_view text, Fnv& hash) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPairs = {{{"\"", "\""},
                                                                                    {"`", "`"},
                                                                                    {"\xE2\x80\x9C", "\xE2\x80\x9D"},
                                                                                    {"\xC2\xAB", "\xC2\xBB"},
                                                                                    {"\xE2\x80\x9E", "\xE2\x80\x9C"},
                                                                                    {"'", "'"}}};
  for (std::size_t i = 0; i < text.size();) {
    std::size_t next = i + 1;
    for (const auto& [open, close] : kPairs) {
      if (text.substr(i, open.size()) != open) continue;
      if (open == "'" && i > 0 && IsWord(text[i - 1])) continue;
      std::size_t end = text.find(close, i + open.size());
      while (open == "'" && end != std::string_view::npos && end + 1 < text.size() && IsWord(text[end + 1])) {
        end = text.find(close, end + 1);
      }
      if (end == std::string_view::npos || end == i + open.size()) continue;
      hash.Add(text.substr(i + open.size(), end - i - open.size()));
      next = end + close.size();
      break;
    }
    i = next;
  }
}

// "n't" in any spelling, and what else denies.
bool Denies(std::string_view word) {
  if (word.size() > 3 && word.ends_with("n't")) return true;
  return KindOf(word) == WordKind::kNegation;
}

bool HasDigit(std::string_view word) { return std::any_of(word.begin(), word.end(), IsDigit); }

// A name by how it is written: a capital where no sentence begins, two capitals anywhere, letters with digits, what an
// address has.
bool IsName(const Word& word, bool shouted) {
  const std::string_view text = word.text;
  if (text.find_first_of("@_") != std::string_view::npos) return true;
  const auto uppers = std::count_if(text.begin(), text.end(), IsUpper);
  const bool letters = uppers > 0 || std::any_of(text.begin(), text.end(), IsLower);
  if (letters && HasDigit(text)) return true;
  if (letters && text.find('.') != std::string_view::npos) return true;
  if (shouted || uppers == 0) return false;
  if (text == "I" || text.starts_with("I'") || text.starts_with("I\xE2\x80\x99")) return false;
  if (uppers >= 2) return true;
  return !word.begins && IsUpper(text[0]);
}

// What follows a number and belongs to it.
std::string_view UnitAfter(std::string_view text, const Word& word) {
  const auto at = static_cast<std::size_t>(word.text.data() - text.data()) + word.text.size();
  return at < text.size() && text[at] == '%' ? "%" : "";
}

std::string_view SignBefore(std::string_view text, const Word& word) {
  const auto at = static_cast<std::size_t>(word.text.data() - text.data());
  if (at == 0) return "";
  const char sign = text[at - 1];
  if (sign == '$' || (sign == '-' && (at == 1 || IsSpace(text[at - 2])))) return text.substr(at - 1, 1);
  for (const std::string_view currency : {"\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5"}) {
    if (at >= currency.size() && text.substr(at - currency.size(), currency.size()) == currency) return currency;
  }
  return "";
}

// Which scripts the letters are of, a bit each.
std::uint32_t ScriptsOf(std::string_view text) {
  std::uint32_t scripts = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0xC0) continue;
    if (c == 0xCE || c == 0xCF) scripts |= 1;    // Greek
    if (c >= 0xD0 && c <= 0xD3) scripts |= 2;    // Cyrillic
    if (c == 0xD6 || c == 0xD7) scripts |= 4;    // Armenian, Hebrew
    if (c >= 0xD8 && c <= 0xDB) scripts |= 8;    // Arabic
    if (c == 0xE0) scripts |= 16;                // South and South-East Asia
    if (c == 0xE3) scripts |= 32;                // kana
    if (c >= 0xE4 && c <= 0xE9) scripts |= 64;   // ideographs
    if (c >= 0xEA && c <= 0xED) scripts |= 128;  // hangul
  }
  return scripts;
}

std::uint32_t LanguageOf(std::string_view text, const std::vector<Word>& words) {
  std::array<int, kFunctionLanguages> counts{};
  for (const Word& word : words) {
    if (const int language = FunctionWordOf(word.lower); language >= 0) ++counts[static_cast<std::size_t>(language)];
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  const auto language = *most == 0 ? 0U : static_cast<std::uint32_t>(most - counts.begin()) + 1;
  return ScriptsOf(text) << 8U | language;
}

}  // namespace

const char* NameOf(Guard guard) {
  switch (guard) {
    case Guard::kNumbers: return "numbers";
    case Guard::kNegations: return "negations";
    case Guard::kQuotes: return "quoted texts";
    case Guard::kEntities: return "names";
    case Guard::kValues: return "values";
    case Guard::kLanguage: return "language";
    case Guard::kWords: return "unusual words";
  }
  return "?";
}

QuestionGuards GuardsOf(std::string_view text, const std::function<bool(std::string_view word)>& usual) {
  const std::vector<Word> words = WordsOf(text);
  const bool shouted = std::none_of(text.begin(), text.end(), IsLower);
  Fnv numbers, quotes;
  bool negated = false;
  std::vector<std::string_view> names, values, unusual;
  for (const Word& word : words) {
    if (HasDigit(word.text)) {
      numbers.Add(std::string(SignBefore(text, word)).append(word.lower).append(UnitAfter(text, word)));
    }
    negated = negated || Denies(word.lower);
    if (const std::string_view number = NumberWord(word.lower); !number.empty()) numbers.Add(number);
    const WordKind kind = KindOf(word.lower);
    if (kind == WordKind::kValue) values.push_back(word.lower);
    if (usual && !HasDigit(word.text) && !usual(word.lower)) unusual.push_back(word.lower);
    if (kind == WordKind::kName || IsName(word, shouted)) names.push_back(word.lower);
  }
  AddQuotes(text, quotes);
  const auto of_set = [](std::vector<std::string_view>& set) {
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    Fnv hash;
    for (const std::string_view word : set) hash.Add(word);
    return hash.hash();
  };
  QuestionGuards guards;
  const auto set = [&guards](Guard guard, std::uint32_t hash) {
    guards.hashes[static_cast<std::size_t>(guard)] = hash;
  };
  set(Guard::kNumbers, numbers.hash());
  set(Guard::kNegations, negated ? 1 : 0);
  set(Guard::kQuotes, quotes.hash());
  set(Guard::kEntities, of_set(names));
  set(Guard::kValues, of_set(values));
  set(Guard::kLanguage, LanguageOf(text, words));
  set(Guard::kWords, of_set(unusual));
  return guards;
}

std::vector<std::string> DistinctWords(std::string_view text) {
  std::vector<std::string> distinct;
  for (Word& word : WordsOf(text)) {
    if (!HasDigit(word.text)) distinct.push_back(std::move(word.lower));
  }
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  return distinct;
}

}  // namespace pointsman::cache
