#include "router/offline/rehearsal.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "router/classifier/features.h"
#include "router/classifier/static_embedding.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kShortlist = 256;  // words that a row's text is made of
constexpr std::size_t kMostWords = 60;

float Dot(const float* a, const float* b, std::size_t size) {
  float lanes[8] = {};
  for (std::size_t i = 0; i < size; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// Words and pairs of words that the rows of training had, with their vectors.
struct Dictionary {
  std::vector<std::string> words;
  std::vector<float> vectors;  // [word][dimensions]
  std::vector<float> squares;  // of a vector's length
};

class Tokens {
 public:
  explicit Tokens(const v1::StaticEmbedding& embedding) : embedding_(embedding) {}
  // Adds a token's vector.
  void Add(std::size_t token, float* sum) const {
    const std::size_t dimensions = embedding_.dimensions();
    const float scale = embedding_.scales(static_cast<int>(token));
    for (std::size_t d = 0; d < dimensions; ++d) {
      sum[d] += scale * static_cast<float>(static_cast<std::int8_t>(embedding_.vectors()[token * dimensions + d]));
    }
  }

 private:
  const v1::StaticEmbedding& embedding_;
};

// Whether the rows of training had all words and pairs of the text.
bool Known(const v1::LinearClassifier& model, const std::string& text) {
  bool known = true;
  classifier::StreamFeatures(text, model.max_bytes(), [&](const classifier::Feature& feature) {
    if (feature.group == classifier::Group::kCharacters) return;
    if (model.idf()[feature.Row(model.bucket_bits())] == 0) known = false;
  });
  return known;
}

Dictionary MakeDictionary(const v1::Artifact& artifact) {
  const v1::StaticEmbedding& embedding = artifact.embedding();
  const std::size_t dimensions = embedding.dimensions();
  const std::vector<std::string> pieces = classifier::Vocabulary(embedding.vocabulary());
  const Tokens tokens(embedding);
  Dictionary dictionary;
  std::vector<float> vector(dimensions);
  const auto add = [&](std::string text, std::initializer_list<std::size_t> parts) {
    if (!Known(artifact.classifier(), text)) return;
    std::fill(vector.begin(), vector.end(), 0.0F);
    for (const std::size_t part : parts) tokens.Add(part, vector.data());
    const float square = Dot(vector.data(), vector.data(), dimensions);
    if (!(square > 0)) return;
    dictionary.words.push_back(std::move(text));
    dictionary.vectors.insert(dictionary.vectors.end(), vector.begin(), vector.end());
    dictionary.squares.push_back(square);
  };
  const auto inside = [](const std::string& piece) { return piece.starts_with("##"); };
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    if (!inside(pieces[p]) && !pieces[p].starts_with('[')) add(pieces[p], {p});
  }
  for (int i = 0; i < embedding.pairs_size(); ++i) {
    const std::size_t first = embedding.pairs(i) >> 32, second = embedding.pairs(i) & 0xFFFFFFFF;
    if (inside(pieces[first])) continue;
    const std::string rest = inside(pieces[second]) ? pieces[second].substr(2) : " " + pieces[second];
    add(pieces[first] + rest, {first, second, pieces.size() + static_cast<std::size_t>(i)});
  }
  return dictionary;
}

// Words whose vectors add up to `target`, the one first that brings the sum nearest to it.
std::string TextFor(const Dictionary& dictionary, std::vector<float> target) {
  const std::size_t dimensions = target.size(), size = dictionary.words.size();
  // 2 r.v - v.v: how much nearer (squared distance) the word v brings the rest r to zero.
  const auto gain = [&](std::size_t word) {
    return 2 * Dot(target.data(), &dictionary.vectors[word * dimensions], dimensions) - dictionary.squares[word];
  };
  std::vector<std::pair<float, std::uint32_t>> list(size);
  for (std::uint32_t word = 0; word < size; ++word) {
    const float dot = Dot(target.data(), &dictionary.vectors[word * dimensions], dimensions);
    list[word] = {dot > 0 ? dot * dot / dictionary.squares[word] : 0, word};
  }
  const std::size_t few = std::min(kShortlist, size);
  std::nth_element(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(few - 1), list.end(), std::greater<>());
  list.resize(few);
  std::string text;
  for (std::size_t count = 0; count < kMostWords; ++count) {
    float best = 0;
    std::uint32_t chosen = 0;
    for (const auto& [ignored, word] : list) {
      const float g = gain(word);
      if (g > best) {
        best = g;
        chosen = word;
      }
    }
    if (!(best > 0)) break;
    for (std::size_t d = 0; d < dimensions; ++d) target[d] -= dictionary.vectors[chosen * dimensions + d];
    text += (text.empty() ? "" : " ") + dictionary.words[chosen];
  }
  return text;
}

std::vector<float> StoredVector(const v1::Neighbours& neighbours, std::size_t row, float length) {
  const std::size_t dimensions = neighbours.dimensions();
  std::vector<float> vector(dimensions);
  const float scale = length * neighbours.scales(static_cast<int>(row));
  for (std::size_t d = 0; d < dimensions; ++d) {
    vector[d] = scale * static_cast<float>(static_cast<std::int8_t>(neighbours.vectors()[row * dimensions + d]));
  }
  return vector;
}

}  // namespace

std::vector<RehearsalText> Rehearse(const v1::Artifact& artifact, std::span<const float> vectors, float length,
                                    std::size_t count, std::uint64_t seed) {
  const v1::Neighbours& neighbours = artifact.neighbours();
  const std::size_t rows = neighbours.labels().size(), dimensions = neighbours.dimensions();
  const Dictionary dictionary = MakeDictionary(artifact);
  count = std::min(count, rows);
  const std::size_t near = rows == count ? count : count / 2;

  std::vector<std::pair<float, std::uint32_t>> order(rows);  // largest cosine with one of `vectors`
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::vector<float> stored = StoredVector(neighbours, row, 1);
    float cosine = -1;
    for (std::size_t at = 0; at < vectors.size(); at += dimensions) {
      cosine = std::max(cosine, Dot(stored.data(), &vectors[at], dimensions));
    }
    order[row] = {cosine, row};
  }
  std::sort(order.begin(), order.end(), std::greater<>());
  SplitMix random(seed);
  for (std::size_t i = near; i < count; ++i) std::swap(order[i], order[i + random.Below(rows - i)]);

  std::vector<RehearsalText> texts;
  const double others = count == near ? 1 : static_cast<double>(rows - near) / static_cast<double>(count - near);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t row = order[i].second;
    texts.push_back({dictionary.words.empty() ? "" : TextFor(dictionary, StoredVector(neighbours, row, length)),
                     static_cast<std::uint8_t>(neighbours.labels()[row]), i < near ? 1 : others, row});
  }
  return texts;
}

}  // namespace pointsman::offline
