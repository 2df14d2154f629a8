// tests/support/health.h: the standard services as any client sees them.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

namespace pointsman::testing_support {

inline constexpr int kServing = 1, kNotServing = 2;

// grpc.health.v1.Health/Check of a service: the status, or -1 when the call failed.
int Health(const std::shared_ptr<grpc::Channel>& channel, const std::string& service);

// The services that reflection lists.
std::vector<std::string> ReflectedServices(const std::shared_ptr<grpc::Channel>& channel);

}  // namespace pointsman::testing_support
