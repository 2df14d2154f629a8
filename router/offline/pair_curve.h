// router/offline/pair_curve.h: how well a score routes between a weak and a strong expert (RouteLLM, arXiv 2406.18665,
// section 4.2 "metrics"): the share of the performance gap recovered against the share of calls to the strong one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pointsman::offline {

struct CurvePoint {
  double strong_share = 0;  // of the requests, [0, 1]
  double recovered = 0;     // (quality - quality of weak) / (quality of strong - quality of weak); 0 at 0, 1 at 1
  double threshold = 0;     // requests whose score is at or above it go to the strong expert
};

// The exact curve: requests go to the strong expert by falling score, those of equal score all together; between its
// points it is linear, which is the expectation when equal scores are ordered at random. First point (0, 0), its
// threshold +infinity. `gains` = quality of strong minus quality of weak, a request each; their sum is not 0.
std::vector<CurvePoint> PairCurve(std::span<const double> scores, std::span<const double> gains);

// Area under the curve: APGR. 0.5 for a random order.
double Area(std::span<const CurvePoint> curve);

// The smallest share of strong calls that recovers `recovered` of the gap: CPT(50 %) for 0.5. In (0, 1].
double ShareToRecover(std::span<const CurvePoint> curve, double recovered);

struct PairFigures {
  double apgr = 0, cpt50 = 0, cpt80 = 0;
};
PairFigures Figures(std::span<const double> scores, std::span<const double> gains);

struct Spread {
  double deviation = 0, low = 0, high = 0;  // standard deviation; 2.5 and 97.5 % quantiles
};
Spread SpreadOf(std::vector<double> values);  // zeros without any

struct PairSpreads {
  Spread apgr, cpt50, cpt80;
  std::uint32_t resamples = 0;  // those with a gap above 0: without one the figures do not exist
};

// Bootstrap over requests (Efron and Tibshirani 1993, chapter 6; percentile intervals, chapter 13).
PairSpreads Bootstrap(std::span<const double> scores, std::span<const double> gains, std::uint32_t resamples,
                      std::uint64_t seed);

}  // namespace pointsman::offline
