// tests/fakes/fake_embedder.h: an encoder that answers by script.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <string>
#include <utility>
#include <vector>

#include "backends/embedder.h"

namespace pointsman::fakes {

// What it does is shared by all its copies' owners through Script. Loop thread only.
class FakeEmbedder : public backends::Embedder {
 public:
  struct Script {
    std::vector<float> embedding;  // of every text
    bool truncated = false;
    bool stall = false;  // never answers: waits for the deadline, as a busy worker makes its client do
    std::string failure;
    std::vector<std::string> asked;
  };

  FakeEmbedder(Loop& loop, Script& script) : loop_(loop), script_(script) {}

  Awaitable<Result<backends::Embedding>> Embed(std::string text, Deadline deadline) override {
    script_.asked.push_back(std::move(text));
    if (!script_.failure.empty()) co_return pointsman::Unavailable(script_.failure);
    if (script_.stall) {
      asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer(loop_.get_executor(), deadline);
      boost::system::error_code ec;
      co_await timer.async_wait(asio::redirect_error(kAwait, ec));
      co_return DeadlineExceeded("the encoder did not answer in time");
    }
    backends::Embedding embedding;
    embedding.values = script_.embedding;
    embedding.truncated = script_.truncated;
    co_return embedding;
  }

  std::string Unavailable() const override { return script_.failure; }

 private:
  Loop& loop_;
  Script& script_;
};

}  // namespace pointsman::fakes
