// router/gateway/validate.h: is the request well-formed? Ranges are those that chat.proto and pointsman.proto state.
#pragma once

#include <vector>

#include "pointsman/v1/pointsman.pb.h"
#include "router/gateway/status.h"

namespace pointsman::gateway {

// Everything that is wrong, up to 20 places; empty = well-formed. Any thread.
std::vector<FieldViolation> Validate(const v1::CompleteRequest& request);

}  // namespace pointsman::gateway
