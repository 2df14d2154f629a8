#include "backends/engine/worker/sha256_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace pointsman::engine {
namespace {

TEST(Sha256OfFile, KnowsTheStandardsExample) {
  const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "sha256_abc";
  std::ofstream(file) << "abc";  // FIPS 180-4, example 1
  const Result<std::string> sum = Sha256OfFile(file);
  ASSERT_TRUE(sum);
  EXPECT_EQ(*sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::filesystem::remove(file);
}

TEST(Sha256OfFile, NamesAMissingFile) {
  const Result<std::string> sum = Sha256OfFile("/nowhere/model.gguf");
  ASSERT_FALSE(sum);
  EXPECT_NE(sum.error().message.find("/nowhere/model.gguf"), std::string::npos);
}

}  // namespace
}  // namespace pointsman::engine
