// router/offline/weigh_views.h: how much each view of a classifier counts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pointsman::offline {

// Log-probabilities of one view: row-major [rows][categories].
using View = std::vector<float>;

// The weights >= 0 that minimise the mean -ln p(truth), p = softmax of the weighted sum of the views: a convex problem,
// solved by a projected Newton method (Bertsekas 1982). With one view it is temperature scaling (weight = 1 / T). Every
// view has truth.size() rows.
std::vector<float> WeighViews(std::span<const View> views, std::size_t categories,
                              std::span<const std::uint32_t> truth);

}  // namespace pointsman::offline
