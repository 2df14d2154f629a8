// router/offline/text_similarity.h: how alike texts are: cosines of their weighted n-grams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pointsman::offline {

// Vectors of the classifier's features (router/classifier/features.h; the first and last kilobytes of a long text):
// (1 + ln tf) idf, words and pairs together and character n-grams together each with norm 1/2, so that a cosine is in
// [0, 1]. Features that only one of the learnt texts has are left out. Memory: 12 bytes a distinct feature of a text.
class TextSimilarity {
 public:
  // Learns the features and their frequencies from `texts`, which become the texts 0, 1, ... of Cosines().
  explicit TextSimilarity(std::span<const std::string_view> texts);

  // The cosines of `text` with every learnt text. Any thread.
  std::vector<float> Cosines(std::string_view text) const;
  // Likewise of the learnt text `index`.
  std::vector<float> CosinesOf(std::size_t index) const;

 private:
  struct Weight {
    std::uint32_t feature;
    float weight;
  };
  std::vector<Weight> Vector(std::string_view text) const;
  std::vector<float> Cosines(std::span<const Weight> vector) const;

  std::unordered_map<std::uint64_t, std::uint32_t> features_;  // hash -> index
  std::vector<float> idf_;
  std::vector<bool> characters_;                                        // by feature: of the group of character n-grams
  std::vector<std::vector<Weight>> vectors_;                            // by text
  std::vector<std::vector<std::pair<std::uint32_t, float>>> postings_;  // by feature: text, weight
};

}  // namespace pointsman::offline
