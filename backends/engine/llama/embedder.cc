#include "backends/engine/llama/embedder.h"

#include <algorithm>
#include <utility>

#include "backends/engine/llama/library.h"

namespace pointsman::engine {

Embedder::Embedder(config::Model config, Permits& permits, std::function<void()> changed)
    : config_(std::move(config)), permits_(permits), changed_(std::move(changed)), thread_([this] { Run(); }) {}

Embedder::~Embedder() { Stop(); }

void Embedder::Stop() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
}

void Embedder::Wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

Result<void> Embedder::Submit(const v1::EmbedRequest& request, Deadline deadline, std::shared_ptr<EmbedSink> sink) {
  const auto count = static_cast<std::size_t>(request.texts_size());
  if (count == 0 || count > kMaxTexts) {
    return InvalidArgument("texts", "an embedding request has 1 to 64 texts, this one " + std::to_string(count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (request.texts(static_cast<int>(i)).size() > kMaxBytes) {
      return InvalidArgument("texts[" + std::to_string(i) + "]", "the text is longer than 1 MiB");
    }
  }
  const auto full = [&]() -> Result<void> {
    if (closed_) return Unavailable("the engine is stopping");
    if (waiting_ + count <= config_.queue + config_.slots) return {};
    return Error(ErrorClass::kRetryElsewhere, Code::kResourceExhausted,
                 "model " + config_.name + ": " + std::to_string(waiting_) + " texts wait already");
  };
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kFailed) return Error(ErrorClass::kRetryElsewhere, Code::kFailedPrecondition, error_);
    if (state_ == State::kLoading) return Unavailable("model " + config_.name + " is still loading");
    if (auto room = full(); !room) return room;  // before the tokenizer's work
  }
  auto waiting = std::make_shared<Request>();
  for (const std::string& text : request.texts()) {
    Result<EncoderTokens> tokens = encoder_->Tokenize(text);
    if (!tokens) return std::move(tokens).error();
    waiting->texts.push_back(std::move(*tokens));
  }
  waiting->deadline = deadline;
  waiting->sink = std::move(sink);
  {
    std::lock_guard lock(mutex_);
    if (auto room = full(); !room) return room;
    queue_.push_back(std::move(waiting));
    waiting_ += count;
    woken_ = true;
  }
  wake_.notify_one();
  return {};
}

v1::ModelStatus Embedder::Status() const {
  v1::ModelStatus status;
  std::lock_guard lock(mutex_);
  status.set_name(config_.name);
  status.set_kind("encoder");
  status.set_state(state_ == State::kLoading ? "loading" : state_ == State::kReady ? "ready" : "failed");
  status.set_error(error_);
  status.set_slots(config_.slots);
  status.set_slots_busy(busy_);
  status.set_queued(static_cast<std::uint32_t>(waiting_));
  status.set_context(config_.context);
  status.set_prompt_tokens(tokens_);
  return status;
}

void Embedder::Fail(const std::string& message) {
  if (!stopping_) WriteLogLine("error: " + message);
  {
    std::lock_guard lock(mutex_);
    state_ = State::kFailed;
    error_ = message;
  }
  changed_();
}

void Embedder::Run() {
  const unsigned threads = config_.threads == 0 ? permits_.total() : std::min(config_.threads, permits_.total());
  Result<std::unique_ptr<Encoder>> encoder = Encoder::Load(config_, threads, stopping_);
  if (!encoder) return Fail(encoder.error().message);
  {
    std::lock_guard lock(mutex_);
    encoder_ = std::move(*encoder);
    state_ = State::kReady;
  }
  changed_();
  Loop(*encoder_);

  std::deque<std::shared_ptr<Request>> left;
  {
    std::lock_guard lock(mutex_);
    left.swap(queue_);
    waiting_ = 0;
    closed_ = true;
  }
  for (const auto& request : left) request->sink->Fail(Unavailable("the engine is stopping"));
}

void Embedder::Loop(Encoder& encoder) {
  bool working = false;
  while (!stopping_) {
    DropUnwanted();
    const std::vector<Item> step = TakeStep(encoder);
    if (step.empty() == working) {
      working ? permits_.Leave() : permits_.Enter();
      working = !working;
    }
    if (!step.empty()) {
      Step(encoder, step);
      continue;
    }
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return woken_; });
    woken_ = false;
  }
  if (working) permits_.Leave();
}

void Embedder::DropUnwanted() {
  std::vector<std::shared_ptr<Request>> unwanted;
  {
    std::lock_guard lock(mutex_);
    const Deadline now = Clock::now();
    const auto first = std::stable_partition(queue_.begin(), queue_.end(), [&](const auto& request) {
      return !request->sink->cancelled && request->deadline > now;
    });
    unwanted.assign(first, queue_.end());
    queue_.erase(first, queue_.end());
    for (const auto& request : unwanted) waiting_ -= request->texts.size() - request->begun;
  }
  // Not under the lock: a sink may call back.
  for (const auto& request : unwanted) {
    request->sink->Fail(request->sink->cancelled ? Cancelled("cancelled while it waited for the encoder")
                                                 : DeadlineExceeded("the deadline passed before the text was encoded"));
  }
}

std::vector<Embedder::Item> Embedder::TakeStep(const Encoder& encoder) {
  std::vector<Item> step;
  std::size_t tokens = 0;
  std::lock_guard lock(mutex_);
  while (!queue_.empty() && step.size() < encoder.step_texts()) {
    const std::shared_ptr<Request> request = queue_.front();
    const EncoderTokens& text = request->texts[request->begun];
    if (tokens + text.tokens.size() > encoder.step_tokens()) break;
    tokens += text.tokens.size();
    queue_.pop_front();
    ++request->begun;
    --waiting_;
    step.push_back({request, &text});
    if (request->begun < request->texts.size()) queue_.push_back(request);
  }
  return step;
}

void Embedder::Step(Encoder& encoder, const std::vector<Item>& step) {
  std::vector<const EncoderTokens*> texts;
  std::size_t tokens = 0;
  for (const Item& item : step) {
    texts.push_back(item.text);
    tokens += item.text->tokens.size();
  }
  busy_ = static_cast<unsigned>(step.size());
  const unsigned wish = std::min(config_.threads == 0 ? permits_.total() : config_.threads, permits_.Share());
  const unsigned threads = permits_.Acquire(tuner_.Choose(wish, tokens));
  const Deadline started = Clock::now();
  Result<std::vector<std::vector<float>>> vectors = encoder.Encode(texts, threads);
  tuner_.Report(threads, tokens, std::chrono::duration<double>(Clock::now() - started).count());
  permits_.Release(threads);
  busy_ = 0;
  if (!vectors) {
    // What is queued of these requests goes as well: an answer of a part is none.
    std::vector<std::shared_ptr<Request>> failed;
    {
      std::lock_guard lock(mutex_);
      for (const auto& [request, text] : step) {
        if (std::find(failed.begin(), failed.end(), request) != failed.end()) continue;
        failed.push_back(request);
        waiting_ -= request->texts.size() - request->begun;
        std::erase(queue_, request);
      }
    }
    for (const auto& request : failed) request->sink->Fail(vectors.error());
    return;
  }
  tokens_ += tokens;
  for (std::size_t i = 0; i < step.size(); ++i) {
    Request& request = *step[i].request;
    v1::Embedding& embedding = request.embeddings.emplace_back();
    embedding.mutable_values()->Add((*vectors)[i].begin(), (*vectors)[i].end());
    embedding.set_tokens(static_cast<std::uint32_t>(texts[i]->tokens.size()));
    embedding.set_truncated(texts[i]->truncated);
    if (request.embeddings.size() == request.texts.size()) request.sink->Finish(std::move(request.embeddings));
  }
}

}  // namespace pointsman::engine
