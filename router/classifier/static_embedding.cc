#include "router/classifier/static_embedding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace pointsman::classifier {
namespace {

// sum += scale * vector; `size` is a multiple of 8. Vector types of the compiler (gcc, clang), for every machine.
#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
void AddScaled(const std::int8_t* vector, std::size_t size, float scale, float* sum) {
  constexpr std::size_t kWide = 8;
  using Bytes [[gnu::vector_size(kWide)]] = std::int8_t;
  using Words [[gnu::vector_size(4 * kWide)]] = std::int32_t;
  using Floats [[gnu::vector_size(4 * kWide)]] = float;
  Bytes bytes;
  Floats floats;
  for (std::size_t d = 0; d < size; d += kWide) {
    std::memcpy(&bytes, vector + d, sizeof bytes);
    std::memcpy(&floats, sum + d, sizeof floats);
    floats += scale * __builtin_convertvector(__builtin_convertvector(bytes, Words), Floats);
    std::memcpy(sum + d, &floats, sizeof floats);
  }
}

}  // namespace

std::vector<std::string> Vocabulary(std::string_view lines) {
  std::vector<std::string> pieces;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    pieces.emplace_back(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return pieces;
}

std::string Flaw(const v1::StaticEmbedding& embedding) { return Flaw(embedding, embedding.vectors().size()); }

std::string Flaw(const v1::StaticEmbedding& embedding, std::size_t vectors) {
  const std::size_t dimensions = embedding.dimensions();
  if (dimensions < 8 || dimensions > kMaxDimensions || dimensions % 8 != 0) {
    return "its embedding has " + std::to_string(dimensions) + " dimensions (a multiple of 8 up to 512)";
  }
  const auto pieces =
      static_cast<std::size_t>(std::count(embedding.vocabulary().begin(), embedding.vocabulary().end(), '\n'));
  if (pieces == 0 || embedding.vocabulary().back() != '\n' || pieces > (1U << 20)) return "its vocabulary is not one";
  const std::size_t tokens = pieces + static_cast<std::size_t>(embedding.pairs_size());
  if (vectors != tokens * dimensions) return "its token vectors have the wrong size";
  if (static_cast<std::size_t>(embedding.scales_size()) != tokens) return "its token vectors have not a scale each";
  for (const std::uint64_t pair : embedding.pairs()) {
    if (pair >> 32 >= pieces || (pair & 0xFFFFFFFF) >= pieces) return "a pair of tokens is not of its vocabulary";
  }
  if (!std::all_of(embedding.scales().begin(), embedding.scales().end(), [](float s) { return std::isfinite(s); })) {
    return "a scale of its token vectors is not a finite number";
  }
  return "";
}

StaticEmbedding::StaticEmbedding(const v1::StaticEmbedding& embedding)
    : StaticEmbedding(embedding, Table::Copy(embedding.vectors())) {}

StaticEmbedding::StaticEmbedding(const v1::StaticEmbedding& embedding, Table vectors)
    : dimensions_(embedding.dimensions()),
      pieces_(Vocabulary(embedding.vocabulary())),
      pairs_(std::bit_ceil(2 * static_cast<std::size_t>(embedding.pairs_size()) + 2)),
      mask_(pairs_.size() - 1),
      vectors_(std::move(vectors)),
      scales_(embedding.scales().begin(), embedding.scales().end()) {
  auto number = static_cast<std::uint32_t>(scales_.size()) - static_cast<std::uint32_t>(embedding.pairs_size());
  for (const std::uint64_t pair : embedding.pairs()) {
    std::size_t slot = Slot(pair, mask_);
    while (pairs_[slot].pair != ~0ULL) slot = (slot + 1) & mask_;
    pairs_[slot] = {pair, number++};
  }
}

std::size_t StaticEmbedding::Add(std::string_view text, float* sum) const {
  constexpr std::size_t kBatch = 64;  // tokens are looked up ahead, so that their cache misses overlap
  const std::int8_t* const vectors = vectors_.int8();
  std::uint32_t batch[kBatch];
  std::size_t waiting = 0, count = 0;
  const auto flush = [&] {
    for (std::size_t i = 0; i < waiting; ++i) {
      AddScaled(vectors + batch[i] * dimensions_, dimensions_, scales_[batch[i]], sum);
    }
    count += waiting;
    waiting = 0;
  };
  Tokens(text, [&](std::uint32_t token) {
    __builtin_prefetch(vectors + token * dimensions_);
    __builtin_prefetch(vectors + token * dimensions_ + 64);
    batch[waiting] = token;
    if (++waiting == kBatch) flush();
  });
  flush();
  return count;
}

}  // namespace pointsman::classifier
