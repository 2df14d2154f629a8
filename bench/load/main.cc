// bench/load/main.cc: pointsman_load, the load generator.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "bench/load/client.h"
#include "bench/load/run.h"

namespace {

using pointsman::bench::RunOptions;

void AddCommonOptions(CLI::App& command, RunOptions& options, bool& json) {
  command.add_option("--target", options.target, "loopback address and port of the server")
      ->required()
      ->check(CLI::Validator([](std::string& text) { return pointsman::bench::WhyNotLoopback(text); }, "HOST:PORT"));
  command.add_option("--connections", options.connections, "TCP connections")->check(CLI::Range(1, 256));
  command.add_option("--seconds", options.seconds, "how long to measure")->check(CLI::Range(0.1, 60.0));
  command.add_option("--max-calls", options.max_calls, "stop after so many calls; 0 = when the time is up");
  command.add_option("--expert", options.expert, "ask this expert by name");
  command.add_option("--policy", options.policy, "ask for this policy");
  command.add_option("--pid", options.pid, "process whose CPU time and memory to measure, with its children")
      ->check(CLI::PositiveNumber);
  command.add_flag("--json", json, "figures as JSON");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Load for one Pointsman server on this machine. It refuses every address that is not loopback."};
  app.footer("Example: pointsman_load unary --target 127.0.0.1:50051 --calls 16 --connections 4 --seconds 3");
  app.require_subcommand(1);
  bool json = false;

  RunOptions unary;
  CLI::App* unary_command = app.add_subcommand("unary", "whole answers: latency, rate, CPU time a call");
  AddCommonOptions(*unary_command, unary, json);
  unary_command->add_option("--calls", unary.calls, "calls in flight")->check(CLI::Range(1, 1024));
  unary_command->add_option("--warm-up", unary.warm_up_seconds, "seconds before measuring")
      ->check(CLI::Range(0.0, 10.0));

  RunOptions streams;
  streams.calls = 200;
  streams.connections = 20;
  CLI::App* streams_command = app.add_subcommand("streams", "streamed answers: first chunk, delay, CPU time a chunk");
  AddCommonOptions(*streams_command, streams, json);
  streams_command->add_option("--streams", streams.calls, "streams open at any time")->check(CLI::Range(1, 2000));
  streams_command->add_option("--spread", streams.spread_seconds, "seconds over which they start first")
      ->check(CLI::Range(0.0, 60.0));

  CLI11_PARSE(app, argc, argv);
  RunOptions& options = unary_command->parsed() ? unary : streams;
  if (options.connections > options.calls) options.connections = options.calls;
  pointsman::bench::Report report =
      unary_command->parsed() ? pointsman::bench::RunUnary(options) : pointsman::bench::RunStreams(options);
  std::fputs((json ? report.ToJson() : report.ToText()).c_str(), stdout);
  return report.has_errors() ? 1 : 0;
}
