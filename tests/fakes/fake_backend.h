// tests/fakes/fake_backend.h: a backend that answers by script, for what real ones will not do on demand.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "backends/backend.h"
#include "base/waiter.h"

namespace pointsman::fakes {

// Loop thread only.
class FakeBackend : public backends::Backend {
 public:
  struct Stall {};  // never comes, until cancelled
  using Step = std::variant<backends::Chunk, Error, Stall>;

  explicit FakeBackend(Loop& loop) : loop_(loop) {}

  // The next Open plays these steps; without a script it fails.
  void Script(std::vector<Step> steps) { scripts_.push_back(std::move(steps)); }

  static backends::Chunk Text(std::string text) {
    backends::Chunk chunk;
    chunk.text = std::move(text);
    return chunk;
  }
  static backends::Chunk End(v1::FinishReason reason = v1::FINISH_REASON_STOP, unsigned prompt = 10,
                             unsigned completion = 5) {
    backends::Chunk chunk;
    chunk.finish = reason;
    chunk.usage.emplace();
    chunk.usage->set_prompt_tokens(prompt);
    chunk.usage->set_completion_tokens(completion);
    return chunk;
  }
  // A whole answer.
  void Answer(const std::string& text) { Script({Text(text), End()}); }
  void Fail(Error error) { Script({std::move(error)}); }

  int opened = 0;  // so far
  int open = 0;    // streams alive
  std::vector<v1::CompleteRequest> requests;
  std::string unavailable;

  std::unique_ptr<backends::AnswerStream> Open(const v1::CompleteRequest& request, bool /*stream*/,
                                               Deadline /*deadline*/) override {
    ++opened;
    requests.push_back(request);
    std::vector<Step> steps = {Unavailable_("the script has no more answers")};
    if (!scripts_.empty()) {
      steps = std::move(scripts_.front());
      scripts_.pop_front();
    }
    return std::make_unique<Stream>(*this, std::move(steps));
  }

  std::string Unavailable() const override { return unavailable; }

 private:
  static Error Unavailable_(std::string message) { return pointsman::Unavailable(std::move(message)); }

  class Stream : public backends::AnswerStream {
   public:
    Stream(FakeBackend& backend, std::vector<Step> steps)
        : backend_(backend), steps_(std::move(steps)), never_(backend.loop_.get_executor()) {
      ++backend_.open;
    }
    ~Stream() override { --backend_.open; }

    Awaitable<Result<backends::Chunk>> Next() override {
      if (next_ >= steps_.size()) co_return Internal("the script ended");
      Step& step = steps_[next_++];
      if (auto* chunk = std::get_if<backends::Chunk>(&step)) co_return std::move(*chunk);
      if (auto* error = std::get_if<Error>(&step)) co_return std::move(*error);
      co_await never_.Wait();
      co_return Internal("a stall ended");
    }

   private:
    FakeBackend& backend_;
    std::vector<Step> steps_;
    std::size_t next_ = 0;
    Waiter<bool> never_;
  };

  Loop& loop_;
  std::deque<std::vector<Step>> scripts_;
};

}  // namespace pointsman::fakes
