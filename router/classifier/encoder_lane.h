// router/classifier/encoder_lane.h: asks a sentence encoder as well where the classifier is least sure, within a budget
// of requests and of time.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "backends/embedder.h"
#include "base/async.h"
#include "config/config.h"
#include "policies/evidence.h"
#include "router/classifier/encoder_head.h"

namespace pointsman::classifier {

// Keeps a share: of any n requests in a row at most share * n + kBurst get leave. One thread.
class ShareBudget {
 public:
  static constexpr double kBurst = 10;

  // `share` in (0, 1].
  explicit ShareBudget(double share) : share_(share) {}

  // To be called for every request; `wanted` says whether it wants leave. True when it has it.
  bool Take(bool wanted);

 private:
  const double share_;
  double left_ = kBurst;
};

struct SecondOpinion {
  policies::Evidence evidence;  // refined, or the fast lane's own
  bool used = false;            // refined
  bool timed_out = false;
  std::string failure;     // why not; "" when it is
  bool truncated = false;  // the encoder read the beginning only
  Clock::duration spent{};
};

// One shard's. Loop thread only.
class EncoderLane {
 public:
  enum class Choice {
    kSure,        // the gate keeps the fast lane's answer
    kOverBudget,  // it does not, but its share of requests is used up
    kEscalate,
  };

  EncoderLane(std::shared_ptr<const EncoderHead> head, std::unique_ptr<backends::Embedder> embedder,
              const config::EncoderLane& config);

  // Counts the request, the fast lane's confidence in which is EncoderHead::Confidence(), towards the share.
  Choice Consider(double confidence);
  double ConfidenceIn(const policies::Evidence& fast) const { return head_->Confidence(fast); }
  double threshold() const { return threshold_; }  // at or above it the fast lane is sure

  // Asks the encoder about `text`, whose evidence is `fast`. Returns within the time budget, and at `deadline` at the
  // latest: a failure leaves the fast lane's evidence. References must outlive the wait; a terminal cancellation
  // unwinds it.
  Awaitable<SecondOpinion> Refine(const policies::Evidence& fast, std::string_view text, Deadline deadline);

 private:
  const std::shared_ptr<const EncoderHead> head_;
  const std::unique_ptr<backends::Embedder> embedder_;
  const std::chrono::milliseconds timeout_;
  const double threshold_;
  ShareBudget budget_;
};

}  // namespace pointsman::classifier
