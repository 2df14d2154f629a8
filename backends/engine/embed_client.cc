#include "backends/engine/embed_client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <optional>
#include <utility>

#include "backends/engine/wire_error.h"
#include "pointsman/v1/engine.grpc.pb.h"

namespace pointsman::engine {

// One text and the coroutine that waits for it, or did.
struct EmbedClient::Waiting {
  Waiting(Executor executor, std::string text, Deadline deadline)
      : text(std::move(text)), deadline(deadline), wake(executor) {}

  void Finish(Result<backends::Embedding> value) {
    result = std::move(value);
    wake.cancel();
  }

  std::string text;
  const Deadline deadline;
  std::optional<Result<backends::Embedding>> result;
  std::shared_ptr<Call> call;  // once it is sent
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> wake;
};

// Lives until gRPC is done with it.
struct EmbedClient::Call {
  std::unique_ptr<v1::Engine::Stub> stub;
  grpc::ClientContext context;
  v1::EmbedRequest request;
  v1::EmbedResponse response;
  std::vector<std::shared_ptr<Waiting>> batch;  // null: gone; loop thread
  std::size_t waiters = 0;                      // of these, still there; loop thread
};

EmbedClient::EmbedClient(Loop& loop, const Supervisor& supervisor, std::string model)
    : loop_(loop), supervisor_(supervisor), model_(std::move(model)), gate_(std::make_shared<LoopGate>(loop)) {}

EmbedClient::~EmbedClient() { gate_->Close(); }

std::string EmbedClient::Unavailable() const { return supervisor_.Unavailable(model_); }

Awaitable<Result<backends::Embedding>> EmbedClient::Embed(std::string text, Deadline deadline) {
  if (deadline <= Clock::now()) co_return DeadlineExceeded("the deadline passed before the encoder was asked");
  if (waiting_.size() >= kMaxWaiting) {
    co_return Error(ErrorClass::kRetryElsewhere, Code::kResourceExhausted, "too many texts wait for the encoder");
  }
  if (std::string why = Unavailable(); !why.empty()) co_return pointsman::Unavailable(why);
  if (text.size() > kMaxTextBytes) text.resize(kMaxTextBytes);

  auto waiting = std::make_shared<Waiting>(loop_.get_executor(), std::move(text), deadline);
  // However the wait ends: by a result, the deadline, or the coroutine's cancellation, which throws.
  struct Leave {
    EmbedClient& client;
    const std::shared_ptr<Waiting>& waiting;
    ~Leave() { client.Abandon(waiting); }
  } leave{*this, waiting};
  waiting_.push_back(waiting);
  Flush();
  boost::system::error_code ec;
  while (!waiting->result && Clock::now() < deadline) {
    waiting->wake.expires_at(deadline);
    co_await waiting->wake.async_wait(asio::redirect_error(kAwait, ec));
  }
  if (!waiting->result) co_return DeadlineExceeded("the encoder did not answer in time");
  co_return *std::move(waiting->result);
}

// Later in this turn of the loop, so that those who come in the same turn go together.
void EmbedClient::Flush() {
  if (flush_posted_ || calls_ >= kMaxCalls || waiting_.empty()) return;
  flush_posted_ = true;
  gate_->Post([this, gate = gate_] {
    if (gate->closed()) return;
    flush_posted_ = false;
    while (calls_ < kMaxCalls && !waiting_.empty()) {
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMaxTexts));
      std::vector<std::shared_ptr<Waiting>> batch(waiting_.begin(), end);
      waiting_.erase(waiting_.begin(), end);
      Send(std::move(batch));
    }
  });
}

void EmbedClient::Send(std::vector<std::shared_ptr<Waiting>> batch) {
  const std::shared_ptr<grpc::Channel> channel = supervisor_.channel();
  if (channel == nullptr) {
    for (const auto& waiting : batch) waiting->Finish(pointsman::Unavailable("the engine is restarting"));
    return;
  }
  auto call = std::make_shared<Call>();
  call->stub = v1::Engine::NewStub(channel);
  call->request.set_model(model_);
  Deadline last = Clock::now();
  for (const auto& waiting : batch) {
    call->request.add_texts(std::move(waiting->text));
    waiting->call = call;
    last = std::max(last, waiting->deadline);
  }
  if (last != Deadline::max()) {
    call->context.set_deadline(std::chrono::system_clock::now() +
                               std::chrono::duration_cast<std::chrono::system_clock::duration>(last - Clock::now()));
  }
  call->waiters = batch.size();
  call->batch = std::move(batch);
  ++calls_;
  auto finished = [this, call, gate = gate_](const grpc::Status& status) {
    gate->Post([this, call, gate, status] {
      if (gate->closed()) return;
      --calls_;
      const std::vector<std::shared_ptr<Waiting>> done = std::exchange(call->batch, {});
      for (std::size_t i = 0; i < done.size(); ++i) {
        if (done[i] == nullptr) continue;  // gone already
        done[i]->call = nullptr;
        if (!status.ok()) {
          done[i]->Finish(FromWire(status));
        } else if (call->response.embeddings_size() != static_cast<int>(done.size())) {
          done[i]->Finish(Internal("the encoder gave another number of embeddings than it got texts"));
        } else {
          const v1::Embedding& embedding = call->response.embeddings(static_cast<int>(i));
          done[i]->Finish(
              backends::Embedding{{embedding.values().begin(), embedding.values().end()}, embedding.truncated()});
        }
      }
      Flush();
    });
  };
  call->stub->async()->Embed(&call->context, &call->request, &call->response, std::move(finished));
}

void EmbedClient::Abandon(const std::shared_ptr<Waiting>& waiting) {
  std::erase(waiting_, waiting);
  const std::shared_ptr<Call> call = std::exchange(waiting->call, nullptr);
  if (call == nullptr) return;
  // The call may end on gRPC's thread, after the loop: the timer of `waiting` must not be there any more.
  std::replace(call->batch.begin(), call->batch.end(), waiting, std::shared_ptr<Waiting>());
  if (--call->waiters == 0) call->context.TryCancel();
}

}  // namespace pointsman::engine
