#include "router/classifier/neighbours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "router/classifier/static_embedding.h"

namespace pointsman::classifier {
namespace {

constexpr float kSmoothing = 0.02F;
constexpr float kNegligible = 5;  // a row whose weight is under exp(-this) of the nearest row's adds nothing

constexpr std::size_t kWide = 8;  // views at most

// What one look-up needs; a thread's own, so that none allocates.
struct Scratch {
  std::vector<float> cosines;
  std::vector<std::uint32_t> clusters;
  std::vector<float> sums;
};

// The indices of the `count` largest of more values, each in [-1, 1], in no order. A histogram says which are among
// them for certain; the few in the bucket where the limit falls are partitioned. Comparisons of a partition of all of
// them cannot be predicted, and would take several times as long.
void Largest(std::span<const float> values, std::size_t count, std::vector<std::uint32_t>& out) {
  constexpr std::size_t kBuckets = 256;
  const auto bucket = [](float value) {
    return static_cast<std::size_t>(std::clamp(static_cast<std::int32_t>((value + 1) * (kBuckets / 2)), 0,
                                               static_cast<std::int32_t>(kBuckets - 1)));
  };
  std::array<std::uint32_t, kBuckets> sizes{};
  for (const float value : values) ++sizes[bucket(value)];
  std::size_t limit = kBuckets - 1, above = 0;
  for (; above + sizes[limit] < count; --limit) above += sizes[limit];
  // Those above from the front, those at the limit from the back: written always, kept where they belong.
  out.resize(values.size() + 1);
  std::size_t front = 0, back = values.size();
  for (std::uint32_t k = 0; k < values.size(); ++k) {
    const std::size_t at = bucket(values[k]);
    out[front] = k;
    front += at > limit;
    if (at == limit) out[back--] = k;
  }
  const auto first = out.begin() + static_cast<std::ptrdiff_t>(back) + 1;
  const auto needed = static_cast<std::ptrdiff_t>(count - above);
  std::nth_element(first, first + needed - 1, out.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return values[a] > values[b]; });
  std::copy(first, first + needed, out.begin() + static_cast<std::ptrdiff_t>(front));
  out.resize(count);
}

template <std::size_t N>
void Add(const float* from, float* to) {
  using Floats [[gnu::vector_size(N * sizeof(float))]] = float;
  Floats x, y;
  std::memcpy(&x, from, sizeof x);
  std::memcpy(&y, to, sizeof y);
  y += x;
  std::memcpy(to, &y, sizeof y);
}

// Rows of one cluster after the other, those that are excluded left out.
template <class Row>
void ForEach(std::size_t begin, std::size_t end, std::span<const std::uint8_t> excluded, Row&& row) {
  if (excluded.empty()) {
    for (std::size_t i = begin; i < end; ++i) row(i);
  } else {
    for (std::size_t i = begin; i < end; ++i) {
      if (excluded[i] == 0) row(i);
    }
  }
}

// What the rows' votes depend on.
struct Votes {
  const float* cosines;
  const std::uint8_t* labels;
  const float* decay;  // [step][N]
  float largest, reach, per_step;
  std::size_t half;
};

// Adds the votes of the rows from `begin` to `end` to sums[2][category][N]. Rows of a cluster are often of one
// category: even and odd ones have sums of their own, so that an addition does not wait for the one before. By value,
// because the compiler must assume that a sum is written over what it has a reference to.
template <std::size_t N>
void AddVotes(const Votes votes, std::size_t begin, std::size_t end, std::span<const std::uint8_t> excluded,
              float* sums) {
  ForEach(begin, end, excluded, [=](std::size_t i) {
    const float below = votes.largest - votes.cosines[i];
    if (below >= votes.reach) return;
    const auto step = static_cast<std::size_t>(static_cast<std::int32_t>(below * votes.per_step));
    Add<N>(votes.decay + step * N, sums + (i % 2) * votes.half + votes.labels[i] * N);
  });
}

}  // namespace

std::string Flaw(const v1::Neighbours& n, std::size_t dimensions, std::size_t categories) {
  return Flaw(n, n.vectors().size(), dimensions, categories);
}

std::string Flaw(const v1::Neighbours& n, std::size_t vectors, std::size_t dimensions, std::size_t categories) {
  const std::size_t rows = n.labels().size();
  const auto clusters = static_cast<std::size_t>(n.cluster_begin_size()) - 1;
  if (n.dimensions() != dimensions) return "its neighbours have other dimensions than its embedding";
  if (rows == 0 || rows > (1U << 24)) return "it has no neighbours, or too many";
  if (vectors != rows * dimensions) return "its neighbours' vectors have the wrong size";
  if (static_cast<std::size_t>(n.scales_size()) != rows) return "its neighbours have not a scale each";
  if (n.cluster_begin_size() < 2 || n.centroids().size() != clusters * dimensions || n.cluster_begin(0) != 0 ||
      n.cluster_begin(static_cast<int>(clusters)) != rows ||
      !std::is_sorted(n.cluster_begin().begin(), n.cluster_begin().end())) {
    return "its clusters are not those of its neighbours";
  }
  if (n.probes() == 0 || n.probes() > clusters) return "probes is not 1 to the number of clusters";
  if (n.sharpness_size() == 0 || static_cast<std::size_t>(n.sharpness_size()) > kWide)
    return "it has not 1 to 8 sharpnesses";
  for (const float value : n.sharpness()) {
    if (!(value > 0 && value <= 1000)) return "a sharpness is not over 0 and up to 1000";
  }
  if (n.votes_size() != 0 && static_cast<std::size_t>(n.votes_size()) != categories) {
    return "its neighbours' votes are not one for each category";
  }
  for (const float value : n.votes()) {
    if (!(value > 0 && value <= 1e6F)) return "a factor on its neighbours' votes is not over 0 and up to a million";
  }
  for (const char label : n.labels()) {
    if (static_cast<std::uint8_t>(label) >= categories) return "a neighbour has a label that is no category";
  }
  if (!std::all_of(n.scales().begin(), n.scales().end(), [](float s) { return std::isfinite(s); })) {
    return "a scale of its neighbours is not a finite number";
  }
  return "";
}

Neighbours::Neighbours(const v1::Neighbours& model, std::size_t categories)
    : Neighbours(model, Table::Copy(model.vectors()), categories) {}

Neighbours::Neighbours(const v1::Neighbours& model, Table vectors, std::size_t categories)
    : dimensions_(model.dimensions()),
      categories_(categories),
      rows_(std::move(vectors), {model.scales().begin(), model.scales().end()}, dimensions_),
      labels_(model.labels().begin(), model.labels().end()),
      votes_(model.votes().begin(), model.votes().end()),
      begin_(model.cluster_begin().begin(), model.cluster_begin().end()),
      centroids_(model.centroids(), std::vector<float>(begin_.size() - 1, 1.0F / 127), dimensions_),
      probes_(model.probes()),
      views_(static_cast<std::size_t>(model.sharpness_size())),
      reach_(kNegligible / *std::min_element(model.sharpness().begin(), model.sharpness().end())),
      width_(views_ <= 4 ? 4 : kWide),
      decay_(kSteps * width_) {
  for (std::size_t step = 0; step < kSteps; ++step) {
    const float below = (static_cast<float>(step) + 0.5F) * reach_ / kSteps;
    for (std::size_t v = 0; v < views_; ++v) {
      decay_[step * width_ + v] = std::exp(-below * model.sharpness(static_cast<int>(v)));
    }
  }
}

float Neighbours::LogShares(std::span<const float> vector, std::span<float> out,
                            std::span<const std::uint8_t> excluded) const {
  thread_local Scratch scratch;
  const Int8Vector query(vector);
  const std::size_t clusters = begin_.size() - 1;
  std::vector<float>& cosines = scratch.cosines;
  cosines.resize(std::max(clusters, labels_.size()));
  if (probes_ < clusters) {
    centroids_.Products(query, 0, clusters, cosines.data());
    Largest(std::span(cosines).first(clusters), probes_, scratch.clusters);
  } else {
    scratch.clusters.resize(clusters);
    std::iota(scratch.clusters.begin(), scratch.clusters.end(), 0U);
  }

  std::array<float, kNearest> nearest;
  nearest.fill(-1);
  for (const std::uint32_t k : scratch.clusters) {
    rows_.Products(query, begin_[k], begin_[k + 1], &cosines[begin_[k]]);
    ForEach(begin_[k], begin_[k + 1], excluded, [&](std::size_t i) {
      if (cosines[i] <= nearest.back()) return;
      std::size_t at = kNearest - 1;
      for (; at > 0 && nearest[at - 1] < cosines[i]; --at) nearest[at] = nearest[at - 1];
      nearest[at] = cosines[i];
    });
  }

  const std::size_t half = categories_ * width_;
  scratch.sums.assign(2 * half, 0.0F);
  const Votes votes{cosines.data(), labels_.data(), decay_.data(), nearest[0], reach_, kSteps / reach_, half};
  for (const std::uint32_t k : scratch.clusters) {
    if (width_ == 4) {
      AddVotes<4>(votes, begin_[k], begin_[k + 1], excluded, scratch.sums.data());
    } else {
      AddVotes<kWide>(votes, begin_[k], begin_[k + 1], excluded, scratch.sums.data());
    }
  }
  const float* const sums = scratch.sums.data();
  for (std::size_t v = 0; v < views_; ++v) {
    for (std::size_t c = 0; c < categories_; ++c) {
      out[v * categories_ + c] = sums[c * width_ + v] + sums[half + c * width_ + v];
    }
  }
  for (std::size_t v = 0; v < views_; ++v) {
    float* const shares = &out[v * categories_];
    for (std::size_t c = 0; c < votes_.size(); ++c) shares[c] *= votes_[c];
    float total = 0;
    for (std::size_t c = 0; c < categories_; ++c) total += shares[c];
    const float smooth = total > 0 ? kSmoothing * total / static_cast<float>(categories_) : 1;
    const float norm = std::log(total + smooth * static_cast<float>(categories_));
    const float none = std::log(smooth) - norm;  // most categories have no row among those that count
    for (std::size_t c = 0; c < categories_; ++c)
      shares[c] = shares[c] == 0 ? none : std::log(shares[c] + smooth) - norm;
  }
  float sum = 0;
  for (const float cosine : nearest) sum += cosine;
  return sum / kNearest;
}

}  // namespace pointsman::classifier
