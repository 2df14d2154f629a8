// bench/load/main.cc: pointsman_load, the load generator.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
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
  command.add_option("--seconds", options.seconds, "how long to measure")->check(CLI::Range(0.1, 300.0));
  command.add_option("--max-calls", options.max_calls, "stop after so many calls; 0 = when the time is up");
  command.add_option("--expert", options.questions.expert, "ask this expert by name");
  command.add_option("--policy", options.questions.policy, "ask for this policy");
  command.add_option("--pid", options.pid, "process whose CPU time and memory to measure, with its children")
      ->check(CLI::PositiveNumber);
  command.add_flag("--json", json, "figures as JSON");
}

void AddQuestionOptions(CLI::App& command, pointsman::bench::QuestionOptions& options) {
  using pointsman::bench::Order;
  static const std::map<std::string, Order> orders = {
      {"turn", Order::kTurn}, {"uniform", Order::kUniform}, {"zipf", Order::kZipf}};
  command.add_option("--questions", options.count, "distinct questions; 0 = eight, always the same");
  command.add_option("--order", options.order, "of the questions: turn, uniform or zipf (exponent 0.8)")
      ->transform(CLI::CheckedTransformer(orders, CLI::ignore_case));
  command.add_option("--first", options.first, "turn: the question to begin with; else the seed");
  command.add_option("--temperature", options.temperature, "0: the answers may be kept")->check(CLI::Range(0.0, 2.0));
  command.add_flag("--no-store", options.no_store, "ask that the answers be not kept");
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
  unary_command->add_flag("--streamed", unary.streamed, "by StreamComplete, read to the end");
  unary_command->add_option("--rate", unary.rate, "calls started a second; 0 = one for each that ends")
      ->check(CLI::Range(0.0, 1e5));
  unary_command->add_option("--record", unary.record,
                            "file: start and latency of each call in nanoseconds, a line each");
  AddQuestionOptions(*unary_command, unary.questions);

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
  const pointsman::bench::QuestionOptions& questions = options.questions;
  if (questions.order != pointsman::bench::Order::kTurn && questions.count == 0) {
    std::fputs("pointsman_load: --order needs --questions\n", stderr);
    return 2;
  }
  if (options.connections > options.calls) options.connections = options.calls;
  pointsman::bench::Report report =
      unary_command->parsed() ? pointsman::bench::RunUnary(options) : pointsman::bench::RunStreams(options);
  std::fputs((json ? report.ToJson() : report.ToText()).c_str(), stdout);
  return report.has_errors() ? 1 : 0;
}
