#include "backends/engine/engine_backend.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "backends/engine/generate_call.h"

namespace pointsman::engine {
namespace {

class EngineStream final : public backends::AnswerStream {
 public:
  explicit EngineStream(std::shared_ptr<GenerateCall> call) : call_(std::move(call)) {}
  ~EngineStream() override { call_->Abandon(); }

  Awaitable<Result<backends::Chunk>> Next() override { return call_->Next(); }

 private:
  const std::shared_ptr<GenerateCall> call_;
};

// A request that could not even be sent.
class FailedStream final : public backends::AnswerStream {
 public:
  explicit FailedStream(Error error) : error_(std::move(error)) {}
  Awaitable<Result<backends::Chunk>> Next() override { co_return error_; }

 private:
  const Error error_;
};

bool HasImages(const v1::CompleteRequest& request) {
  const auto is_image = [](const v1::Part& part) { return part.has_image(); };
  return std::any_of(request.messages().begin(), request.messages().end(), [&](const v1::Message& message) {
    return std::any_of(message.parts().begin(), message.parts().end(), is_image);
  });
}

}  // namespace

EngineBackend::EngineBackend(Loop& loop, const Supervisor& supervisor, const config::Expert& expert)
    : loop_(loop),
      supervisor_(supervisor),
      gate_(std::make_shared<LoopGate>(loop)),
      model_(std::get<config::LocalBackend>(expert.backend).model),
      system_(expert.system),
      sampling_(expert.sampling) {}

EngineBackend::~EngineBackend() { gate_->Close(); }

std::string EngineBackend::Unavailable() const { return supervisor_.Unavailable(model_); }

std::unique_ptr<backends::AnswerStream> EngineBackend::Open(const v1::CompleteRequest& request, bool,
                                                            Deadline deadline) {
  if (deadline <= Clock::now()) {
    return std::make_unique<FailedStream>(DeadlineExceeded("the deadline passed before the engine was asked"));
  }
  if (HasImages(request) || request.tools_size() > 0) {
    Error error(ErrorClass::kRetryElsewhere, Code::kInvalidArgument,
                HasImages(request) ? "the local engine cannot see images" : "the local engine cannot call tools");
    return std::make_unique<FailedStream>(std::move(error));
  }
  const std::string unavailable = Unavailable();
  const std::shared_ptr<grpc::Channel> channel = supervisor_.channel();
  if (!unavailable.empty() || channel == nullptr) {
    return std::make_unique<FailedStream>(
        pointsman::Unavailable(unavailable.empty() ? "the engine is restarting" : unavailable));
  }

  v1::GenerateRequest generate;
  generate.set_model(model_);
  const bool own_system = std::any_of(request.messages().begin(), request.messages().end(),
                                      [](const v1::Message& message) { return message.role() == v1::ROLE_SYSTEM; });
  if (!own_system && !system_.empty()) {
    v1::Message* system = generate.add_messages();
    system->set_role(v1::ROLE_SYSTEM);
    system->add_parts()->set_text(system_);
  }
  generate.mutable_messages()->MergeFrom(request.messages());
  *generate.mutable_sampling() = backends::EffectiveSampling(request.sampling(), sampling_);
  *generate.mutable_response_format() = request.response_format();
  generate.set_logprobs(request.logprobs());
  generate.set_top_logprobs(request.top_logprobs());
  return std::make_unique<EngineStream>(GenerateCall::Start(loop_, gate_, channel, std::move(generate), deadline));
}

}  // namespace pointsman::engine
