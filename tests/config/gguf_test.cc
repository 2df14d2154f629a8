#include "config/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/gguf_writer.h"
#include "tests/support/temp_dir.h"

namespace pointsman::config {
namespace {

using testing::Bytes;
using testing::GgufString;
using testing::GgufWriter;
using ::testing::HasSubstr;

GgufWriter Model() {
  std::string words = Bytes<std::uint32_t>(8) + Bytes<std::uint64_t>(2) + GgufString("a") + GgufString("bc");
  std::string scores = Bytes<std::uint32_t>(6) + Bytes<std::uint64_t>(3) + std::string(12, 'x');
  return GgufWriter()
      .Text("general.architecture", "llama")
      .Text("general.name", "Small")
      .Metadata("llama.context_length", 4, Bytes<std::uint32_t>(8192))
      .Metadata("tokenizer.tokens", 9, words)
      .Metadata("tokenizer.scores", 9, scores)
      .Metadata("some.flag", 7, std::string(1, '\1'))
      .Text("tokenizer.chat_template", "{{ messages }}")
      .Tensor("token_embd.weight", {64, 10}, 8)
      .Tensor("norm.weight", {64}, 0);
}

class GgufTest : public ::testing::Test {
 protected:
  std::string Flaw(const std::string& content) {
    auto checked = CheckModelFile(dir_.Write("model.gguf", content));
    return checked ? "" : checked.error().message;
  }
  testing::TempDir dir_;
};

TEST_F(GgufTest, ReadsAModel) {
  const std::string content = Model().Write();
  auto info = ReadGguf(dir_.Write("model.gguf", content));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->version, 3u);
  EXPECT_EQ(info->tensors, 2u);
  EXPECT_EQ(info->architecture, "llama");
  EXPECT_EQ(info->name, "Small");
  EXPECT_EQ(info->context_length, 8192u);
  EXPECT_TRUE(info->chat_template);
  EXPECT_EQ(info->bytes_needed, content.size());
  EXPECT_EQ(Flaw(content + "more"), "") << "what follows the tensors is no harm";
  EXPECT_EQ(Flaw(Model().Version(2).Write()), "");
}

TEST_F(GgufTest, SaysWhatIsNoModel) {
  auto missing = CheckModelFile(dir_.path() / "missing.gguf");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, (dir_.path() / "missing.gguf").string() + " does not exist");
  EXPECT_THAT(CheckModelFile(dir_.path()).error().message, HasSubstr("is a folder"));
  EXPECT_THAT(CheckModelFile("/dev/null").error().message, HasSubstr("is not a regular file"));
  EXPECT_THAT(Flaw(""), HasSubstr("is empty"));
  EXPECT_THAT(Flaw("PK\x03\x04 a zip file"), HasSubstr("is not a GGUF file"));
  EXPECT_THAT(Flaw("<html>not found</html>"), HasSubstr("is not a GGUF file"));
  EXPECT_THAT(Flaw("GG"), HasSubstr("is not a GGUF file"));
  EXPECT_THAT(Flaw(Model().Version(1).Write()), HasSubstr("of version 1"));
  EXPECT_THAT(Flaw(Model().Version(0x03000000).Write()), HasSubstr("big-endian"));
  EXPECT_THAT(Flaw(GgufWriter().Text("general.architecture", "llama").Write()), HasSubstr("without weights"));
}

TEST_F(GgufTest, FindsEveryTruncation) {
  const std::string content = Model().Write();
  const std::size_t data = 34 * 20 + 64 * 4;  // at the end: of both tensors
  for (std::size_t size = 4; size < content.size(); size += size < content.size() - data ? 1 : 31) {
    ASSERT_THAT(Flaw(content.substr(0, size)), HasSubstr("is truncated")) << size;
  }
  EXPECT_THAT(
      Flaw(content.substr(0, content.size() - 1)),
      HasSubstr("it has " + std::to_string(content.size() - 1) + " bytes and needs " + std::to_string(content.size())));
}

TEST_F(GgufTest, FindsDamage) {
  EXPECT_THAT(Flaw(GgufWriter().Metadata("a", 77, "").Tensor("w", {32}, 8).Write()), HasSubstr("unknown type 77"));
  EXPECT_THAT(Flaw(GgufWriter().Tensor("w", {33}, 8, 34).Write()), HasSubstr("no whole number of blocks"));
  EXPECT_THAT(Flaw(GgufWriter().Tensor("w", {32}, 4, 34).Write()), HasSubstr("which no engine reads any more"));
  EXPECT_THAT(Flaw(GgufWriter().Tensor("w", {1, 1, 1, 1, 1}, 0).Write()), HasSubstr("5 dimensions"));
  EXPECT_THAT(Flaw(GgufWriter().Tensor("w", {std::uint64_t{1} << 40, std::uint64_t{1} << 40}, 0, 4).Write()),
              HasSubstr("impossible size"));
  EXPECT_THAT(Flaw(GgufWriter().Metadata("general.alignment", 4, Bytes<std::uint32_t>(3)).Tensor("w", {32}, 8).Write()),
              HasSubstr("alignment"));
  EXPECT_THAT(Flaw("GGUF" + Bytes<std::uint32_t>(3) + std::string(16, '\xff')), HasSubstr("impossible counts"));
}

TEST_F(GgufTest, HonoursTheAlignment) {
  auto writer = [] {
    return GgufWriter().Metadata("general.alignment", 4, Bytes<std::uint32_t>(4096)).Tensor("w", {32}, 8);
  };
  EXPECT_EQ(Flaw(writer().Write(4096)), "");
  EXPECT_THAT(Flaw(writer().Write(32)), HasSubstr("is truncated"));
}

TEST_F(GgufTest, BelievesTypesOfTomorrow) { EXPECT_EQ(Flaw(GgufWriter().Tensor("w", {32}, 1000, 34).Write()), ""); }

TEST_F(GgufTest, SurvivesDamageAnywhere) {
  const std::string content = Model().Write();
  constexpr char kBytes[] = {'\xff', '\x7f', '\x01'};
  for (std::size_t at = 8; at < content.size() - 900; ++at) {
    std::string damaged = content;
    damaged[at] = kBytes[at % 3];
    (void)Flaw(damaged);  // any answer, no crash, no endless loop, no memory beyond the file's size
  }
}

}  // namespace
}  // namespace pointsman::config
