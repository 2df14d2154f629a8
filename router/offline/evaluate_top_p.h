// router/offline/evaluate_top_p.h: dynamic top-p sets (arXiv 2403.07652, section 3.1) over the categories of requests:
// how large they are, how often the right expert is in them, and how the controller of their mean size behaves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "router/offline/bootstrap.h"
#include "router/offline/kernel_ridge.h"

namespace pointsman::offline {

// Requests with the category that each really has. Both must outlive the call.
struct LabelledPosteriors {
  const Matrix& posteriors;              // [N][C], rows sum to 1; N >= 1
  std::span<const std::uint32_t> label;  // [N], below C, or kNoLabel
};
inline constexpr std::uint32_t kNoLabel = UINT32_MAX;  // a category that the classifier does not have: never hit

struct TopPOptions {
  std::vector<double> masses = {0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};  // p, each in (0, 1]
  unsigned most = 3;                                                      // cap of the capped sets, >= 1
  double mean_experts = 1.3;                                              // the controller's target, 1 to `most`
};

// "Hit": the right category's expert is in the set. All means are over the rows.
struct TopPPoint {
  double mass = 0;
  unsigned most = 0;  // C: no cap
  double size = 0;    // mean
  double hit = 0;     // [0, 1]
  Interval hit_interval;
  // Sets of a fixed size, at the same mean: of the two whole numbers around it, in the share that gives the mean.
  double fixed = 0;
  double gain = 0;  // hit - fixed, paired
  Interval gain_interval;
};

struct TopPDecile {
  double entropy = 0;  // mean, nats
  double top_1 = 0;    // hit rate of the likeliest alone: how easy the requests are
  double size = 0, hit = 0;
};

struct TopPController {
  static constexpr std::size_t kWindow = 50, kWindows = 30, kStreams = 100;
  double target = 0;
  std::vector<double> easy, hard;  // mean size in each window of kWindow requests, over kStreams streams
  // Requests after the start, and after the shift, until the last window that was more than 5 % off the target ended; a
  // whole segment: it never settled.
  std::size_t settled_easy = 0, settled_hard = 0;
  double mass_easy = 0, mass_hard = 0;  // mean p in the last window of each
  double uncontrolled = 0;              // mean size on the hard requests where p stays at mass_easy
};

struct TopPEvaluation {
  std::vector<double> fixed;            // hit rate of top-1, top-2, top-3 (as far as there are so many categories)
  std::vector<TopPPoint> free, capped;  // by mass, without a cap and with `most`
  // p that reaches top-2's hit rate on the training rows, and what it does on the others.
  TopPPoint as_top_2;
  std::vector<TopPDecile> deciles;  // by entropy, at as_top_2.mass without a cap
  TopPController controller;
};

// Every set is chosen by policies::Choose under a map written by hand with one expert for each category. `train` are
// rows that the classifier did not see (cross-fitted), from which as_top_2's p comes; all else is of `test`. The
// controller's streams are drawn with replacement from the half of the test rows with the least entropy, then from
// the other half. Deterministic; blocking.
TopPEvaluation EvaluateTopP(const std::vector<std::string>& categories, const LabelledPosteriors& train,
                            const LabelledPosteriors& test, const TopPOptions& options);

}  // namespace pointsman::offline
