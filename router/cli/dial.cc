#include "router/cli/dial.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "router/cli/explain.h"

namespace pointsman::cli {

void AddDialOptions(CLI::App& command, Dial& dial) {
  command.add_option("--server,--address", dial.server, "Address of the server")
      ->envname("POINTSMAN_SERVER")
      ->capture_default_str();
  command.add_flag("--tls", dial.tls, "Use TLS");
  command.add_option("--ca", dial.ca, "PEM file of the authority that signed the server's certificate (with --tls)");
  command.add_option("--timeout", dial.timeout_seconds, "Seconds")->capture_default_str();
}

std::shared_ptr<grpc::Channel> Connect(const Dial& dial) {
  constexpr int kMaxMessageBytes = 20 << 20;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (dial.tls) {
    grpc::SslCredentialsOptions tls;
    if (!dial.ca.empty()) {
      std::ifstream file(dial.ca);
      tls.pem_root_certs = ReadAll(file);
    }
    credentials = grpc::SslCredentials(tls);
  }
  return grpc::CreateCustomChannel(dial.server, credentials, arguments);
}

void Prepare(grpc::ClientContext& context, const Dial& dial) {
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(static_cast<std::int64_t>(dial.timeout_seconds * 1000)));
  if (const char* key = std::getenv("POINTSMAN_KEY"))
    context.AddMetadata("authorization", std::string("Bearer ") + key);
}

int Fail(const grpc::Status& status, const Dial& dial) {
  std::cerr << ExplainError(status);
  const bool nobody = status.error_message().find("failed to connect") != std::string::npos;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty() && nobody) {
    std::cerr << "  is a server running on " << dial.server << "? start one with: pointsman serve --config FILE\n";
  }
  return 1;
}

std::string ReadAll(std::istream& in) { return {std::istreambuf_iterator<char>(in), {}}; }

}  // namespace pointsman::cli
