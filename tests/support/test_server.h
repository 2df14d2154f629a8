// tests/support/test_server.h: a real server on free ports in this process, and a client for it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "google/rpc/status.pb.h"
#include "pointsman/v1/admin.grpc.pb.h"
#include "pointsman/v1/pointsman.grpc.pb.h"
#include "router/gateway/server.h"

namespace pointsman::testing_support {

// Fails the test (and throws) when the configuration is wrong or the server does not start.
class TestServer {
 public:
  // `yaml` is a configuration without `server:`; relative paths start from the source tree.
  explicit TestServer(const std::string& yaml, unsigned shards = 2, const std::string& listen = "127.0.0.1:0");
  ~TestServer();

  gateway::Server& server() { return *server_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  v1::Pointsman::Stub& stub() { return *stub_; }
  v1::Admin::Stub& admin() { return *admin_; }

 private:
  std::unique_ptr<gateway::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Pointsman::Stub> stub_;
  std::unique_ptr<v1::Admin::Stub> admin_;
};

// A question of the user's.
v1::CompleteRequest Question(const std::string& text);

// A streamed answer, read to its end.
struct Streamed {
  grpc::Status status;
  std::vector<v1::CompleteEvent> events;
  std::string text;  // of all deltas

  bool done() const { return !events.empty() && events.back().has_done(); }
  const v1::Trace& trace() const { return events.back().done().trace(); }
};
Streamed Stream(v1::Pointsman::Stub& stub, const v1::CompleteRequest& request,
                const std::function<void(grpc::ClientContext&)>& prepare = {});

// The first detail of type T in a status; nothing when there is none.
template <class T>
std::optional<T> Detail(const grpc::Status& status) {
  google::rpc::Status rich;
  if (!rich.ParseFromString(status.error_details())) return std::nullopt;
  for (const google::protobuf::Any& any : rich.details()) {
    T detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

// Waits until `condition` holds; gives up, and returns false, after a time that only a broken program needs.
bool Eventually(const std::function<bool()>& condition);

// Open file descriptors of this process.
std::size_t OpenFiles();

// The program under test (environment POINTSMAN_BINARY, else next to the tests), and a model for it
// (POINTSMAN_TEST_MODEL, else the one that scripts/bootstrap made).
std::string Program();
std::string Model();

}  // namespace pointsman::testing_support
