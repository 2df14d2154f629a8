#include "backends/openai/openai_backend.h"

#include <optional>
#include <string_view>
#include <utility>

#include "backends/openai/answer_json.h"
#include "backends/openai/request_json.h"
#include "backends/openai/sse.h"
#include "backends/openai/upstream_error.h"

namespace pointsman::openai {
namespace {

constexpr std::size_t kMaxEventBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxErrorBody = 64 * 1024;
constexpr std::size_t kSecretLength = 8;  // shorter header values are no secrets

http::EndpointOptions MakeOptions(const config::OpenAiBackend& config) {
  http::EndpointOptions options;
  options.url = config.url + "/chat/completions";
  options.headers = {"Content-Type: application/json", "User-Agent: pointsman"};
  if (!config.key.empty()) options.headers.push_back("Authorization: Bearer " + config.key);
  for (const auto& [name, value] : config.headers) options.headers.push_back(name + ": " + value);
  options.connect_timeout = config.connect_timeout;
  options.first_byte_timeout = config.first_byte_timeout;
  options.idle_timeout = config.idle_timeout;
  return options;
}

bool Contains(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

void Hide(const std::string& secret, std::string_view mark, std::string& text) {
  for (std::size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos; at += mark.size()) {
    text.replace(at, secret.size(), mark);
  }
}

}  // namespace

// One answer under way.
class OpenAiStream final : public backends::AnswerStream {
 public:
  OpenAiStream(OpenAiBackend& backend, const v1::CompleteRequest& request, bool stream, Deadline deadline)
      : backend_(backend), stream_(stream), answer_(backend.reader_, request.logprobs()), events_(kMaxEventBytes) {
    Result<std::string> body = RequestJson(request, backend.expert_, backend.config_, stream);
    if (!body) {
      error_ = std::move(body).error();
      return;
    }
    http::Reading reading = stream ? http::Reading::kPieces : http::Reading::kWhole;
    transfer_.emplace(backend.endpoint_, *std::move(body), reading, deadline);
  }

  Awaitable<Result<backends::Chunk>> Next() override {
    backends::Chunk chunk;
    while (!error_ && !Advance(chunk)) co_await transfer_->Wait();
    if (!chunk.text.empty() || !chunk.logprobs.empty() || chunk.last()) co_return chunk;
    co_return *error_;
  }

 private:
  // Reads what is there. True when `chunk` has something, or error_ is set.
  bool Advance(backends::Chunk& chunk) {
    while (transfer_->ready()) {
      bool ended = transfer_->ended();
      transfer_->Take(in_);
      bool accepted =
          transfer_->status() == 200 && (!stream_ || Contains(transfer_->content_type(), "text/event-stream"));
      if (!accepted) {
        Refused(ended);
      } else if (stream_) {
        ReadEvents(chunk, ended);
      } else {
        ReadWhole(chunk);
      }
      if (error_ || chunk.last()) {
        transfer_.reset();
        return true;
      }
    }
    return !chunk.text.empty() || !chunk.logprobs.empty();
  }

  void ReadEvents(backends::Chunk& chunk, bool ended) {
    std::string_view rest = in_;
    for (;;) {
      switch (events_.Next(rest)) {
        case SseParser::Step::kEvent:
          if (events_.data() == "[DONE]") {
            transfer_->LetDrain();
            if (Result<void> finished = answer_.Finish(chunk); !finished) Fail(finished.error());
            return;
          }
          if (Result<void> added = answer_.AddEvent(events_.data(), chunk); !added) return Fail(added.error());
          break;
        case SseParser::Step::kTooLarge:
          return Fail(pointsman::Unavailable("an event is longer than " + std::to_string(kMaxEventBytes) + " bytes"));
        case SseParser::Step::kNeedMore:
          if (ended) CutShort();
          return;
      }
    }
  }

  void ReadWhole(backends::Chunk& chunk) {
    if (Result<void> outcome = transfer_->outcome(); !outcome) return Fail(outcome.error());
    Result<void> added = answer_.AddWhole(in_, chunk);
    if (added) added = answer_.Finish(chunk);
    if (added) return;
    chunk = {};
    Fail(added.error());
  }

  // The stream ended, but its terminator did not come.
  void CutShort() {
    if (Result<void> outcome = transfer_->outcome(); !outcome) return Fail(outcome.error());
    std::string missing = events_.inside_event()        ? "it stops inside an event"
                          : answer_.has_finish_reason() ? "[DONE] is missing after the finish_reason"
                                                        : "finish_reason and [DONE] are missing";
    Fail(pointsman::Unavailable(missing));
  }

  // Anything but a good answer: gathers its text up to the end, then says what it means.
  void Refused(bool ended) {
    refusal_.append(in_, 0, kMaxErrorBody - refusal_.size());
    if (!ended && refusal_.size() < kMaxErrorBody) return;
    int status = transfer_->status();
    Result<void> outcome = ended ? transfer_->outcome() : Result<void>();
    bool late = !outcome && outcome.error().error_class == ErrorClass::kCancelled;
    if (!outcome && (late || status == 0 || status == 200)) return Fail(outcome.error());
    ErrorBody body = ReadErrorBody(backend_.reader_, refusal_);
    if (status != 200) {
      const config::OpenAiBackend& config = backend_.config_;
      return Fail(StatusError(status, body, config.key.empty() ? "" : config.key_source, transfer_->retry_after()));
    }
    std::string type = Printable(transfer_->content_type(), 64);
    Fail(pointsman::Unavailable("it has the content type \"" + type +
                                "\" instead of text/event-stream: " + body.message));
  }

  // Says how far the answer came; hides keys, which some servers repeat in their errors.
  void Fail(Error error) {
    if (error.upstream_status == 0 && answer_.events() > 0) {
      error.message.insert(
          0, "the answer ended without its terminator after " + std::to_string(answer_.events()) + " chunks: ");
    }
    Hide(backend_.config_.key, "[key]", error.message);
    for (const auto& [name, value] : backend_.config_.headers) {  // some APIs want the key in a header of their own
      if (value.size() >= kSecretLength) Hide(value, "[header]", error.message);
    }
    error_ = std::move(error);
  }

  OpenAiBackend& backend_;
  bool stream_;
  AnswerReader answer_;
  SseParser events_;
  std::optional<http::Transfer> transfer_;
  std::optional<Error> error_;  // how it ended; handed out after the text that came before
  std::string in_;              // what is being read
  std::string refusal_;
};

OpenAiBackend::OpenAiBackend(http::Multi& multi, const config::Expert& expert)
    : expert_(expert),
      config_(std::get<config::OpenAiBackend>(expert.backend)),
      endpoint_(multi, MakeOptions(config_)) {}

std::unique_ptr<backends::AnswerStream> OpenAiBackend::Open(const v1::CompleteRequest& request, bool stream,
                                                            Deadline deadline) {
  return std::make_unique<OpenAiStream>(*this, request, stream, deadline);
}

}  // namespace pointsman::openai
