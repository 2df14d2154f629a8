// router/offline/fit_classifier.h: labelled texts -> a calibrated classifier in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/classifier/classifier.h"
#include "router/offline/softmax.h"

namespace pointsman::offline {

// Whether a text is among the `share` of all texts that are held out. Depends on the text alone: not on the order of
// the rows, the other rows or the seed.
bool HeldOut(std::string_view text, double share);

// Fits on the texts that are not held out, finds the temperature on those that are, then fits on all of them. Errors:
// fewer than 2 or more than 256 categories, nothing held out or nothing left. Blocking; `progress` may be empty.
Result<std::shared_ptr<const classifier::Classifier>> FitCalibrated(std::span<const Example> examples,
                                                                    const std::vector<std::string>& categories,
                                                                    const FitOptions& options, double holdout,
                                                                    const std::function<void(double)>& progress);

}  // namespace pointsman::offline
