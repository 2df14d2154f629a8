// backends/embedder.h: a sentence encoder, as the router sees it.
#pragma once

#include <string>
#include <vector>

#include "base/async.h"
#include "base/result.h"

namespace pointsman::backends {

struct Embedding {
  std::vector<float> values;  // of length 1
  bool truncated = false;     // only the beginning of the text was read
};

// One shard's. Loop thread only.
class Embedder {
 public:
  virtual ~Embedder() = default;

  // Returns at `deadline` (kDeadlineExceeded) at the latest. Errors are of all classes; a terminal cancellation of the
  // coroutine ends the wait, and the work where nobody else waits for it.
  virtual Awaitable<Result<Embedding>> Embed(std::string text, Deadline deadline) = 0;

  // "" when Embed can succeed now; else why not.
  virtual std::string Unavailable() const = 0;
};

}  // namespace pointsman::backends
