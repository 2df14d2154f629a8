#include "router/classifier/envelope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace pointsman::classifier {
namespace {

using ::testing::HasSubstr;

constexpr Envelope kEnvelope = {"PMTESTS1", "test artifact", "pointsman make test"};

struct EnvelopeTest : ::testing::Test {
  pointsman::testing::TempDir dir;
  std::filesystem::path file = dir.path() / "a.pmt";

  std::string ErrorOf(const std::string& bytes) {
    dir.Write("a.pmt", bytes);
    const auto read = ReadEnvelope(kEnvelope, file);
    const auto mapped = MapEnvelope(kEnvelope, file);
    const std::string error = read ? "" : read.error().message;
    EXPECT_EQ(mapped ? "" : mapped.error().message, error);
    return error;
  }
};

TEST_F(EnvelopeTest, GivesBackWhatWasPutIn) {
  const auto written = WriteEnvelope(kEnvelope, file, "the message");
  ASSERT_TRUE(written) << written.error().message;
  const auto read = ReadEnvelope(kEnvelope, file);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->message, "the message");
  EXPECT_EQ(read->checksum, *written);
  EXPECT_EQ(written->size(), 64U);
}

TEST_F(EnvelopeTest, AMappedMessageIsThatOfTheFileUntilItIsReplaced) {
  const auto written = WriteEnvelope(kEnvelope, file, "the message");
  ASSERT_TRUE(written) << written.error().message;
  const auto mapped = MapEnvelope(kEnvelope, file);
  ASSERT_TRUE(mapped) << mapped.error().message;
  ASSERT_TRUE(WriteEnvelope(kEnvelope, file, "another"));
  EXPECT_EQ(mapped->message, "the message");
  EXPECT_EQ(mapped->checksum, *written);
  EXPECT_EQ(MapEnvelope(kEnvelope, file)->message, "another");
}

TEST_F(EnvelopeTest, SaysOfEveryBadFileWhatItIs) {
  ASSERT_TRUE(WriteEnvelope(kEnvelope, file, "the message"));
  const std::string good = pointsman::testing::ReadFile(file);
  EXPECT_EQ(ErrorOf(good), "");
  EXPECT_THAT(ErrorOf(""), HasSubstr("a.pmt: truncated: it is empty"));
  EXPECT_THAT(ErrorOf("PMARTIF1" + good.substr(8)), HasSubstr("does not begin with PMTESTS1"));
  EXPECT_THAT(ErrorOf("PMTESTS2" + good.substr(8)), HasSubstr("another version"));
  EXPECT_THAT(ErrorOf(good.substr(0, 20)), HasSubstr("truncated: it has 20 bytes"));
  EXPECT_THAT(ErrorOf(good.substr(0, good.size() - 1)), HasSubstr("cut or damaged"));
  std::string damaged = good;
  damaged.back() ^= 1;
  EXPECT_THAT(ErrorOf(damaged), HasSubstr("cut or damaged"));
  const auto missing = ReadEnvelope(kEnvelope, dir.path() / "none");
  EXPECT_THAT(missing.error().message, HasSubstr("pointsman make test"));
  EXPECT_EQ(MapEnvelope(kEnvelope, dir.path() / "none").error().message, missing.error().message);
  EXPECT_THAT(MapEnvelope(kEnvelope, dir.path()).error().message, HasSubstr("Is a directory"));
  EXPECT_FALSE(WriteEnvelope(kEnvelope, dir.path() / "no folder" / "x", "m").ok());
}

}  // namespace
}  // namespace pointsman::classifier
