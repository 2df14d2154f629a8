#include "router/cli/serve.h"

#include <curl/curl.h>
#include <pthread.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "config/check.h"
#include "config/parse.h"
#include "router/gateway/server.h"
#include "router/telemetry/log.h"

namespace pointsman::cli {
namespace {

struct ServeOptions {
  std::string config;
  gateway::ServerOptions server;
  double grace_seconds = 30;
};

// Everything that is wrong, at once: the text first, then what it needs of the file system and of the classifier.
std::vector<config::Problem> Problems(const config::Parsed& parsed, bool checksums) {
  if (!parsed.ok()) return parsed.problems;
  config::CheckOptions options;
  options.checksums = checksums;
  std::vector<config::Problem> problems = config::Check(*parsed.config, options);
  bool artifact_missing = std::any_of(problems.begin(), problems.end(),
                                      [](const config::Problem& p) { return p.path == "classifier.artifact"; });
  if (!artifact_missing) {
    for (config::Problem& problem : gateway::CheckClassifier(*parsed.config)) problems.push_back(std::move(problem));
  }
  for (config::Problem& problem : gateway::CheckPolicyFiles(*parsed.config)) problems.push_back(std::move(problem));
  return problems;
}

// Blocks until the process is asked to end. The signals were blocked before any thread was made.
int WaitForSignal(const sigset_t& signals) {
  int received = 0;
  while (sigwait(&signals, &received) != 0) {
  }
  return received;
}

std::string Dialable(const std::string& listen, int port) {
  std::string host = listen.substr(0, listen.rfind(':'));
  if (host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
  return host + ":" + std::to_string(port);
}

int Serve(const ServeOptions& options) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  curl_global_init(CURL_GLOBAL_DEFAULT);

  config::Parsed parsed = config::Parse(options.config);
  // A model's checksum is compared by the worker that loads it; here it would only delay the start.
  if (auto problems = Problems(parsed, false); !problems.empty()) {
    std::cerr << config::ToString(problems);
    return 1;
  }
  telemetry::StartLog(parsed.config->telemetry);
  Result<std::unique_ptr<gateway::Server>> started = gateway::Server::Start(parsed.config, options.server);
  if (!started) {
    telemetry::Log(telemetry::Level::kError, "cannot start", {{"error", started.error().message}});
    telemetry::StopLog();
    std::cerr << "pointsman: " << started.error().message << "\n";
    return 1;
  }
  gateway::Server& server = **started;
  std::string listen = options.server.listen.value_or(parsed.config->server.listen);
  std::string address = Dialable(listen, server.port());

  // An engine that still loads, or experts that cannot be reached, do not end the server: it says so and serves when it
  // can.
  if (Result<void> serving = server.WaitUntilServing(std::chrono::minutes(2)); !serving) {
    telemetry::Log(telemetry::Level::kWarn, "no expert can answer yet", {{"reason", serving.error().message}});
    std::cout << "not ready: no expert can answer yet: " << serving.error().message << std::endl;
  } else {
    if (server.metrics_port() != 0) std::cout << "metrics: port " << server.metrics_port() << "\n";
    std::cout << "ready: " << address << std::endl;
  }
  int received = WaitForSignal(signals);
  telemetry::Log(telemetry::Level::kInfo, "stopping",
                 {{"signal", received == SIGINT ? "SIGINT" : "SIGTERM"}, {"in_flight", server.in_flight()}});
  server.Shutdown(std::chrono::milliseconds(static_cast<std::int64_t>(options.grace_seconds * 1000)));
  telemetry::Log(telemetry::Level::kInfo, "stopped", {});
  telemetry::StopLog();
  return 0;
}

struct CheckOptions {
  std::string file;
  bool json = false, without_secrets = false, no_checksums = false;
};

int Check(const CheckOptions& options) {
  config::ParseOptions parse;
  parse.require_secrets = !options.without_secrets;
  config::Parsed parsed = config::Parse(options.file, parse);
  std::vector<config::Problem> problems = Problems(parsed, !options.no_checksums);
  if (options.json) {
    boost::json::array list;
    for (const config::Problem& problem : problems) {
      list.push_back({{"file", problem.file},
                      {"line", problem.place.line},
                      {"column", problem.place.column},
                      {"path", problem.path},
                      {"message", problem.message}});
    }
    std::cout << boost::json::serialize(boost::json::object{{"ok", problems.empty()}, {"problems", list}}) << "\n";
  } else if (problems.empty()) {
    std::cout << options.file << ": ok (" << parsed.config->experts.size() << " experts, "
              << parsed.config->policies.size() << " policies)\n";
  } else {
    std::cerr << config::ToString(problems);
  }
  return problems.empty() ? 0 : 1;
}

}  // namespace

void RegisterServe(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Run the router");
  command->add_option("--config", options->config, "The configuration file")->required();
  command->add_option("--listen", options->server.listen,
                      "host:port instead of the configuration's server.listen; port 0 = any free one");
  command->add_option("--metrics", options->server.metrics,
                      "host:port instead of server.metrics; '' = no metrics page");
  command->add_option("--shards", options->server.shards, "Event loops; 0 = one per core")->check(CLI::Range(0, 256));
  command
      ->add_option("--grace", options->grace_seconds, "Seconds that requests in flight get when the server is stopped")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->footer("Example:\n  pointsman serve --config config/examples/embedded.yaml --listen 127.0.0.1:50051");
  command->callback([options, &exit_code] { exit_code = Serve(*options); });
}

void RegisterCheck(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "Say everything that is wrong with a configuration");
  command->add_option("file", options->file, "The configuration file")->required();
  command->add_flag("--without-secrets", options->without_secrets, "Keys that cannot be had here are no problem");
  command->add_flag("--no-checksums", options->no_checksums, "Do not read models whole to compare their sha256");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example:\n  pointsman check config/examples/hosted.yaml --without-secrets");
  command->callback([options, &exit_code] { exit_code = Check(*options); });
}

}  // namespace pointsman::cli
