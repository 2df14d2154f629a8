#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace pointsman {
namespace {

struct MappedFileTest : ::testing::Test {
  testing::TempDir dir;
  std::error_code code;
};

TEST_F(MappedFileTest, ShowsTheBytesOfTheFile) {
  const std::string content = std::string("a\0b", 3) + std::string(10'000, 'x') + "end";
  const auto mapped = MappedFile::Open(dir.Write("file", content), code);
  ASSERT_TRUE(mapped) << code.message();
  EXPECT_FALSE(code);
  EXPECT_EQ(mapped->bytes(), content);
}

TEST_F(MappedFileTest, AnEmptyFileHasNoBytes) {
  const auto mapped = MappedFile::Open(dir.Write("empty", ""), code);
  ASSERT_TRUE(mapped) << code.message();
  EXPECT_EQ(mapped->bytes(), "");
}

TEST_F(MappedFileTest, GoesOnShowingAFileThatWasReplacedOrRemoved) {
  const auto file = dir.Write("file", "the old bytes");
  const auto mapped = MappedFile::Open(file, code);
  ASSERT_TRUE(mapped);
  std::filesystem::rename(dir.Write("draft", "new"), file);
  EXPECT_EQ(mapped->bytes(), "the old bytes");
  EXPECT_EQ(MappedFile::Open(file, code)->bytes(), "new");
  std::filesystem::remove(file);
  EXPECT_EQ(mapped->bytes(), "the old bytes");
}

TEST_F(MappedFileTest, SaysWhyThereIsNothingToMap) {
  EXPECT_FALSE(MappedFile::Open(dir.path() / "none", code));
  EXPECT_EQ(code, std::errc::no_such_file_or_directory);
  EXPECT_FALSE(MappedFile::Open(dir.path(), code));
  EXPECT_EQ(code, std::errc::is_a_directory);
  EXPECT_FALSE(MappedFile::Open("/dev/null", code));
  EXPECT_EQ(code, std::errc::not_supported);
  EXPECT_TRUE(MappedFile::Open(dir.Write("file", "x"), code));
  EXPECT_FALSE(code);  // not the one of before
}

}  // namespace
}  // namespace pointsman
