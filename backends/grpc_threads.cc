#include "backends/grpc_threads.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <future>

namespace pointsman::backends {

void KeepGrpcThreads() {
  // Never deleted, on purpose, and kept in a variable that no optimiser drops: the leak checker looks there. Without
  // credentials the channel is one whose calls fail at once; a callback call on it is what makes it a user.
  [[gnu::used]] static grpc::GenericStub* const kept = [] {
    auto* stub = new grpc::GenericStub(grpc::CreateChannel("unused", nullptr));
    grpc::ClientContext context;
    const grpc::Slice nothing;
    grpc::ByteBuffer request(&nothing, 1), response;
    std::promise<void> ended;
    stub->UnaryCall(&context, "/unused", {}, &request, &response, [&](const grpc::Status&) { ended.set_value(); });
    ended.get_future().wait();
    return stub;
  }();
}

}  // namespace pointsman::backends
