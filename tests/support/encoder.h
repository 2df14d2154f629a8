// tests/support/encoder.h: the sentence encoder that tests use.
#pragma once

#include <string>

#include "config/config.h"

namespace pointsman::testing {

// POINTSMAN_TEST_ENCODER, else build/models/all-minilm-l6-v2-f16.gguf of the source tree. Fails the test, with the
// mend, when it is missing.
std::string TestEncoder();

// A model "encoder" over TestEncoder().
config::Model EncoderModel();

}  // namespace pointsman::testing
