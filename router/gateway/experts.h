// router/gateway/experts.h: the catalogue as clients see it.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <memory>
#include <span>

#include "backends/backend.h"
#include "config/config.h"

namespace pointsman::gateway {

// In the catalogue's order. On the loop that owns `backends`.
void DescribeExperts(const config::Config& config, std::span<const std::unique_ptr<backends::Backend>> backends,
                     google::protobuf::RepeatedPtrField<v1::Expert>& out);

}  // namespace pointsman::gateway
