// router/runtime/server_call.h: gRPC callback reactors that a coroutine serves. gRPC's threads only post to the loop;
// Finish is called exactly once, when the coroutine has ended, however it ended.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/waiter.h"
#include "router/runtime/live_call.h"
#include "router/runtime/shard.h"

namespace pointsman::runtime {

// The status of a call that was ended from outside.
grpc::Status StatusOf(Ending ending);

// `Reactor` is grpc::ServerUnaryReactor or a grpc::ServerWriteReactor. It owns itself from Start until gRPC's OnDone
// and the coroutine's end, whichever is later.
template <class Reactor>
class ServerCall : public Reactor, public LiveCall, public std::enable_shared_from_this<ServerCall<Reactor>> {
 public:
  ServerCall(grpc::CallbackServerContext* context, Shard& shard, Deadline deadline)
      : LiveCall(deadline), context_(context), shard_(shard) {}

  // Starts the coroutine on the shard's loop. Any thread, once; the object must be held by a shared_ptr.
  void Start() {
    self_ = this->shared_from_this();
    boost::asio::post(shard_.loop(), [self = self_] { self->Spawn(); });
  }

 protected:
  // The coroutine. Loop thread.
  virtual Awaitable<grpc::Status> Run() = 0;

  // Called with the final status, before it goes to the client. Loop thread.
  virtual void Ended(const grpc::Status& status) = 0;

  // An exception that is no cancellation: a bug. Called before Ended; loop thread.
  virtual grpc::Status Crashed(const char* what) = 0;

  grpc::CallbackServerContext& context() { return *context_; }
  Shard& shard() { return shard_; }

 private:
  void Spawn() {
    if (ending() != Ending::kNone) return Complete(StatusOf(ending()));
    shard_.calls().Add(*this);
    auto body = Run();
    auto done = [self = this->shared_from_this()](std::exception_ptr error, grpc::Status status) {
      self->Complete(self->Outcome(error, std::move(status)));
    };
    boost::asio::co_spawn(shard_.executor(), std::move(body),
                          boost::asio::bind_cancellation_slot(signal_.slot(), std::move(done)));
  }

  grpc::Status Outcome(const std::exception_ptr& error, grpc::Status status) {
    if (!error) return status;
    if (ending() != Ending::kNone) return StatusOf(ending());
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      return Crashed(e.what());
    } catch (...) {
      return Crashed("unknown exception");
    }
  }

  void Complete(grpc::Status status) {
    if (is_linked()) unlink();
    finished_ = true;
    last_write_.reset();
    Ended(status);
    FinishCall(std::move(status));
  }

  virtual void FinishCall(grpc::Status status) { this->Finish(std::move(status)); }

  // Reactions: on gRPC's threads, so they only post.
  void OnCancel() override {
    boost::asio::post(shard_.loop(), [self = this->shared_from_this()] {
      if (!self->finished_) self->End(Ending::kClientGone);
    });
  }
  void OnDone() override { self_.reset(); }

  // A write that a client does not read ends by a cancellation, which hides the status from the client. One that is
  // just on its way gets the time to arrive when the server shuts down: UNAVAILABLE says that another server may be
  // asked.
  void Interrupt() override {
    if (!WritePending()) return;
    if (ending() != Ending::kShutdown) return context_->TryCancel();
    if (last_write_) return;
    last_write_.emplace(shard_.executor(), kLastWrite);
    last_write_->async_wait([self = this->shared_from_this()](boost::system::error_code error) {
      if (!error && !self->finished_) self->context_->TryCancel();
    });
  }
  virtual bool WritePending() const { return false; }

  static constexpr std::chrono::milliseconds kLastWrite{100};

  grpc::CallbackServerContext* const context_;
  Shard& shard_;
  bool finished_ = false;  // loop thread, and what follows
  std::optional<boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>> last_write_;
  std::shared_ptr<ServerCall> self_;
};

// A call that answers with a stream of `Event`s.
template <class Event>
class StreamCall : public ServerCall<grpc::ServerWriteReactor<Event>> {
 public:
  StreamCall(grpc::CallbackServerContext* context, Shard& shard, Deadline deadline)
      : ServerCall<grpc::ServerWriteReactor<Event>>(context, shard, deadline), written_(shard.executor()) {}

 protected:
  // Waits until gRPC has taken `event`, which must live as long; a slow client slows its writer. false: the client is
  // gone. Loop thread. Without a buffer hint even where another event follows at once: gRPC 1.51 sometimes never
  // completes a write that has one (measured: one stream in some hundred).
  Awaitable<bool> WriteEvent(const Event& event) {
    auto start = [this, &event] { this->StartWrite(&event); };
    return written_.StartAndWait(std::move(start));
  }

  // The last events of a call that ends with OK. gRPC's reactions write all but the very last one after the other,
  // without a change of thread between them; that one goes out with the status, in one operation. Once, and no
  // WriteEvent after it; else as WriteEvent.
  Awaitable<bool> WriteLastEvents(std::vector<Event> events) {
    last_ = std::move(events);
    if (last_.size() < 2) co_return true;
    auto start = [this] { this->StartWrite(&last_[last_written_++]); };
    co_return co_await written_.StartAndWait(std::move(start));
  }

 private:
  // The loop's thread touches neither last_ nor last_written_ while a write is on its way.
  void OnWriteDone(bool ok) override {
    if (ok && last_written_ + 1 < last_.size()) return this->StartWrite(&last_[last_written_++]);
    auto self = std::static_pointer_cast<StreamCall>(this->shared_from_this());
    boost::asio::post(this->shard().loop(), [self = std::move(self), ok] { self->written_.Resume(ok); });
  }
  bool WritePending() const override { return written_.waiting(); }
  void FinishCall(grpc::Status status) override {
    if (!status.ok() || last_.empty()) return this->Finish(std::move(status));
    this->StartWriteAndFinish(&last_.back(), {}, std::move(status));
  }

  Waiter<bool> written_;
  std::vector<Event> last_;
  std::size_t last_written_ = 0;
};

}  // namespace pointsman::runtime
