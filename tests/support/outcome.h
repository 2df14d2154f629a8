// tests/support/outcome.h: a backend's answer, read to its end.
#pragma once

#include <optional>

#include "backends/backend.h"

namespace pointsman::testing {

// What a stream gave: its chunks joined, or the error that ended it.
struct Outcome {
  backends::Chunk all;
  int chunks = 0;
  std::optional<Error> error;
};

inline Awaitable<Outcome> ReadAll(backends::AnswerStream& stream) {
  Outcome out;
  for (;;) {
    Result<backends::Chunk> next = co_await stream.Next();
    if (!next) {
      out.error = next.error();
      co_return out;
    }
    ++out.chunks;
    out.all.text += next->text;
    for (auto& token : next->logprobs) out.all.logprobs.push_back(token);
    for (auto& call : next->tool_calls) out.all.tool_calls.push_back(call);
    if (!next->last()) continue;
    out.all.usage = next->usage;
    out.all.finish = next->finish;
    co_return out;
  }
}

}  // namespace pointsman::testing
