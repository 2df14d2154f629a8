// router/offline/label_rows.h: labels for rows without one, by a vote of the nearest labelled rows.
//
// Semi-supervised labelling as Composition of Experts does it for its category router (arXiv 2412.01868, the data of
// the category router): a small labelled set labels the rest by nearest neighbours in an embedding. The exponential
// weights and the threshold are ours.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pointsman::offline {

struct LabelVote {
  std::uint32_t label = 0;
  double share = 0;  // of the votes that the label got, [0, 1]; 0 when nobody could vote
};

// Immutable; any thread.
class LabelVoters {
 public:
  static constexpr std::size_t kVoters = 10;      // the nearest labelled rows
  static constexpr double kSharpness = 20;        // a vote weighs exp(kSharpness * cosine)
  static constexpr std::size_t kCandidates = 40;  // of which the nearest that may vote are taken

  // Row-major vectors of length 1 (or 0, which nobody votes for), `dimensions` values each: n labelled rows, labels[i]
  // < 256, and m rows without a label.
  LabelVoters(std::span<const float> labelled, std::span<const std::uint8_t> labels, std::span<const float> unlabelled,
              std::size_t dimensions);

  // The vote for each of the m rows. Labelled rows whose mark in `excluded` (n) is not 0 have none.
  std::vector<LabelVote> Vote(std::span<const std::uint8_t> excluded) const;

 private:
  struct Voter {
    std::uint32_t row;
    float cosine;
  };
  std::vector<std::uint8_t> labels_;
  std::vector<std::vector<Voter>> candidates_;  // of each unlabelled row, nearest first
};

}  // namespace pointsman::offline
