// bench/floors/grpc_echo.cc: the floor of any gRPC C++ server: the public API on the callback API with nothing behind
// it. Complete answers a fixed text of about 600 bytes; StreamComplete sends 50 deltas, 20 ms apart.
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "bench/floors/grpc_main.h"
#include "bench/floors/payload.h"
#include "pointsman/v1/pointsman.grpc.pb.h"

namespace pointsman::bench {
namespace {

using Time = std::chrono::steady_clock::time_point;

// Somebody who wants to be called at a time.
class Ticking {
 public:
  virtual ~Ticking() = default;
  virtual void OnTick() = 0;
};

// One thread that calls them all. Any thread may call At.
class Ticker {
 public:
  Ticker() : thread_([this] { Run(); }) {}
  ~Ticker() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void At(Time due, Ticking* who) {
    std::lock_guard lock(mutex_);
    bool earlier = queue_.empty() || due < queue_.top().due;
    queue_.push({due, who});
    if (earlier) wake_.notify_one();
  }

 private:
  struct Entry {
    Time due;
    Ticking* who;
    bool operator>(const Entry& other) const { return due > other.due; }
  };

  void Run() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      if (queue_.empty()) {
        wake_.wait(lock);
      } else if (queue_.top().due > std::chrono::steady_clock::now()) {
        wake_.wait_until(lock, queue_.top().due);
      } else {
        Ticking* who = queue_.top().who;
        queue_.pop();
        lock.unlock();
        who->OnTick();
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  bool stopped_ = false;
  std::thread thread_;
};

// One streamed answer. Deletes itself. At any moment either one write, one tick or the end is outstanding.
class EchoStream final : public grpc::ServerWriteReactor<v1::CompleteEvent>, Ticking {
 public:
  explicit EchoStream(Ticker& ticker) : ticker_(ticker), due_(std::chrono::steady_clock::now()) { OnTick(); }

 private:
  void OnTick() override {
    event_.mutable_delta()->set_text(ChunkText(NowNanoseconds()));
    ++sent_;
    StartWrite(&event_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    if (sent_ < kChunks) {
      due_ += kChunkPeriod;
      ticker_.At(due_, this);
    } else if (event_.has_delta()) {
      event_.mutable_usage()->set_completion_tokens(kChunks);
      StartWrite(&event_);
    } else {
      event_.mutable_done()->set_finish_reason(v1::FINISH_REASON_STOP);
      StartWriteAndFinish(&event_, {}, grpc::Status::OK);
    }
  }

  void OnDone() override { delete this; }

  Ticker& ticker_;
  Time due_;
  int sent_ = 0;
  v1::CompleteEvent event_;
};

class EchoService final : public v1::Pointsman::CallbackService {
 public:
  grpc::ServerUnaryReactor* Complete(grpc::CallbackServerContext* context, const v1::CompleteRequest*,
                                     v1::CompleteResponse* response) override {
    response->mutable_message()->set_role(v1::ROLE_ASSISTANT);
    response->mutable_message()->add_parts()->set_text(LongAnswer().data(), LongAnswer().size());
    response->set_finish_reason(v1::FINISH_REASON_STOP);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<v1::CompleteEvent>* StreamComplete(grpc::CallbackServerContext*,
                                                              const v1::CompleteRequest*) override {
    return new EchoStream(ticker_);
  }

 private:
  Ticker ticker_;
};

}  // namespace
}  // namespace pointsman::bench

int main(int argc, char** argv) {
  using namespace pointsman::bench;
  FloorOptions options = ParseFloorOptions(argc, argv, FloorKind::kEcho);
  BlockStopSignals();
  EchoService service;
  return ServeUntilStopped(service, options.port);
}
