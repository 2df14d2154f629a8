// tests/support/encoder_head.h: a small encoder head, and vectors for it.
#pragma once

#include <vector>

#include "pointsman/v1/encoder.pb.h"

namespace pointsman::testing_support {

// `values` at length 1.
std::vector<float> Unit(const std::vector<double>& values);

// Categories a, b, c; 8 dimensions; 6 neighbours of which 2 vote; quantile i % of the margins is i / 100; the encoder
// is "small-encoder". It has no flaw.
v1::EncoderHead SmallHead();

}  // namespace pointsman::testing_support
