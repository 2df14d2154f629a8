#include "tests/support/scored_texts.h"

#include <array>
#include <boost/json.hpp>
#include <cstdio>

#include "router/offline/random.h"

namespace pointsman::testing {
namespace {

constexpr std::size_t kTopics = 3, kWords = 8;
constexpr std::array<std::array<const char*, kWords>, kTopics> kWordsOf = {{
    {"rose", "soil", "hedge", "prune", "seed", "lawn", "bloom", "compost"},
    {"orbit", "comet", "galaxy", "planet", "nebula", "pulsar", "eclipse", "quasar"},
    {"piston", "valve", "torque", "gasket", "crankshaft", "diesel", "throttle", "camshaft"},
}};
constexpr std::array<const char*, 6> kCommon = {"what", "is", "the", "of", "a", "why"};
// Per mille, of the small and of the large expert.
constexpr std::array<std::array<std::uint64_t, 2>, kTopics> kRight = {{{900, 920}, {100, 900}, {80, 120}}};

}  // namespace

std::vector<offline::ScoredRow> ScoredTexts(std::size_t count, std::uint64_t seed) {
  offline::SplitMix random(seed);
  std::vector<offline::ScoredRow> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t topic = random.Below(kTopics);
    std::string text;
    for (int word = 0; word < 10; ++word) {
      text += word % 2 == 0 ? kCommon[random.Below(kCommon.size())] : kWordsOf[topic][random.Below(kWords)];
      text += ' ';
    }
    text += std::to_string(i);
    const float small = random.Below(1000) < kRight[topic][0] ? 1.0F : 0.0F;
    const float large = random.Below(1000) < kRight[topic][1] ? 1.0F : 0.0F;
    rows.push_back({text, static_cast<std::uint32_t>(topic), {small, large}});
  }
  return rows;
}

std::string ScoredLines(const std::vector<offline::ScoredRow>& rows) {
  std::string lines;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    char h[32];
    std::snprintf(h, sizeof h, "%08zx", i);
    lines += boost::json::serialize(boost::json::object{
                 {"prompt", rows[i].text},
                 {"domain", "topic " + std::to_string(rows[i].label)},
                 {"h", h},
                 {"scores", boost::json::object{{"small", rows[i].scores[0]}, {"large", rows[i].scores[1]}}}}) +
             "\n";
  }
  return lines;
}

}  // namespace pointsman::testing
