// router/cli/dial.h: how the commands that talk to a running server reach it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <istream>
#include <memory>
#include <string>

namespace pointsman::cli {

struct Dial {
  std::string server = "127.0.0.1:50051", ca;
  double timeout_seconds = 600;
  bool tls = false;
};

// --server, --tls, --ca, --timeout.
void AddDialOptions(CLI::App& command, Dial& dial);

std::shared_ptr<grpc::Channel> Connect(const Dial& dial);

// The deadline, and the key of the environment variable POINTSMAN_KEY.
void Prepare(grpc::ClientContext& context, const Dial& dial);

// Says on standard error why a call failed; the exit code.
int Fail(const grpc::Status& status, const Dial& dial);

std::string ReadAll(std::istream& in);

inline constexpr char kKeyNote[] =
    "\nThe key, where the server wants one, is read from the environment variable POINTSMAN_KEY.";

}  // namespace pointsman::cli
