// router/gateway/server.h: the router as a whole: snapshot, shards, backends, engine worker, gRPC server, metrics page.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/problem.h"

namespace pointsman::gateway {

struct ServerOptions {
  std::optional<std::string> listen;   // replaces the configuration's
  std::optional<std::string> metrics;  // likewise; "" = off
  std::optional<unsigned> shards;      // likewise
  std::filesystem::path program;       // this program, to start the engine worker from; "" = /proc/self/exe
};

// Loads what the configuration's policies need of the classifier, and finds map entries that name no category of it.
// Problems come with their place in the file. For Start and for `pointsman check`.
std::vector<config::Problem> CheckClassifier(const config::Config& config);

// Likewise the predictor artifacts that policies name (predictions.h).
std::vector<config::Problem> CheckPolicyFiles(const config::Config& config);

// Owned by one thread, that of main or of a test.
class Server {
 public:
  // Starts everything and listens. Errors are for people: what could not be loaded or listened on, and why.
  static Result<std::unique_ptr<Server>> Start(std::shared_ptr<const config::Config> config,
                                               const ServerOptions& options);
  ~Server();  // Shutdown(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;          // that it listens on
  int metrics_port() const;  // 0 = off

  // Whether an expert can answer now; what the health service says.
  bool Serving() const;

  // Waits until Serving(), or until no expert can start any more or `limit` has passed; then the error says why not.
  Result<void> WaitUntilServing(std::chrono::milliseconds limit) const;

  // Takes no more calls (health: NOT_SERVING), lets those in flight end for up to `grace`, ends the rest with
  // UNAVAILABLE, stops the worker and joins every thread. May be called once.
  void Shutdown(std::chrono::milliseconds grace);

  // Calls of Complete and StreamComplete in flight.
  int in_flight() const;
  // Process id of the engine worker; 0 when there is none.
  int engine_pid() const;
  // The Prometheus page's text.
  std::string RenderMetrics() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pointsman::gateway
