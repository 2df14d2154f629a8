// router/pipeline/snapshot.h: everything a request may read of the configuration: immutable, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "router/classifier/classifier.h"
#include "router/pipeline/predictions.h"
#include "router/telemetry/metrics.h"

namespace pointsman::pipeline {

struct Snapshot {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const classifier::Classifier> classifier;  // null when no policy needs one
  std::vector<PolicyPredictor> predictors;                   // one for each policy; empty = no policy needs one
  std::uint64_t version = 0;                                 // of the configuration's text and the artifact
  std::string version_text;                                  // the same, 16 hex digits
  telemetry::Names names;                                    // label values of the metrics

  // Index into names.categories. "" (nothing was classified) is "none".
  std::size_t CategoryIndex(const std::string& category) const;
};

// `classifier` may be null. `predictors` are those of LoadPredictors, or none. `encoder_head` is the checksum of the
// encoder lane's head; "" = none.
std::shared_ptr<const Snapshot> MakeSnapshot(std::shared_ptr<const config::Config> config,
                                             std::shared_ptr<const classifier::Classifier> classifier,
                                             std::vector<PolicyPredictor> predictors = {},
                                             std::string_view encoder_head = {});

}  // namespace pointsman::pipeline
