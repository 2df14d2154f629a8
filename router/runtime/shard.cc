#include "router/runtime/shard.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <future>

namespace pointsman::runtime {

Shard::Shard() : work_(boost::asio::make_work_guard(loop_)) {}

Shard::~Shard() { Stop(); }

void Shard::SetBackends(std::vector<std::unique_ptr<backends::Backend>> backends, std::shared_ptr<void> owner) {
  backends_ = std::move(backends);
  owner_ = std::move(owner);
}

void Shard::SetRedis(std::unique_ptr<redis::Asker> client, std::unique_ptr<cache::RedisCache> stored) {
  redis_cache_ = std::move(stored);
  redis_ = std::move(client);
}

void Shard::Start(unsigned index) {
  thread_ = std::thread([this, index] {
    pthread_setname_np(pthread_self(), ("shard-" + std::to_string(index)).c_str());
    loop_.run();
  });
}

void Shard::RunAndWait(const std::function<void()>& f) {
  auto done = std::make_shared<std::promise<void>>();  // shared: set_value may still run when wait() returns
  std::future<void> ready = done->get_future();
  auto run = [&f, done] {
    f();
    done->set_value();
  };
  boost::asio::post(loop_, std::move(run));
  ready.wait();
}

void Shard::Stop() {
  if (!thread_.joinable()) return;
  RunAndWait([this] { calls_.EndAll(Ending::kShutdown); });
  // The unwinding coroutines post their last steps to the loop: it runs dry once they and the backends are gone.
  bool idle = false;
  while (!idle) RunAndWait([&] { idle = calls_.empty(); });
  work_.reset();
  loop_.stop();
  thread_.join();
}

Shards::Shards(unsigned count) {
  for (unsigned i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>());
}

void Shards::Start() {
  for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->Start(static_cast<unsigned>(i));
}

void Shards::EndAllCalls(Ending why) {
  for (auto& shard : shards_) shard->RunAndWait([&] { shard->calls().EndAll(why); });
}

void Shards::Drain() {
  EndAllCalls(Ending::kShutdown);
  for (auto& shard : shards_) {
    bool idle = false;
    while (!idle) shard->RunAndWait([&] { idle = shard->calls().empty(); });
  }
}

void Shards::Stop() {
  for (auto& shard : shards_) shard->Stop();
}

}  // namespace pointsman::runtime
