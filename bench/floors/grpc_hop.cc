// bench/floors/grpc_hop.cc: the floor of a gateway: gRPC in, one HTTP/1.1 request out, the answer passed on unparsed.
// No choice of expert, no JSON parser, no metrics, no deadline, no retry. What a router costs above this is its own.
#include <grpcpp/grpcpp.h>

#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "bench/floors/grpc_main.h"
#include "bench/floors/http_loop.h"
#include "pointsman/v1/pointsman.grpc.pb.h"

namespace pointsman::bench {
namespace {

constexpr std::size_t kMaxAnswerBytes = 1 << 20;
constexpr std::size_t kMaxQueuedEvents = 1024;

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += c;
    }
  }
  out += '"';
}

std::string RequestBody(const v1::CompleteRequest& request, bool stream) {
  std::string body = R"({"model":"bench","messages":[)";
  for (const v1::Message& message : request.messages()) {
    if (body.back() == '}') body += ',';
    body += R"({"role":"user","content":)";
    AppendJsonString(body, message.parts_size() > 0 ? std::string_view(message.parts(0).text()) : std::string_view());
    body += '}';
  }
  body += "],\"max_tokens\":" + std::to_string(request.sampling().max_tokens());
  return body += stream ? R"(,"stream":true,"stream_options":{"include_usage":true}})" : "}";
}

grpc::Status UpstreamStatus(CURLcode result, long status) {
  if (result != CURLE_OK) return {grpc::StatusCode::UNAVAILABLE, curl_easy_strerror(result)};
  if (status != 200) return {grpc::StatusCode::UNAVAILABLE, "upstream answered HTTP " + std::to_string(status)};
  return grpc::Status::OK;
}

// Deletes itself, as its sibling does.
class HopCall final : public grpc::ServerUnaryReactor, Transfer {
 public:
  HopCall(HttpLoop& loop, const v1::CompleteRequest& in, v1::CompleteResponse* response)
      : response_(response), text_(response->mutable_message()->add_parts()->mutable_text()) {
    request = RequestBody(in, false);
    loop.Start(this);
  }

 private:
  bool OnBody(std::string_view bytes) override {
    text_->append(bytes);
    return text_->size() <= kMaxAnswerBytes;
  }
  void OnEnd(CURLcode result, long status) override {
    response_->mutable_message()->set_role(v1::ROLE_ASSISTANT);
    response_->set_finish_reason(v1::FINISH_REASON_STOP);
    Finish(UpstreamStatus(result, status));
  }
  void OnDone() override { delete this; }

  v1::CompleteResponse* response_;
  std::string* text_;
};

class HopStream final : public grpc::ServerWriteReactor<v1::CompleteEvent>, Transfer {
 public:
  HopStream(HttpLoop& loop, const v1::CompleteRequest& in) {
    request = RequestBody(in, true);
    loop.Start(this);
  }

 private:
  // Splits what came into events; their data go on as they are.
  bool OnBody(std::string_view bytes) override {
    unread_.append(bytes);
    std::size_t begin = 0;
    std::unique_lock lock(mutex_);
    for (std::size_t end; (end = unread_.find("\n\n", begin)) != std::string::npos; begin = end + 2) {
      std::string_view event = std::string_view(unread_).substr(begin, end - begin);
      if (!event.starts_with("data: ")) continue;
      event.remove_prefix(6);
      if (event == "[DONE]") {
        complete_ = true;
      } else {
        queue_.emplace_back().mutable_delta()->set_text(event.data(), event.size());
      }
    }
    unread_.erase(0, begin);
    bool go_on = !gone_ && queue_.size() <= kMaxQueuedEvents && unread_.size() <= kMaxAnswerBytes;
    Pump(lock);
    return go_on;
  }

  void OnEnd(CURLcode result, long status) override {
    std::unique_lock lock(mutex_);
    ended_ = true;
    status_ = UpstreamStatus(result, status);
    if (status_.ok() && !complete_) status_ = {grpc::StatusCode::UNAVAILABLE, "the upstream's stream was cut"};
    Pump(lock);
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok) {
      gone_ = true;
      queue_.clear();
    }
    Pump(lock);
  }

  void OnDone() override { delete this; }

  // Starts what can be started. Unlocks: gRPC is called without the lock. Nothing is touched after the last call, for
  // OnDone may come at once.
  void Pump(std::unique_lock<std::mutex>& lock) {
    if (writing_) return;
    if (!queue_.empty()) {
      writing_ = true;
      event_.Swap(&queue_.front());
      queue_.pop_front();
      lock.unlock();
      StartWrite(&event_);
    } else if (ended_) {
      grpc::Status status = status_;
      bool gone = gone_;
      event_.mutable_done()->set_finish_reason(v1::FINISH_REASON_STOP);
      lock.unlock();
      if (gone || !status.ok()) return Finish(gone ? grpc::Status::CANCELLED : status);
      StartWriteAndFinish(&event_, {}, status);
    }
  }

  std::string unread_;  // loop thread only

  std::mutex mutex_;  // guards what follows
  std::deque<v1::CompleteEvent> queue_;
  v1::CompleteEvent event_;  // being written
  grpc::Status status_;
  bool writing_ = false;
  bool complete_ = false;  // [DONE] came
  bool ended_ = false;     // the transfer is over
  bool gone_ = false;      // the client is
};

class HopService final : public v1::Pointsman::CallbackService {
 public:
  explicit HopService(std::string upstream) : loop_(std::move(upstream)) {}

  grpc::ServerUnaryReactor* Complete(grpc::CallbackServerContext*, const v1::CompleteRequest* request,
                                     v1::CompleteResponse* response) override {
    return new HopCall(loop_, *request, response);
  }

  grpc::ServerWriteReactor<v1::CompleteEvent>* StreamComplete(grpc::CallbackServerContext*,
                                                              const v1::CompleteRequest* request) override {
    return new HopStream(loop_, *request);
  }

 private:
  HttpLoop loop_;
};

}  // namespace
}  // namespace pointsman::bench

int main(int argc, char** argv) {
  using namespace pointsman::bench;
  FloorOptions options = ParseFloorOptions(argc, argv, FloorKind::kHop);
  BlockStopSignals();
  HopService service(options.upstream);
  return ServeUntilStopped(service, options.port);
}
