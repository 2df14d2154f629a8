#include "router/cli/ask.h"

#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "pointsman/v1/pointsman.grpc.pb.h"
#include "router/cli/dial.h"
#include "router/cli/explain.h"

namespace pointsman::cli {
namespace {

struct Options {
  Dial dial;
  std::string question, system, policy, expert, schema_file, request_id;
  std::vector<std::string> deny, require, stop, images;
  std::optional<double> temperature, max_cost;
  std::optional<unsigned> max_tokens, max_latency_ms;
  std::optional<std::uint64_t> seed;
  bool explain = false, json = false, whole = false, no_cache = false;
};

void AddOptions(CLI::App& command, Options& o) {
  command.add_option("question", o.question, "The question; '-' reads it from standard input")->required();
  AddDialOptions(command, o.dial);
  command.add_option("--system", o.system, "System message, instead of the expert's own");
  command.add_option("--image", o.images, "URL of an image to send along; may be repeated");
  command.add_option("--policy", o.policy, "Policy that decides");
  command.add_option("--expert", o.expert, "Expert that answers, whatever the policy");
  command.add_option("--deny", o.deny, "Experts that must not answer");
  command.add_option("--require", o.require, "Only these experts may answer");
  command.add_option("--max-tokens", o.max_tokens, "Tokens to generate at most")->check(CLI::PositiveNumber);
  command.add_option("--temperature", o.temperature, "0 to 2; 0 = greedy")->check(CLI::Range(0.0, 2.0));
  command.add_option("--seed", o.seed, "Seed of the sampler");
  command.add_option("--stop", o.stop, "The answer ends before this text; may be repeated");
  command.add_option("--json-schema", o.schema_file, "File with a JSON schema that the answer must keep to")
      ->check(CLI::ExistingFile);
  command.add_option("--max-cost", o.max_cost, "US dollars that the request may cost");
  command.add_option("--max-latency", o.max_latency_ms, "Milliseconds to the first token that an expert may take");
  command.add_option("--request-id", o.request_id, "Name of the request in logs and traces");
  command.add_flag("--no-cache", o.no_cache, "Neither use nor fill the response cache");
  command.add_flag("--json", o.json, "Print JSON, one event a line");
}

v1::CompleteRequest ToRequest(const Options& o) {
  v1::CompleteRequest request;
  if (!o.system.empty()) {
    v1::Message* system = request.add_messages();
    system->set_role(v1::ROLE_SYSTEM);
    system->add_parts()->set_text(o.system);
  }
  v1::Message* user = request.add_messages();
  user->set_role(v1::ROLE_USER);
  user->add_parts()->set_text(o.question == "-" ? ReadAll(std::cin) : o.question);
  for (const std::string& url : o.images) user->add_parts()->mutable_image()->set_url(url);
  v1::Sampling& sampling = *request.mutable_sampling();
  if (o.temperature) sampling.set_temperature(*o.temperature);
  if (o.max_tokens) sampling.set_max_tokens(*o.max_tokens);
  if (o.seed) sampling.set_seed(*o.seed);
  for (const std::string& stop : o.stop) sampling.add_stop(stop);
  if (!o.schema_file.empty()) {
    std::ifstream file(o.schema_file);
    request.mutable_response_format()->set_json_schema(ReadAll(file));
  }
  v1::Routing& routing = *request.mutable_routing();
  routing.set_policy(o.policy);
  routing.set_expert(o.expert);
  for (const std::string& name : o.deny) routing.add_deny(name);
  for (const std::string& name : o.require) routing.add_require(name);
  if (o.max_cost) routing.set_max_cost_usd(*o.max_cost);
  if (o.max_latency_ms) routing.set_max_latency_ms(*o.max_latency_ms);
  if (o.no_cache) {
    routing.mutable_cache()->set_no_cache(true);
    routing.mutable_cache()->set_no_store(true);
  }
  routing.set_explain(o.explain);
  return request;
}

void Prepare(grpc::ClientContext& context, const Options& o) {
  Prepare(context, o.dial);
  if (!o.request_id.empty()) context.AddMetadata("x-request-id", o.request_id);
}

void PrintJson(const google::protobuf::Message& message) {
  std::string line;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (google::protobuf::util::MessageToJsonString(message, &line, options).ok()) std::cout << line << std::endl;
}

int AskWhole(const Options& o) {
  auto stub = v1::Pointsman::NewStub(Connect(o.dial));
  grpc::ClientContext context;
  Prepare(context, o);
  v1::CompleteResponse response;
  grpc::Status status = stub->Complete(&context, ToRequest(o), &response);
  if (!status.ok()) return Fail(status, o.dial);
  if (o.json) {
    PrintJson(response);
    return 0;
  }
  for (const v1::Part& part : response.message().parts()) std::cout << part.text();
  std::cout << std::endl;
  if (o.explain) std::cerr << "\n" << Explain(response.trace());
  return 0;
}

int AskStreaming(const Options& o) {
  auto stub = v1::Pointsman::NewStub(Connect(o.dial));
  grpc::ClientContext context;
  Prepare(context, o);
  auto reader = stub->StreamComplete(&context, ToRequest(o));
  v1::CompleteEvent event;
  v1::Trace trace;
  bool done = false;
  while (reader->Read(&event)) {
    if (event.has_done()) {
      done = true;
      trace = event.done().trace();
    }
    if (o.json) {
      PrintJson(event);
    } else if (event.has_delta()) {
      std::cout << event.delta().text() << std::flush;
    } else if (event.has_tool_call()) {
      std::cout << event.tool_call().name() << "(" << event.tool_call().arguments() << ")" << std::endl;
    }
  }
  grpc::Status status = reader->Finish();
  if (!o.json) std::cout << std::endl;
  if (!status.ok()) return Fail(status, o.dial);
  if (!done) {
    std::cerr << "the stream ended without its last event: the answer is not complete\n";
    return 1;
  }
  if (o.explain && !o.json) std::cerr << "\n" << Explain(trace);
  return 0;
}

int Route(const Options& o) {
  auto stub = v1::Pointsman::NewStub(Connect(o.dial));
  grpc::ClientContext context;
  Prepare(context, o);
  v1::RouteRequest request;
  *request.mutable_request() = ToRequest(o);
  v1::RouteResponse response;
  grpc::Status status = stub->Route(&context, request, &response);
  if (!status.ok()) return Fail(status, o.dial);
  if (o.json) {
    PrintJson(response);
  } else {
    std::cout << Explain(response.trace());
  }
  return 0;
}

}  // namespace

void RegisterAsk(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("ask", "Ask a running server a question and stream the answer");
  AddOptions(*command, *options);
  command->add_flag("--explain", options->explain, "Then print, to standard error, why this expert answered");
  command->add_flag("--no-stream", options->whole, "Wait for the whole answer");
  command->footer(std::string("Example:\n  pointsman ask \"What is the capital of France?\" --explain\n") + kKeyNote);
  command->callback(
      [options, &exit_code] { exit_code = options->whole ? AskWhole(*options) : AskStreaming(*options); });
}

void RegisterRoute(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("route", "Print what a running server would do with a question; nothing is run");
  AddOptions(*command, *options);
  options->explain = true;
  command->footer(std::string("Example:\n  pointsman route \"Integrate x^2 from 0 to 1\"\n") + kKeyNote);
  command->callback([options, &exit_code] { exit_code = Route(*options); });
}

}  // namespace pointsman::cli
