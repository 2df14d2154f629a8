#include "router/offline/text_similarity.h"

#include <algorithm>
#include <cmath>

#include "router/classifier/features.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kMaxBytes = 3000;

// Feature -> occurrences. The group is part of the key: a word is not its own n-gram.
std::unordered_map<std::uint64_t, std::uint32_t> Count(std::string_view text) {
  std::unordered_map<std::uint64_t, std::uint32_t> counts;
  classifier::StreamFeatures(text, kMaxBytes, [&counts](const classifier::Feature& feature) {
    const bool characters = feature.group == classifier::Group::kCharacters;
    ++counts[(feature.hash << 2) | (characters ? 2 : feature.group == classifier::Group::kPair ? 1 : 0)];
  });
  return counts;
}

}  // namespace

TextSimilarity::TextSimilarity(std::span<const std::string_view> texts) {
  std::unordered_map<std::uint64_t, std::uint32_t> frequency;
  for (const std::string_view text : texts) {
    for (const auto& [feature, count] : Count(text)) ++frequency[feature];
  }
  for (const auto& [feature, texts_with_it] : frequency) {
    if (texts_with_it < 2) continue;
    features_.emplace(feature, static_cast<std::uint32_t>(idf_.size()));
    const double rows = static_cast<double>(texts.size());
    idf_.push_back(static_cast<float>(std::log((1 + rows) / (1 + texts_with_it)) + 1));
    characters_.push_back((feature & 2) != 0);
  }
  postings_.resize(idf_.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    vectors_.push_back(Vector(texts[i]));
    for (const Weight& w : vectors_.back()) {
      postings_[w.feature].push_back({static_cast<std::uint32_t>(i), w.weight});
    }
  }
}

std::vector<TextSimilarity::Weight> TextSimilarity::Vector(std::string_view text) const {
  std::vector<Weight> vector;
  double squares[2] = {0, 0};
  for (const auto& [feature, count] : Count(text)) {
    const auto found = features_.find(feature);
    if (found == features_.end()) continue;
    const float weight = (1 + std::log(static_cast<float>(count))) * idf_[found->second];
    vector.push_back({found->second, weight});
    squares[characters_[found->second]] += static_cast<double>(weight) * weight;
  }
  // In one order, so that sums do not depend on the hash table's.
  std::sort(vector.begin(), vector.end(), [](const Weight& a, const Weight& b) { return a.feature < b.feature; });
  for (Weight& w : vector) w.weight /= static_cast<float>(std::sqrt(2 * squares[characters_[w.feature]]));
  return vector;
}

std::vector<float> TextSimilarity::Cosines(std::span<const Weight> vector) const {
  std::vector<float> cosines(vectors_.size(), 0);
  for (const Weight& w : vector) {
    for (const auto& [text, weight] : postings_[w.feature]) cosines[text] += w.weight * weight;
  }
  return cosines;
}

std::vector<float> TextSimilarity::Cosines(std::string_view text) const { return Cosines(Vector(text)); }
std::vector<float> TextSimilarity::CosinesOf(std::size_t index) const { return Cosines(vectors_[index]); }

}  // namespace pointsman::offline
