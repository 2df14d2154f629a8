#include "router/cli/cache_purge.h"

#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "pointsman/v1/admin.grpc.pb.h"
#include "router/cli/dial.h"

namespace pointsman::cli {
namespace {

constexpr char kExample[] =
    "Examples:\n"
    "  pointsman cache purge --tenant shop\n"
    "  pointsman cache purge --policy prices\n"
    "  pointsman cache purge --tenant shop --request question.json\n"
    "  pointsman cache purge --everything\n"
    "where question.json is a CompleteRequest as JSON: {\"messages\": [{\"role\": \"ROLE_USER\", \"parts\": "
    "[{\"text\": "
    "\"...\"}]}],\n\"sampling\": {\"temperature\": 0}}. One server is enough where they share a Redis "
    "(docs/cache.md).\n";

struct Flags {
  Dial dial;
  std::string tenant, policy, request;
  bool everything = false, json = false;
};

bool ReadRequest(const std::string& file, v1::CompleteRequest& request) {
  std::ifstream in;
  if (file != "-") in.open(file);
  const std::string text = ReadAll(file == "-" ? std::cin : in);
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, &request);
  if (!parsed.ok()) {
    std::cerr << "pointsman cache purge: " << file << ": is no CompleteRequest: " << parsed.ToString() << "\n";
  }
  return parsed.ok();
}

int Run(const Flags& flags) {
  v1::PurgeCacheRequest request;
  request.set_tenant(flags.tenant);
  request.set_policy(flags.policy);
  request.set_everything(flags.everything);
  if (!flags.request.empty() && !ReadRequest(flags.request, *request.mutable_request())) return 1;
  const auto stub = v1::Admin::NewStub(Connect(flags.dial));
  grpc::ClientContext context;
  Prepare(context, flags.dial);
  v1::PurgeCacheResponse response;
  const grpc::Status status = stub->PurgeCache(&context, request, &response);
  if (!status.ok()) return Fail(status, flags.dial);
  for (const std::string& warning : response.warnings()) std::cerr << "warning: " << warning << "\n";
  if (flags.json) {
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.always_print_primitive_fields = true;
    std::string line;
    if (google::protobuf::util::MessageToJsonString(response, &line, options).ok()) std::cout << line << "\n";
    return 0;
  }
  std::cout << "gone: " << response.memory_entries() << " from the server's memory, " << response.redis_entries()
            << " from Redis\n";
  if (!response.redis_left().empty()) {
    std::cout << "not all could be deleted from Redis (" << response.redis_left()
              << "); what is left is given to nobody, and goes with its time to live\n";
  }
  return 0;
}

}  // namespace

void RegisterCachePurge(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("purge", "Make running servers forget answers");
  const auto flags = std::make_shared<Flags>();
  AddDialOptions(*command, flags->dial);
  command->add_option("--tenant", flags->tenant, "Those of this tenant");
  command->add_option("--policy", flags->policy, "Those by this policy; with --tenant: that are both");
  command->add_option("--request", flags->request,
                      "File with a request: the tenant's answer to it; '-' = standard input");
  command->add_flag("--everything", flags->everything, "All, of all tenants");
  command->add_flag("--json", flags->json, "Print JSON");
  command->footer(std::string(kExample) + kKeyNote);
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
