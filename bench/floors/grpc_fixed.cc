// bench/floors/grpc_fixed.cc: the floor of a gRPC C++ server that has its answers: the public API on the callback API,
// messages of fixed sizes, at once. --sizes WHOLE,EVENT,EVENT,...: serialised bytes of the answer of Complete and of
// the events of StreamComplete. Each call is answered where gRPC calls, by gRPC's own reactor where it has one. --loop
// 1: by a reactor of ours, which alone can be told of a cancellation, from one event loop that the call is handed to;
// the further events of a stream go out where gRPC calls. It is the least that a server can do that keeps its requests
// on loops of its own.
#include <grpcpp/grpcpp.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/floors/grpc_main.h"
#include "pointsman/v1/pointsman.grpc.pb.h"

namespace pointsman::bench {
namespace {

// Sets `text` so that `message` has `bytes`, as far as that can be.
void Pad(const google::protobuf::Message& message, std::string& text, std::size_t bytes) {
  while (message.ByteSizeLong() < bytes)
    text.append(std::max<std::size_t>(1, (bytes - message.ByteSizeLong()) / 2), 'x');
}

// Where calls are answered.
class Loop {
 public:
  explicit Loop(bool wanted) {
    if (!wanted) return;
    work_.emplace(loop_.get_executor());
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Loop() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }
  template <class F>
  void Run(F f) {
    if (work_) {
      boost::asio::post(loop_, std::move(f));
    } else {
      f();
    }
  }

 private:
  boost::asio::io_context loop_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::thread thread_;
};

// Deletes itself.
class FixedCall final : public grpc::ServerUnaryReactor {
  void OnDone() override { delete this; }
};

// Deletes itself.
class FixedStream final : public grpc::ServerWriteReactor<v1::CompleteEvent> {
 public:
  FixedStream(Loop& loop, const std::vector<v1::CompleteEvent>& events) : events_(events) {
    loop.Run([this] { Write(); });
  }

 private:
  void Write() {
    const v1::CompleteEvent& event = events_[sent_++];
    if (sent_ == events_.size()) {
      StartWriteAndFinish(&event, {}, grpc::Status::OK);
    } else {
      StartWrite(&event);
    }
  }
  void OnWriteDone(bool ok) override {
    if (sent_ == events_.size()) return;
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Write();
  }
  void OnDone() override { delete this; }

  const std::vector<v1::CompleteEvent>& events_;
  std::size_t sent_ = 0;
};

class FixedService final : public v1::Pointsman::CallbackService {
 public:
  FixedService(const std::vector<std::size_t>& sizes, bool loop) : own_reactors_(loop), loop_(loop) {
    v1::CompleteResponse whole;
    Answer(whole, "");
    std::string& text = *whole.mutable_message()->mutable_parts(0)->mutable_text();
    Pad(whole, text, sizes[0]);
    text_ = text;
    for (std::size_t i = 1; i < sizes.size(); ++i) {
      v1::CompleteEvent& event = events_.emplace_back();
      if (i + 1 < sizes.size()) {
        Pad(event, *event.mutable_delta()->mutable_text(), sizes[i]);
      } else {
        Pad(event, *event.mutable_done()->mutable_expert(), sizes[i]);
      }
    }
  }

  grpc::ServerUnaryReactor* Complete(grpc::CallbackServerContext* context, const v1::CompleteRequest*,
                                     v1::CompleteResponse* response) override {
    grpc::ServerUnaryReactor* reactor = own_reactors_ ? new FixedCall : context->DefaultReactor();
    loop_.Run([this, reactor, response] {
      Answer(*response, text_);
      reactor->Finish(grpc::Status::OK);
    });
    return reactor;
  }

  grpc::ServerWriteReactor<v1::CompleteEvent>* StreamComplete(grpc::CallbackServerContext*,
                                                              const v1::CompleteRequest*) override {
    return new FixedStream(loop_, events_);
  }

 private:
  static void Answer(v1::CompleteResponse& response, const std::string& text) {
    response.mutable_message()->set_role(v1::ROLE_ASSISTANT);
    response.mutable_message()->add_parts()->set_text(text);
    response.set_finish_reason(v1::FINISH_REASON_STOP);
  }

  const bool own_reactors_;
  std::string text_;
  std::vector<v1::CompleteEvent> events_;
  Loop loop_;
};

}  // namespace
}  // namespace pointsman::bench

int main(int argc, char** argv) {
  using namespace pointsman::bench;
  FloorOptions options = ParseFloorOptions(argc, argv, FloorKind::kFixed);
  BlockStopSignals();
  FixedService service(options.sizes, options.loop);
  return ServeUntilStopped(service, options.port);
}
