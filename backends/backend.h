// backends/backend.h: what carries a request to an expert. One interface for the local engine and for remote protocols.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/result.h"
#include "config/config.h"
#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::backends {

// One step of an answer. Text is whole UTF-8 characters. `finish` and `usage` come with the last chunk only, and the
// last chunk always has `finish`.
struct Chunk {
  std::string text;
  std::vector<v1::TokenLogprob> logprobs;
  std::vector<v1::ToolCall> tool_calls;  // whole calls, never pieces
  std::optional<v1::Usage> usage;        // without cost: the pipeline prices it
  v1::FinishReason finish = v1::FINISH_REASON_UNSPECIFIED;

  bool last() const { return finish != v1::FINISH_REASON_UNSPECIFIED; }
};

// An answer under way. Loop thread only. Destroying it cancels the work: the local decode stops, the remote connection
// closes. At most one Next() at a time; destroy it only while no Next() is suspended, or by cancelling the coroutine
// that awaits (asio terminal cancellation), which unwinds through Next().
class AnswerStream {
 public:
  virtual ~AnswerStream() = default;

  // Waits for the next chunk. After a chunk with last() or an error, it must not be called again. Text that is already
  // there may come in one chunk. A stream that ends without its protocol's terminator is an error, not a last chunk.
  // Errors need not name the expert: the pipeline does.
  virtual Awaitable<Result<Chunk>> Next() = 0;
};

// One expert, as one shard sees it. Loop thread only; lives as long as the shard.
class Backend {
 public:
  virtual ~Backend() = default;

  // Starts the work; failures come from the first Next(). `request` must outlive the stream. `stream` says whether the
  // client wants deltas: a backend may ask its upstream for the whole answer at once when not. Work past `deadline` is
  // cancelled and ends with DeadlineExceeded.
  virtual std::unique_ptr<AnswerStream> Open(const v1::CompleteRequest& request, bool stream, Deadline deadline) = 0;

  // Empty when it could answer now, as far as is known without asking; else why not. Costs nothing.
  virtual std::string Unavailable() const = 0;
};

// The request's sampling with the expert's defaults filled in: what the backend should send. Any thread.
v1::Sampling EffectiveSampling(const v1::Sampling& requested, const config::SamplingDefaults& defaults);

}  // namespace pointsman::backends
