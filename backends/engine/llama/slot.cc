#include "backends/engine/llama/slot.h"

#include <utility>

#include "backends/engine/worker/token_stats.h"

namespace pointsman::engine {
namespace {

v1::TokenLogprob Describe(const LoadedModel& model, const Job& job, std::span<const float> logits, Token token) {
  const TokenStats stats = ComputeTokenStats(logits);
  // The sum is rounded: a certain token would come out above 0.
  const auto logprob = [&](float logit) { return std::min(0.0, static_cast<double>(logit) - stats.log_sum_exp); };
  v1::TokenLogprob out;
  out.set_token(ValidUtf8(model.Piece(token)));
  out.set_logprob(logprob(logits[static_cast<std::size_t>(token)]));
  out.set_variance_dispersion(stats.variance_dispersion);
  out.set_entropy_dispersion(stats.entropy_dispersion);
  for (const RankedToken& ranked : TopTokens(logits, job.top_logprobs)) {
    v1::TopToken* top = out.add_top();
    top->set_token(ValidUtf8(model.Piece(ranked.token)));
    top->set_logprob(logprob(ranked.logit));
  }
  return out;
}

}  // namespace

void Slot::Start(Job job, std::size_t reused) {
  job.sampler.SeePrompt(job.prompt);
  stop_.emplace(std::move(job.stop));
  job_.emplace(std::move(job));
  utf8_ = {};
  generated_ = 0;
  reused_ = reused;
  emitted_ = 0;
  pending_.clear();
}

void Slot::Emit(std::string text) {
  emitted_ += text.size();
  std::vector<v1::TokenLogprob> tokens;
  std::size_t ready = 0;
  // A token goes out with the last byte of its text; after a stop string, with its first.
  while (ready < pending_.size() &&
         (stop_->stopped() ? pending_[ready].begin < emitted_ || pending_[ready].end <= emitted_
                           : pending_[ready].end <= emitted_)) {
    tokens.push_back(std::move(pending_[ready++].token));
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(ready));
  if (!text.empty() || !tokens.empty()) job_->sink->Emit(std::move(text), std::move(tokens));
}

// The answer is over without a stop string: what was held back is text.
void Slot::Flush() {
  std::string text = stop_->Feed(utf8_.Finish());
  if (!stop_->stopped()) text += stop_->Finish();
  if (!stop_->stopped()) {
    for (Pending& pending : pending_) pending.end = 0;
  }
  Emit(std::move(text));
}

void Slot::Finish(v1::FinishReason reason) {
  v1::Usage usage;
  usage.set_prompt_tokens(static_cast<std::uint32_t>(job_->prompt.size()));
  usage.set_cached_tokens(static_cast<std::uint32_t>(reused_));
  usage.set_completion_tokens(static_cast<std::uint32_t>(generated_));
  job_->sink->Finish(reason, usage);
  job_.reset();
}

void Slot::Fail(Error error) {
  job_->sink->Fail(std::move(error));
  job_.reset();
}

void Slot::Advance(const LoadedModel& model, std::span<const float> logits, std::vector<llama_token_data>& scratch) {
  const Result<Token> token = job_->sampler.Sample(logits, scratch);
  if (!token) return Fail(token.error());
  if (model.IsEnd(*token) && !job_->ignore_end) {
    Flush();
    return Finish(v1::FINISH_REASON_STOP);
  }
  next_ = *token;
  ++generated_;

  const std::string& piece = model.Piece(*token);
  const std::size_t begin = emitted_ + stop_->held() + utf8_.held();
  std::string complete = utf8_.Feed(piece);
  std::string text = stop_->Feed(complete);
  if (job_->logprobs) {
    pending_.push_back({Describe(model, *job_, logits, *token), begin, begin + piece.size()});
  }
  Emit(std::move(text));
  if (stop_->stopped()) return Finish(v1::FINISH_REASON_STOP);
  const bool context_full = cached.size() >= context_;  // no room for `next_`
  if (generated_ == job_->max_tokens || context_full) {
    Flush();
    return Finish(v1::FINISH_REASON_LENGTH);
  }
}

}  // namespace pointsman::engine
