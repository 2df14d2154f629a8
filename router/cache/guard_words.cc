#include "router/cache/guard_words.h"

#include <array>
#include <string>
#include <unordered_map>
#include <utility>

namespace pointsman::cache {
namespace {

// Words in one string, separated by spaces: read once.
constexpr std::string_view kNegations =
    "not no never none nobody nothing nowhere neither nor cannot without cant dont doesnt didnt wont isnt arent wasnt "
    "werent hasnt havent hadnt couldnt shouldnt wouldnt aint except nicht kein keine keinen ohne nie niemals pas "
    "jamais "
    "sans ne non senza mai sin nunca jamas não sem geen niet zonder nooit";

constexpr std::string_view kValues =
    // of one kind, where another one has another answer
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september "
    "october november december dollar dollars euro euros pound pounds yen rupee rupees franc francs peso pesos yuan "
    "usd "
    "eur gbp jpy chf aud cad cny inr bitcoin btc ethereum eth celsius fahrenheit kelvin english french german spanish "
    "italian portuguese dutch russian chinese mandarin cantonese japanese korean arabic hindi bengali turkish polish "
    "czech "
    "swedish norwegian danish finnish greek hebrew latin ukrainian romanian hungarian vietnamese thai indonesian "
    "swahili "
    "persian urdu american british european african asian canadian mexican brazilian indian australian irish scottish "
    "swiss austrian belgian red green blue yellow orange purple pink black white brown gray grey python java "
    "javascript "
    "typescript ruby rust golang php kotlin swift scala haskell perl sql html css linux windows macos android ios "
    // one of two
    "increase decrease increased decreased increasing decreasing raise lower buy sell buying selling bought sold "
    "enable "
    "disable enabled disabled lock unlock locked unlocked activate deactivate largest smallest biggest highest lowest "
    "maximum minimum max min longest shortest oldest newest import export upload download encode decode encrypt "
    "decrypt "
    "install uninstall subscribe unsubscribe login logout legal illegal male female north south east west northern "
    "southern "
    "eastern western pros cons advantage disadvantage advantages disadvantages sunrise sunset before after";

constexpr std::string_view kNames =
    // countries
    "afghanistan albania algeria argentina australia austria bangladesh belgium bolivia brazil bulgaria cambodia "
    "canada "
    "chile china colombia croatia cuba cyprus denmark ecuador egypt england estonia ethiopia finland france georgia "
    "germany "
    "ghana greece hungary iceland india indonesia iran iraq ireland israel italy jamaica japan jordan kenya korea "
    "kuwait "
    "latvia lebanon lithuania luxembourg malaysia malta mexico mongolia morocco nepal netherlands nicaragua nigeria "
    "norway "
    "pakistan panama paraguay peru philippines poland portugal qatar romania russia scotland senegal serbia singapore "
    "slovakia slovenia somalia spain sudan sweden switzerland syria taiwan tanzania thailand tunisia turkey uganda "
    "ukraine "
    "uruguay usa uk us america venezuela vietnam wales yemen zambia zimbabwe europe asia africa "
    // cities and states
    "amsterdam athens atlanta austin baghdad bangkok barcelona beijing berlin bogota boston brussels bucharest "
    "budapest "
    "cairo calgary charlotte chicago cincinnati cleveland copenhagen dallas delhi denver detroit dubai dublin "
    "edinburgh "
    "florence frankfurt geneva glasgow hamburg hanoi havana helsinki hongkong houston istanbul jakarta jerusalem "
    "karachi "
    "kiev kyiv krakow lagos lima lisbon liverpool london lyon madrid manchester manila marseille melbourne miami milan "
    "milwaukee minneapolis montreal moscow mumbai munich nairobi naples nashville oakland orlando osaka oslo ottawa "
    "paris "
    "philadelphia phoenix pittsburgh portland prague rome sacramento seattle seoul shanghai stockholm sydney tampa "
    "tehran "
    "tokyo toronto vancouver venice vienna warsaw washington zurich york angeles vegas francisco diego antonio alabama "
    "alaska arizona arkansas california colorado connecticut delaware florida hawaii idaho illinois indiana iowa "
    "kansas "
    "kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada "
    "jersey dakota ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia wisconsin wyoming "
    // people
    "james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony mark "
    "steven "
    "paul andrew joshua kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan "
    "stephen larry justin scott brandon benjamin samuel frank gregory raymond alexander patrick jack dennis jerry "
    "tyler "
    "aaron jose adam nathan henry peter mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa "
    "nancy "
    "betty sandra margaret ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura "
    "sharon "
    "cynthia kathleen amy angela anna ruth brenda pamela nicole katherine samantha christine emma alice bob carlos "
    "maria "
    "pedro juan luis ahmed mohammed fatima wei yuki hans pierre giovanni ivan olga einstein newton shakespeare mozart "
    "beethoven napoleon hitler obama trump biden lincoln washington churchill gandhi darwin tesla "
    // companies
    "google microsoft apple amazon facebook meta netflix twitter samsung sony nintendo toyota honda ford bmw mercedes "
    "volkswagen walmart target costco starbucks mcdonalds paypal venmo uber lyft airbnb spotify youtube instagram "
    "tiktok "
    "whatsapp chase citibank barclays hsbc delta united lufthansa emirates ryanair";

constexpr std::pair<std::string_view, std::string_view> kNumbers[] = {
    {"zero", "0"},      {"two", "2"},         {"three", "3"},     {"four", "4"},        {"five", "5"},
    {"six", "6"},       {"seven", "7"},       {"eight", "8"},     {"nine", "9"},        {"ten", "10"},
    {"eleven", "11"},   {"twelve", "12"},     {"thirteen", "13"}, {"fourteen", "14"},   {"fifteen", "15"},
    {"sixteen", "16"},  {"seventeen", "17"},  {"eighteen", "18"}, {"nineteen", "19"},   {"twenty", "20"},
    {"thirty", "30"},   {"forty", "40"},      {"fifty", "50"},    {"sixty", "60"},      {"seventy", "70"},
    {"eighty", "80"},   {"ninety", "90"},     {"hundred", "100"}, {"thousand", "1000"}, {"million", "1e6"},
    {"billion", "1e9"}, {"trillion", "1e12"}, {"twice", "x2"},    {"thrice", "x3"},     {"once", "x1"},
    {"half", "1/2"},    {"quarter", "1/4"},   {"double", "x2"},   {"triple", "x3"},     {"dozen", "12"},
    {"both", "2"},      {"couple", "2"},      {"third", "3"},     {"fourth", "4"},      {"fifth", "5"},
    {"sixth", "6"},     {"seventh", "7"},     {"eighth", "8"},    {"ninth", "9"},       {"tenth", "10"},
    {"single", "1"},
};

constexpr std::array<std::string_view, kFunctionLanguages> kFunctionWords = {
    "the is are of and my i you what how do does can to for with it this that why when where which there been have has",
    "der das und ist ich nicht wie mein meine kann wird warum wo wann auf mit für ein eine sich dem den zu",
    "le les est et je vous mon ma mes comment pourquoi où avec pour une du des dans qui ce cette puis peux",
    "el los las y yo mi mis cómo como por qué donde cuándo con para una del está puedo es que",
    "il gli è e io mio mia perché dove quando con per una della sono posso che di",
    "o os as e eu meu minha onde quando com para uma do da está posso não é",
    "het een en ik mijn kan waarom waar wanneer met voor van is niet wordt",
    "och jag är min mitt kan varför var när med för en ett det som inte på",
};

using Kinds = std::unordered_map<std::string_view, WordKind>;

void AddAll(std::string_view list, WordKind kind, Kinds& kinds) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (end > 0) kinds.emplace(list.substr(0, end), kind);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

Kinds MakeKinds() {
  Kinds kinds;
  AddAll(kNegations, WordKind::kNegation, kinds);
  AddAll(kValues, WordKind::kValue, kinds);
  AddAll(kNames, WordKind::kName, kinds);
  return kinds;
}

std::unordered_map<std::string_view, int> MakeFunctionWords() {
  std::unordered_map<std::string_view, int> languages;
  for (std::size_t l = 0; l < kFunctionWords.size(); ++l) {
    std::string_view list = kFunctionWords[l];
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(' '), list.size());
      const auto [at, fresh] = languages.emplace(list.substr(0, end), static_cast<int>(l));
      if (!fresh && at->second != static_cast<int>(l)) at->second = -1;
      list.remove_prefix(std::min(end + 1, list.size()));
    }
  }
  return languages;
}

}  // namespace

WordKind KindOf(std::string_view word) {
  static const Kinds kKinds = MakeKinds();
  const auto found = kKinds.find(word);
  return found == kKinds.end() ? WordKind::kOther : found->second;
}

std::string_view NumberWord(std::string_view word) {
  static const std::unordered_map<std::string_view, std::string_view> kWords(std::begin(kNumbers), std::end(kNumbers));
  const auto found = kWords.find(word);
  return found == kWords.end() ? std::string_view() : found->second;
}

int FunctionWordOf(std::string_view word) {
  static const std::unordered_map<std::string_view, int> kLanguages = MakeFunctionWords();
  const auto found = kLanguages.find(word);
  return found == kLanguages.end() ? -1 : found->second;
}

}  // namespace pointsman::cache
