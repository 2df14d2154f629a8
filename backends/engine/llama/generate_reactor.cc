#include "backends/engine/llama/generate_reactor.h"

#include <utility>

#include "backends/engine/wire_error.h"

namespace pointsman::engine {

std::shared_ptr<GenerateReactor> GenerateReactor::Make(std::shared_ptr<Scheduler> scheduler) {
  std::shared_ptr<GenerateReactor> reactor(new GenerateReactor(std::move(scheduler)));
  reactor->self_ = reactor;
  return reactor;
}

void GenerateReactor::Proceed(std::unique_lock<std::mutex> lock) {
  if (writing_ || finished_) return;
  if (has_next_ && !broken_) {
    current_ = std::exchange(next_, {});
    has_next_ = false;
    const bool was_full = next_bytes_ >= kBacklogBytes;
    next_bytes_ = 0;
    writing_ = true;
    lock.unlock();
    StartWrite(&current_);
    if (was_full && scheduler_ != nullptr) scheduler_->Wake();
    return;
  }
  if (end_) {
    finished_ = true;
    const grpc::Status status = *end_;
    lock.unlock();
    grpc::ServerWriteReactor<v1::GenerateEvent>::Finish(status);
  }
}

void GenerateReactor::Emit(std::string text, std::vector<v1::TokenLogprob> tokens) {
  std::unique_lock lock(mutex_);
  next_bytes_ += text.size();
  next_.mutable_text()->append(text);
  for (v1::TokenLogprob& token : tokens) {
    next_bytes_ += token.ByteSizeLong();
    *next_.add_tokens() = std::move(token);
  }
  has_next_ = true;
  Proceed(std::move(lock));
}

void GenerateReactor::Finish(v1::FinishReason reason, const v1::Usage& usage) {
  std::unique_lock lock(mutex_);
  next_.set_finish_reason(reason);
  *next_.mutable_usage() = usage;
  has_next_ = true;
  end_ = grpc::Status::OK;
  Proceed(std::move(lock));
}

void GenerateReactor::Fail(Error error) {
  std::unique_lock lock(mutex_);
  end_ = ToWire(error);
  Proceed(std::move(lock));
}

bool GenerateReactor::Writable() const {
  std::lock_guard lock(mutex_);
  return next_bytes_ < kBacklogBytes;
}

void GenerateReactor::OnWriteDone(bool ok) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (!ok) {
    broken_ = true;
    cancelled = true;
  }
  Proceed(std::move(lock));
  if (!ok && scheduler_ != nullptr) scheduler_->Wake();
}

void GenerateReactor::OnCancel() {
  cancelled = true;
  if (scheduler_ != nullptr) scheduler_->Wake();
}

void GenerateReactor::OnDone() { self_.reset(); }

}  // namespace pointsman::engine
