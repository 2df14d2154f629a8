#include "router/classifier/encoder_lane.h"

#include <algorithm>
#include <utility>

namespace pointsman::classifier {

bool ShareBudget::Take(bool wanted) {
  left_ = std::min(left_ + share_, kBurst);
  if (!wanted || left_ < 1) return false;
  left_ -= 1;
  return true;
}

EncoderLane::EncoderLane(std::shared_ptr<const EncoderHead> head, std::unique_ptr<backends::Embedder> embedder,
                         const config::EncoderLane& config)
    : head_(std::move(head)),
      embedder_(std::move(embedder)),
      timeout_(config.timeout),
      threshold_(head_->ThresholdForShare(config.share)),
      budget_(config.share) {}

EncoderLane::Choice EncoderLane::Consider(double confidence) {
  const bool unsure = !gate::KeepByThreshold(confidence, threshold_);
  if (budget_.Take(unsure)) return Choice::kEscalate;
  return unsure ? Choice::kOverBudget : Choice::kSure;
}

Awaitable<SecondOpinion> EncoderLane::Refine(const policies::Evidence& fast, std::string_view text, Deadline deadline) {
  const Clock::time_point start = Clock::now();
  const Deadline budget = std::min(deadline, start + timeout_);
  Result<backends::Embedding> embedding = co_await embedder_->Embed(std::string(text), budget);
  SecondOpinion opinion;
  if (!embedding) {
    opinion.timed_out = embedding.error().code == Code::kDeadlineExceeded;
    opinion.failure = opinion.timed_out
                          ? "the encoder did not answer within " + std::to_string(timeout_.count()) + " ms"
                          : embedding.error().message;
  } else {
    opinion.truncated = embedding->truncated;
    Result<policies::Evidence> precise = head_->PreciseEvidence(fast, embedding->values);
    opinion.used = precise.ok();
    if (precise) {
      opinion.evidence = *std::move(precise);
    } else {
      opinion.failure = precise.error().message;
    }
  }
  if (!opinion.used) opinion.evidence = fast;
  opinion.spent = Clock::now() - start;
  co_return opinion;
}

}  // namespace pointsman::classifier
