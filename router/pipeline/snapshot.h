// router/pipeline/snapshot.h: everything a request may read of the configuration: immutable, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "router/classifier/classifier.h"
#include "router/pipeline/policy_files.h"
#include "router/telemetry/metrics.h"

namespace pointsman::pipeline {

struct Snapshot {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const classifier::Classifier> classifier;  // null when no policy needs one
  PolicyFiles files;
  bool copies = false;        // some expert copies stored answers
  std::uint64_t version = 0;  // of the configuration's text and the artifacts
  std::string version_text;   // the same, 16 hex digits
  std::uint64_t answers = 0;  // version of all that an answer depends on: equal in replicas that answer alike
  telemetry::Names names;     // label values of the metrics

  // Index into names.categories. "" (nothing was classified) is "none".
  std::size_t CategoryIndex(std::string_view category) const;
};

// `classifier` may be null. `files` are those of LoadPolicyFiles, or none where no policy needs any. `encoder_head` is
// the checksum of the encoder lane's head; "" = none. Reads the first and the last MiB of local models' files.
std::shared_ptr<const Snapshot> MakeSnapshot(std::shared_ptr<const config::Config> config,
                                             std::shared_ptr<const classifier::Classifier> classifier,
                                             PolicyFiles files = {}, std::string_view encoder_head = {});

}  // namespace pointsman::pipeline
