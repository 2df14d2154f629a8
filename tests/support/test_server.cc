#include "tests/support/test_server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "config/parse.h"

namespace pointsman::testing_support {
namespace {

constexpr std::chrono::seconds kLimit{60};
constexpr std::chrono::milliseconds kPoll{2};

}  // namespace

TestServer::TestServer(const std::string& yaml, unsigned shards, const std::string& listen) {
  auto parsed = config::ParseText(yaml, std::filesystem::path(POINTSMAN_SOURCE_DIR) / "test.yaml");
  if (!parsed.ok()) throw std::runtime_error(config::ToString(parsed.problems));
  gateway::ServerOptions options;
  options.listen = listen;
  options.metrics = "127.0.0.1:0";
  options.shards = shards;
  options.program = Program();
  auto started = gateway::Server::Start(parsed.config, options);
  if (!started) throw std::runtime_error(started.error().message);
  server_ = *std::move(started);
  if (auto serving = server_->WaitUntilServing(kLimit); !serving) throw std::runtime_error(serving.error().message);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of this server's own
  channel_ = grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
  // On a busy machine a first attempt may fail, and calls with it until the channel tries again.
  if (!channel_->WaitForConnected(std::chrono::system_clock::now() + kLimit)) {
    throw std::runtime_error("the server at " + address() + " takes no connection");
  }
  stub_ = v1::Pointsman::NewStub(channel_);
  admin_ = v1::Admin::NewStub(channel_);
}

TestServer::~TestServer() { server_->Shutdown(std::chrono::milliseconds(0)); }

v1::CompleteRequest Question(const std::string& text) {
  v1::CompleteRequest request;
  v1::Message* message = request.add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(text);
  return request;
}

Streamed Stream(v1::Pointsman::Stub& stub, const v1::CompleteRequest& request,
                const std::function<void(grpc::ClientContext&)>& prepare) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 2 * kLimit);
  if (prepare) prepare(context);
  Streamed result;
  auto reader = stub.StreamComplete(&context, request);
  v1::CompleteEvent event;
  while (reader->Read(&event)) {
    result.text += event.delta().text();
    result.events.push_back(event);
  }
  result.status = reader->Finish();
  return result;
}

bool Eventually(const std::function<bool()>& condition) {
  auto end = std::chrono::steady_clock::now() + kLimit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::size_t OpenFiles() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::string Program() {
  if (const char* program = std::getenv("POINTSMAN_BINARY")) return program;
  return POINTSMAN_PROGRAM;
}

std::string Model() {
  if (const char* model = std::getenv("POINTSMAN_TEST_MODEL")) return model;
  return std::string(POINTSMAN_SOURCE_DIR) + "/build/models/smollm2-135m-instruct-q8_0.gguf";
}

}  // namespace pointsman::testing_support
