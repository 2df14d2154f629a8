// backends/openai/answer_json.h: chat completions, whole or in stream chunks, into the backend's Chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "backends/openai/json_reader.h"
#include "base/result.h"

namespace pointsman::openai {

// Reads the texts of one answer, one after the other. Lenient about what is missing or unknown, strict about what is
// there and makes no sense. Only the first choice counts. Not thread-safe.
class AnswerReader {
 public:
  // `reader` is only used during the calls. `logprobs`: the request asked for them; else they are skipped.
  AnswerReader(JsonReader& reader, bool logprobs) : reader_(reader), logprobs_(logprobs) {}

  // One event of a stream: adds its text and log-probabilities to `chunk`. Tool calls, usage and the finish reason are
  // kept for Finish(). Errors have the messages of upstream_error.h, without the expert's name.
  Result<void> AddEvent(std::string_view json, backends::Chunk& chunk);

  // A whole answer.
  Result<void> AddWhole(std::string_view json, backends::Chunk& chunk);

  // After the terminator: completes `chunk` to be the last one. Fails when there was no finish reason, or one that
  // means that the answer is not complete.
  Result<void> Finish(backends::Chunk& chunk);

  bool has_finish_reason() const { return !finish_reason_.empty(); }
  std::uint64_t events() const { return events_; }  // that had something of an answer in them

  static constexpr std::size_t kMaxCalls = 128;
  static constexpr std::size_t kMaxCallBytes = std::size_t{1} << 20;  // ids, names and arguments of all calls together

 private:
  using JsonObject = boost::json::object;

  struct Call {
    std::int64_t index = 0;
    v1::ToolCall call;
  };

  Result<void> AddChoices(const JsonObject& answer, const char* part, backends::Chunk& chunk);
  Result<void> AddContent(const JsonObject& part, backends::Chunk& chunk);
  Result<void> AddLogprobs(const JsonObject& choice, backends::Chunk& chunk);
  Result<void> AddCalls(const JsonObject& part);
  Result<void> AddCall(const JsonObject& call, std::size_t position);
  void AddUsage(const JsonObject& answer);

  JsonReader& reader_;
  bool logprobs_;
  std::uint64_t events_ = 0;
  std::string finish_reason_;
  std::vector<Call> calls_;
  std::size_t call_bytes_ = 0;
  std::optional<v1::Usage> usage_;
};

}  // namespace pointsman::openai
