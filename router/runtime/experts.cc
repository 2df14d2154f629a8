#include "router/runtime/experts.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <future>

#include "backends/engine/embed_client.h"
#include "backends/engine/engine_backend.h"
#include "backends/engine/supervisor.h"
#include "backends/http/multi.h"
#include "backends/openai/openai_backend.h"

namespace pointsman::runtime {

struct Experts::Parts {
  const config::Config& config;
  Shards& shards;
  std::unique_ptr<engine::Supervisor> supervisor;  // null without local models; lives on the first shard's loop
  bool stopped = false;

  // Runs on the first shard's loop, and waits.
  void OnLoop(const std::function<void()>& f) const { shards[0].RunAndWait(f); }
};

Experts::Experts(const config::Config& config, Shards& shards, const std::filesystem::path& program,
                 std::shared_ptr<const classifier::EncoderHead> head)
    : parts_(new Parts{config, shards, nullptr}) {
  if (!config.engine.models.empty()) {
    engine::SupervisorOptions options;
    options.engine = config.engine;
    if (!program.empty()) options.program = program;
    parts_->supervisor = std::make_unique<engine::Supervisor>(shards[0].loop(), std::move(options));
    parts_->supervisor->Start();
  }
  for (std::size_t s = 0; s < shards.size(); ++s) {
    Shard& shard = shards[s];
    shard.RunAndWait([&] {
      auto multi = std::make_shared<http::Multi>(shard.loop());
      std::vector<std::unique_ptr<backends::Backend>> backends;
      for (const config::Expert& expert : config.experts) {
        if (expert.zero_cost()) {
          backends.push_back(nullptr);  // the pipeline answers by itself
        } else if (std::holds_alternative<config::LocalBackend>(expert.backend)) {
          backends.push_back(std::make_unique<engine::EngineBackend>(shard.loop(), *parts_->supervisor, expert));
        } else {
          backends.push_back(std::make_unique<openai::OpenAiBackend>(*multi, expert));
        }
      }
      shard.SetBackends(std::move(backends), std::move(multi));
      if (head == nullptr) return;
      const config::EncoderLane& lane = *config.classifier.encoder;
      auto client = std::make_unique<engine::EmbedClient>(shard.loop(), *parts_->supervisor, lane.model);
      shard.SetEncoderLane(std::make_unique<classifier::EncoderLane>(head, std::move(client), lane));
    });
  }
}

Experts::~Experts() {
  Stop();
  for (std::size_t s = 0; s < parts_->shards.size(); ++s) {
    Shard& shard = parts_->shards[s];
    shard.RunAndWait([&] {
      shard.SetBackends({}, nullptr);
      shard.SetEncoderLane(nullptr);
    });
  }
  if (parts_->supervisor) {
    parts_->OnLoop([this] { parts_->supervisor.reset(); });
  }
}

bool Experts::AnyAvailable() const {
  bool any = false;
  parts_->OnLoop([&] {
    const auto backends = parts_->shards[0].backends();
    const auto costs_nothing = [](const auto& backend) { return backend == nullptr; };
    any = std::all_of(backends.begin(), backends.end(), costs_nothing) && !backends.empty();
    for (const auto& backend : backends) any = any || (backend && backend->Unavailable().empty());
  });
  return any;
}

bool Experts::NoneWillStart() const {
  // In this order: an engine that becomes ready between the two questions is seen by the second one.
  const bool settled = parts_->supervisor == nullptr || parts_->supervisor->Settled();
  return settled && !AnyAvailable();
}

std::string Experts::WhyNone() const {
  std::string text;
  parts_->OnLoop([&] {
    auto backends = parts_->shards[0].backends();
    for (std::size_t i = 0; i < backends.size(); ++i) {
      std::string reason = backends[i] ? backends[i]->Unavailable() : "";
      if (!reason.empty()) text += (text.empty() ? "" : "; ") + parts_->config.experts[i].name + ": " + reason;
    }
  });
  return text.empty() ? "no expert is configured" : text;
}

v1::EngineStatus Experts::EngineStatus() const {
  if (parts_->supervisor) return parts_->supervisor->Status();
  v1::EngineStatus off;
  off.set_state("off");
  return off;
}

void Experts::Stop() {
  if (parts_->supervisor == nullptr || parts_->stopped) return;
  parts_->stopped = true;
  auto stopped = std::make_shared<std::promise<void>>();
  std::future<void> ready = stopped->get_future();
  auto body = parts_->supervisor->Stop();
  auto done = [stopped](std::exception_ptr) { stopped->set_value(); };
  boost::asio::co_spawn(parts_->shards[0].executor(), std::move(body), std::move(done));
  ready.wait();
}

}  // namespace pointsman::runtime
