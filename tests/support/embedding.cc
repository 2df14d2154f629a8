#include "tests/support/embedding.h"

#include <cctype>
#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "router/offline/random.h"
#include "tests/support/topics.h"

namespace pointsman::testing {

std::shared_ptr<const v1::StaticEmbedding> TopicEmbedding() {
  constexpr std::uint32_t kDimensions = 16;
  std::set<std::string> words;
  std::ifstream in(TopicRows());
  std::string word;
  for (char c = 0; in.get(c);) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  auto embedding = std::make_shared<v1::StaticEmbedding>();
  embedding->set_dimensions(kDimensions);
  offline::SplitMix random(1);
  for (const std::string& piece : words) {
    *embedding->mutable_vocabulary() += piece + "\n";
    for (std::uint32_t d = 0; d < kDimensions; ++d) {
      embedding->mutable_vectors()->push_back(static_cast<char>(static_cast<std::int8_t>(random.Below(255))));
    }
    embedding->add_scales(1.0F / 127);
  }
  // The first two words as a known pair.
  embedding->add_pairs(0ULL << 32 | 1);
  embedding->mutable_vectors()->append(kDimensions, '\x01');
  embedding->add_scales(1.0F / 127);
  return embedding;
}

}  // namespace pointsman::testing
