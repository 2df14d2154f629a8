#include "router/offline/label_rows.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "router/classifier/artifact.h"
#include "router/classifier/stored_vectors.h"

namespace pointsman::offline {

LabelVoters::LabelVoters(std::span<const float> labelled, std::span<const std::uint8_t> labels,
                         std::span<const float> unlabelled, std::size_t dimensions)
    : labels_(labels.begin(), labels.end()) {
  classifier::StoredVectors stored(dimensions);
  for (std::size_t i = 0; i < labels.size(); ++i) stored.Add(labelled.subspan(i * dimensions, dimensions), labels[i]);
  for (std::size_t at = 0; at < unlabelled.size(); at += dimensions) {
    const std::span<const float> vector = unlabelled.subspan(at, dimensions);
    std::vector<Voter>& candidates = candidates_.emplace_back();
    if (std::all_of(vector.begin(), vector.end(), [](float value) { return value == 0; })) continue;
    for (const classifier::NearVector& near : stored.Nearest(vector, kCandidates)) {
      candidates.push_back({near.row, near.cosine});
    }
  }
}

std::vector<LabelVote> LabelVoters::Vote(std::span<const std::uint8_t> excluded) const {
  std::vector<LabelVote> votes;
  for (const std::vector<Voter>& candidates : candidates_) {
    std::array<double, classifier::kMaxCategories> sums{};
    double total = 0;
    std::size_t voters = 0;
    for (const Voter& voter : candidates) {
      if (voters == kVoters) break;
      if (!excluded.empty() && excluded[voter.row] != 0) continue;
      const double weight = std::exp(kSharpness * static_cast<double>(voter.cosine - candidates.front().cosine));
      sums[labels_[voter.row]] += weight;
      total += weight;
      ++voters;
    }
    const auto most = static_cast<std::size_t>(std::max_element(sums.begin(), sums.end()) - sums.begin());
    votes.push_back({static_cast<std::uint32_t>(most), total > 0 ? sums[most] / total : 0});
  }
  return votes;
}

}  // namespace pointsman::offline
