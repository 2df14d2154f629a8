// router/offline/match_rows.h: questions with known answers asked of each other, as the semantic cache would.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "router/cache/question_matcher.h"

namespace pointsman::offline {

// A question whose answer is known. Nothing has the answer kUnique, not even another one with it.
struct KnownQuestion {
  static constexpr std::uint32_t kUnique = 0xFFFFFFFF;

  std::optional<cache::MatchQuestion> question;  // none: it is matched with nothing
  std::uint32_t answer = 0;
};

inline bool Same(const KnownQuestion& a, const KnownQuestion& b) {
  return a.answer == b.answer && a.answer != KnownQuestion::kUnique;
}

// How alike two questions are; below 0: never a match.
using MatchScore = std::function<double(const cache::MatchQuestion& asked, const cache::MatchQuestion& stored)>;

// The best match of one question.
struct Match {
  double score = -1;  // below 0: none
  bool right = false;
  std::uint32_t stored = 0;  // its index
};

// The best match of each of `asked` among `stored`, of equals the first; a question is no match of itself (at the same
// address). Blocking, one thread, asked x stored scores.
std::vector<Match> MatchAll(std::span<const KnownQuestion> asked, std::span<const KnownQuestion> stored,
                            const MatchScore& score);

// The whole curve, by falling threshold: a point for each score of at least one match. Bounds: see v1::MatchPoint.
std::vector<v1::MatchPoint> CurveOf(std::span<const Match> matches);
// The points that PointFor() can return, and no other.
std::vector<v1::MatchPoint> Useful(std::span<const v1::MatchPoint> curve);

// The point of lowest threshold whose precision (`bound`: its lower bound) is at least `precision`; null: none.
const v1::MatchPoint* PointFor(std::span<const v1::MatchPoint> curve, double precision, bool bound);

}  // namespace pointsman::offline
