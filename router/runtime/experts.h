// router/runtime/experts.h: the backends of every expert on every shard, and the engine worker behind the local ones.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "config/config.h"
#include "pointsman/v1/admin.pb.h"
#include "router/runtime/shard.h"

namespace pointsman::runtime {

// Made and destroyed by one thread, not a loop's; the shards run before and after.
class Experts {
 public:
  // Starts the worker when the configuration has local models. `program` as in gateway::ServerOptions. `head` is that
  // of config.classifier.encoder; null = no encoder lane.
  Experts(const config::Config& config, Shards& shards, const std::filesystem::path& program,
          std::shared_ptr<const classifier::EncoderHead> head);
  ~Experts();

  // Whether an expert can answer now. Not from a loop: it asks one and waits.
  bool AnyAvailable() const;
  // Whether no expert can answer and none is starting: waiting would not help. Not from a loop.
  bool NoneWillStart() const;
  // One line for each expert that cannot answer, with its reason. Not from a loop.
  std::string WhyNone() const;

  // Any thread.
  v1::EngineStatus EngineStatus() const;

  // Stops the worker, after which local experts are unavailable. Not from a loop; may be called twice.
  void Stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace pointsman::runtime
