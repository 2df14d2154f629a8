#include "config/parse.h"

#include <gtest/gtest.h>

namespace pointsman::config {
namespace {

constexpr char kGood[] = R"(engine:
  models:
    small: {file: models/small.gguf}
experts:
  tiny:
    local: {model: small}
policies:
  all: {score: pinned, experts: [tiny]}
)";

TEST(Parse, ReadsTheSmallestFile) {
  Parsed parsed = ParseText(kGood, "/etc/p.yaml");
  ASSERT_TRUE(parsed.ok()) << ToString(parsed.problems);
  EXPECT_EQ(parsed.config->default_policy, "all");
  EXPECT_EQ(parsed.config->engine.models[0].file, "/etc/models/small.gguf");
}

}  // namespace
}  // namespace pointsman::config
