#include "router/gateway/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "backends/grpc_threads.h"
#include "config/gguf.h"
#include "policies/choose.h"
#include "policies/score/category_map.h"
#include "router/classifier/default_artifact.h"
#include "router/classifier/encoder_head.h"
#include "router/gateway/admin_service.h"
#include "router/gateway/pointsman_service.h"
#include "router/runtime/experts.h"
#include "router/runtime/redis_links.h"

namespace pointsman::gateway {
namespace {

constexpr std::chrono::milliseconds kHealthInterval{50};
constexpr std::chrono::milliseconds kDrainPoll{10};
constexpr std::chrono::seconds kLastResort{5};

// gRPC's own defaults cut off clients that ping while they wait for a first token ("too many pings").
constexpr int kMinPingIntervalMs = 10'000;

bool AnyPolicyNeedsEvidence(const config::Config& config) {
  return std::any_of(config.policies.begin(), config.policies.end(), policies::NeedsEvidence);
}

// Map keys must be categories of the classifier: an entry that can never be chosen is a mistake.
std::vector<config::Problem> CheckMaps(const config::Config& config, const classifier::Classifier& classifier) {
  std::vector<config::Problem> problems;
  const std::vector<std::string>& known = classifier.categories();
  for (const config::Policy& policy : config.policies) {
    const auto* map = std::get_if<config::CategoryMap>(&policy.score);
    if (map == nullptr) continue;
    for (const auto& [category, experts] : map->experts) {
      if (category == score::kGeneral || std::find(known.begin(), known.end(), category) != known.end()) continue;
      std::string names;
      for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
      problems.push_back(config.ProblemAt("policies." + policy.name + ".map." + category,
                                          "the classifier knows no such category (known: " + names + ")"));
    }
  }
  return problems;
}

Result<std::shared_ptr<const classifier::Classifier>> LoadClassifier(const config::Config& config) {
  if (!AnyPolicyNeedsEvidence(config)) return std::shared_ptr<const classifier::Classifier>();
  const config::Classifier& wanted = config.classifier;
  return classifier::Classifier::Load(wanted.artifact.empty() ? classifier::DefaultArtifact() : wanted.artifact,
                                      wanted.entropy_threshold);
}

// The encoder lane's head, null without one. It must belong to this classifier and to the encoder that is configured.
Result<std::shared_ptr<const classifier::EncoderHead>> LoadEncoderHead(const config::Config& config,
                                                                       const classifier::Classifier* classifier) {
  if (classifier == nullptr || !config.classifier.encoder) return std::shared_ptr<const classifier::EncoderHead>();
  const config::EncoderLane& lane = *config.classifier.encoder;
  auto head = classifier::EncoderHead::Load(lane.head, config.classifier.entropy_threshold);
  if (!head) return std::move(head).error();
  const auto wrong = [&](const std::string& what) {
    return InvalidArgument("classifier.encoder.head", "encoder head " + lane.head.string() + ": " + what +
                                                          ": train it anew with `pointsman train encoder`");
  };
  if ((*head)->classifier() != classifier->checksum() || (*head)->categories() != classifier->categories()) {
    return wrong("it was trained for another classifier");
  }
  // A file that cannot be read is the worker's to report.
  const Result<config::GgufInfo> encoder = config::ReadGguf(config.FindModel(lane.model)->file);
  if (encoder && encoder->name != (*head)->encoder()) {
    return wrong("it was trained with the encoder " + (*head)->encoder() + ", and model " + lane.model + " is " +
                 encoder->name);
  }
  return head;
}

Result<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unavailable("cannot read " + path.string());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::shared_ptr<grpc::ServerCredentials>> CredentialsOf(const config::Server& server) {
  if (!server.tls) return grpc::InsecureServerCredentials();
  Result<std::string> certificate = ReadFile(server.tls->certificate);
  if (!certificate) return std::move(certificate).error();
  Result<std::string> key = ReadFile(server.tls->key);
  if (!key) return std::move(key).error();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({*key, *certificate});
  return grpc::SslServerCredentials(options);
}

unsigned ShardCount(const config::Config& config, const ServerOptions& options) {
  unsigned count = options.shards.value_or(config.server.shards);
  return count != 0 ? count : std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

std::vector<config::Problem> CheckPolicyFiles(const config::Config& config) {
  std::vector<config::Problem> problems;
  pipeline::LoadPolicyFiles(config, problems);
  return problems;
}

std::vector<config::Problem> CheckClassifier(const config::Config& config) {
  Result<std::shared_ptr<const classifier::Classifier>> classifier = LoadClassifier(config);
  if (!classifier) return {config.ProblemAt("classifier.artifact", classifier.error().message)};
  if (*classifier == nullptr) return {};
  std::vector<config::Problem> problems = CheckMaps(config, **classifier);
  if (auto head = LoadEncoderHead(config, classifier->get()); !head) {
    problems.push_back(config.ProblemAt("classifier.encoder.head", head.error().message));
  }
  return problems;
}

// In the order of construction; destroyed in reverse.
struct Server::Parts {
  std::shared_ptr<const config::Config> config;
  std::unique_ptr<admission::Admission> admission;
  std::unique_ptr<cache::MemoryCache> cache;
  std::unique_ptr<cache::Purges> purges;
  std::unique_ptr<pipeline::MassControllers> masses;
  std::vector<std::unique_ptr<cache::QuestionIndex>> questions;  // by policy
  std::unique_ptr<pipeline::Flights> flights;
  pipeline::Services services;
  std::unique_ptr<runtime::Shards> shards;
  std::unique_ptr<runtime::RedisLinks> redis;
  std::unique_ptr<runtime::Experts> experts;
  std::unique_ptr<telemetry::Metrics> metrics;
  std::unique_ptr<PointsmanService> pointsman;
  std::unique_ptr<AdminService> admin;
  std::unique_ptr<grpc::Server> grpc;
  int port = 0, metrics_port = 0;

  // The health service follows the experts.
  std::thread health;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool stopping = false;
  bool serving = false;

  telemetry::Gauges Sample() const;
  void WatchHealth();
  void SetHealth(bool serving);
};

telemetry::Gauges Server::Parts::Sample() const {
  telemetry::Gauges gauges;
  gauges.in_flight = admission->in_flight();
  if (cache) {
    cache::Stats stats = cache->stats();
    gauges.cache_bytes = static_cast<double>(stats.bytes);
    gauges.cache_entries = static_cast<double>(stats.entries);
  }
  for (const auto& index : questions) gauges.questions += index ? static_cast<double>(index->size()) : 0;
  gauges.purged_memory = static_cast<double>(purges->memory_entries());
  gauges.purged_redis = static_cast<double>(purges->redis_entries());
  if (redis) {
    const redis::Health::Counts counts = redis->health().counts();
    gauges.redis_usable = redis->health().usable() ? 1 : 0;
    gauges.redis_replies = static_cast<double>(counts.replies);
    gauges.redis_errors = static_cast<double>(counts.errors);
    gauges.redis_timeouts = static_cast<double>(counts.timeouts);
    gauges.redis_unavailable = static_cast<double>(counts.unavailable);
  }
  v1::EngineStatus engine = experts->EngineStatus();
  gauges.engine_up = engine.state() == "ready" ? 1 : 0;
  gauges.engine_restarts = engine.restarts();
  for (const v1::ModelStatus& model : engine.models()) {
    if (model.kind() == "encoder") continue;  // its slots answer nobody
    gauges.slots += model.slots();
    gauges.slots_busy += model.slots_busy();
    gauges.engine_queue += model.queued();
  }
  return gauges;
}

void Server::Parts::SetHealth(bool now) {
  grpc::HealthCheckServiceInterface* service = grpc->GetHealthCheckService();
  for (const char* name : {"", "pointsman.v1.Pointsman"}) service->SetServingStatus(name, now);
  service->SetServingStatus("pointsman.v1.Admin", true);
}

void Server::Parts::WatchHealth() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    lock.unlock();
    bool now = experts->AnyAvailable();
    if (now != serving) SetHealth(now);
    lock.lock();
    if (now != serving) {
      serving = now;
      changed.notify_all();
    }
    changed.wait_for(lock, kHealthInterval, [&] { return stopping; });
  }
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Shutdown(std::chrono::milliseconds(0)); }

Result<std::unique_ptr<Server>> Server::Start(std::shared_ptr<const config::Config> config,
                                              const ServerOptions& options) {
  auto parts = std::make_unique<Parts>();
  parts->config = config;
  Result<std::shared_ptr<const classifier::Classifier>> classifier = LoadClassifier(*config);
  if (!classifier) return std::move(classifier).error();
  if (*classifier != nullptr) {
    if (auto problems = CheckMaps(*config, **classifier); !problems.empty()) {
      return InvalidArgument("", config::ToString(problems));
    }
  }
  std::vector<config::Problem> problems;
  pipeline::PolicyFiles files = pipeline::LoadPolicyFiles(*config, problems);
  if (!problems.empty()) return InvalidArgument("", config::ToString(problems));
  Result<std::shared_ptr<const classifier::EncoderHead>> head = LoadEncoderHead(*config, classifier->get());
  if (!head) return std::move(head).error();
  Result<std::shared_ptr<grpc::ServerCredentials>> credentials = CredentialsOf(config->server);
  if (!credentials) return std::move(credentials).error();

  parts->admission = std::make_unique<admission::Admission>(config->limits.in_flight);
  if (config->cache.memory_bytes > 0) {
    parts->cache = std::make_unique<cache::MemoryCache>(config->cache.memory_bytes, config->cache.ttl);
  }
  parts->services.snapshot =
      pipeline::MakeSnapshot(config, *classifier, std::move(files), *head ? (*head)->checksum() : std::string());
  parts->purges = std::make_unique<cache::Purges>(parts->cache.get(), parts->services.snapshot->answers);
  parts->services.purges = parts->purges.get();
  parts->services.admission = parts->admission.get();
  parts->services.cache = parts->cache.get();
  parts->masses = std::make_unique<pipeline::MassControllers>(*config);
  parts->services.masses = parts->masses.get();
  for (std::size_t p = 0; p < config->policies.size(); ++p) {
    const config::PolicyCache& settings = config->policies[p].cache;
    const pipeline::PolicyMatcher& found = parts->services.snapshot->files.matchers[p];
    parts->questions.push_back(found.matcher == nullptr
                                   ? nullptr
                                   : std::make_unique<cache::QuestionIndex>(found.matcher, settings.semantic->questions,
                                                                            settings.ttl.value_or(config->cache.ttl)));
  }
  parts->services.questions = &parts->questions;
  parts->flights = std::make_unique<pipeline::Flights>(config->limits.in_flight);
  parts->services.flights = parts->flights.get();
  parts->shards = std::make_unique<runtime::Shards>(ShardCount(*config, options));
  parts->shards->Start();
  parts->services.cache_secret = config->cache.secret.empty() ? cache::RandomSecret() : config->cache.secret;
  if (config->cache.redis) {
    parts->redis = std::make_unique<runtime::RedisLinks>(config->cache, *parts->shards, *parts->purges);
    parts->services.redis = &parts->redis->health();
  }
  parts->experts = std::make_unique<runtime::Experts>(*config, *parts->shards, options.program, *head);
  parts->metrics =
      std::make_unique<telemetry::Metrics>(parts->services.snapshot->names, [p = parts.get()] { return p->Sample(); });
  parts->services.metrics = parts->metrics.get();
  std::string metrics_address = options.metrics.value_or(config->server.metrics);
  if (!metrics_address.empty()) {
    Result<int> port = parts->metrics->Listen(metrics_address);
    if (!port) return std::move(port).error();
    parts->metrics_port = *port;
  }

  parts->pointsman = std::make_unique<PointsmanService>(parts->services, *parts->shards);
  parts->admin = std::make_unique<AdminService>(parts->services, *parts->shards, *parts->pointsman,
                                                [p = parts.get()] { return p->experts->EngineStatus(); });
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  std::string listen = options.listen.value_or(config->server.listen);
  builder.AddListeningPort(listen, *credentials, &parts->port);
  builder.SetMaxReceiveMessageSize(static_cast<int>(config->server.max_message_bytes));
  builder.SetMaxSendMessageSize(static_cast<int>(config->server.max_message_bytes));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // two servers on one port would share its calls unseen
  builder.RegisterService(parts->pointsman.get());
  builder.RegisterService(parts->admin.get());
  backends::KeepGrpcThreads();
  parts->grpc = builder.BuildAndStart();
  if (parts->grpc == nullptr || parts->port == 0) {
    return Unavailable("cannot listen on " + listen +
                       ": is another server running there, or the address not this machine's?");
  }
  parts->SetHealth(false);
  parts->health = std::thread([p = parts.get()] { p->WatchHealth(); });
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

int Server::port() const { return parts_->port; }
int Server::metrics_port() const { return parts_->metrics_port; }
int Server::in_flight() const { return parts_->admission->in_flight(); }
int Server::engine_pid() const { return parts_->experts->EngineStatus().pid(); }
std::string Server::RenderMetrics() const { return parts_->metrics->Render(); }

bool Server::Serving() const {
  std::lock_guard lock(parts_->mutex);
  return parts_->serving;
}

Result<void> Server::WaitUntilServing(std::chrono::milliseconds limit) const {
  std::unique_lock lock(parts_->mutex);
  Clock::time_point end = Clock::now() + limit;
  while (!parts_->serving) {
    if (Clock::now() >= end || parts_->experts->NoneWillStart()) return Unavailable(parts_->experts->WhyNone());
    parts_->changed.wait_for(lock, kHealthInterval);
  }
  return {};
}

void Server::Shutdown(std::chrono::milliseconds grace) {
  if (parts_->grpc == nullptr) return;
  {
    std::lock_guard lock(parts_->mutex);
    parts_->stopping = true;
    parts_->serving = false;
    parts_->changed.notify_all();
  }
  parts_->health.join();
  parts_->SetHealth(false);
  // gRPC refuses new calls at once and waits for those in flight. What is left after the grace period is ended by us,
  // so that clients get UNAVAILABLE; gRPC's own deadline is only the last resort.
  auto end = Clock::now() + grace;
  std::thread closing([&] { parts_->grpc->Shutdown(std::chrono::system_clock::now() + grace + kLastResort); });
  while (parts_->admission->in_flight() > 0 && Clock::now() < end) std::this_thread::sleep_for(kDrainPoll);
  parts_->shards->EndAllCalls(runtime::Ending::kShutdown);
  closing.join();
  parts_->grpc->Wait();
  parts_->grpc.reset();
  parts_->shards->Drain();  // flights end after the calls of their clients
  parts_->metrics.reset();  // its page asks the experts
  parts_->experts.reset();
  parts_->redis.reset();
  parts_->shards->Stop();
}

}  // namespace pointsman::gateway
