#include "tests/support/encoder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace pointsman::testing {

std::string TestEncoder() {
  const char* set = std::getenv("POINTSMAN_TEST_ENCODER");
  std::string path = set != nullptr ? set : POINTSMAN_SOURCE_DIR "/build/models/all-minilm-l6-v2-f16.gguf";
  if (!std::filesystem::exists(path)) {
    ADD_FAILURE() << "the test encoder is missing: " << path
                  << "\nscripts/bootstrap --encoder makes it; or set POINTSMAN_TEST_ENCODER";
  }
  return path;
}

config::Model EncoderModel() {
  config::Model model;
  model.SetKind(config::ModelKind::kEncoder);
  model.name = "encoder";
  model.file = TestEncoder();
  model.threads = 1;  // more of them crawl when something else wants the cores
  return model;
}

}  // namespace pointsman::testing
