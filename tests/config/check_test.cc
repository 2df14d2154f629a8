#include "config/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/checksum.h"
#include "tests/config/gguf_writer.h"
#include "tests/config/support.h"
#include "tests/support/temp_dir.h"

namespace pointsman::config {
namespace {

using ::testing::HasSubstr;

std::string Checked(const std::filesystem::path& file, std::string_view text) {
  ParseOptions options;
  Parsed parsed = ParseText(text, file, options);
  EXPECT_TRUE(parsed.ok()) << ToString(parsed.problems);
  return parsed.ok() ? ToString(Check(*parsed.config)) : "";
}

TEST(Check, FindsNothingWrongWithWhatIsThere) {
  testing::TempDir dir;
  dir.Write("small.gguf", testing::GgufWriter().Tensor("w", {32, 4}, 8).Write());
  dir.Write("c.pmc", "PMARTIF1");
  dir.Write("tls/a.crt", "-----BEGIN CERTIFICATE-----\n");
  dir.Write("tls/a.key", "-----BEGIN PRIVATE KEY-----\n");
  EXPECT_EQ(Checked(dir.path() / "p.yaml",
                    kBase + "classifier: {artifact: c.pmc}\nserver: {tls: {certificate: tls/a.crt, key: tls/a.key}}\n"),
            "");
}

TEST(Check, NamesEveryFileThatIsMissingAtItsPlace) {
  testing::TempDir dir;
  dir.Write("a.key", "no key at all");
  const std::string file = (dir.path() / "p.yaml").string(), folder = dir.path().string();
  EXPECT_EQ(Checked(file, kBase + "classifier: {artifact: c.pmc}\nserver: {tls: {certificate: a.crt, key: a.key}}\n"),
            file + ":1:33: engine.models.small.file: " + folder + "/small.gguf does not exist\n" + file +
                ":4:24: classifier.artifact: " + folder + "/c.pmc does not exist\n" + file +
                ":5:29: server.tls.certificate: " + folder + "/a.crt does not exist\n" + file +
                ":5:41: server.tls.key: " + folder + "/a.key has no line with PRIVATE KEY (it must be a PEM file)\n");
}

TEST(Check, ComparesChecksums) {
  testing::TempDir dir;
  const std::string model = testing::GgufWriter().Tensor("w", {32, 4}, 8).Write();
  dir.Write("small.gguf", model);
  auto checked = [&](const std::string& sum) {
    return Checked(dir.path() / "p.yaml", "engine: {models: {small: {file: small.gguf, context: 4096, sha256: " + sum +
                                              "}}}\n" + kExperts + kPolicies);
  };
  EXPECT_EQ(checked(Sha256Hex(model)), "");
  EXPECT_THAT(checked(std::string(64, '0')), HasSubstr("has the SHA-256 sum " + Sha256Hex(model)));
}

TEST(Checksum, IsSha256) {
  testing::TempDir dir;
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string large((3 << 20) + 5, 'x');
  EXPECT_EQ(*Sha256OfFile(dir.Write("large", large)), Sha256Hex(large));
  EXPECT_EQ(*Sha256OfFile(dir.Write("exact", std::string(1 << 20, 'x'))), Sha256Hex(std::string(1 << 20, 'x')));
  EXPECT_FALSE(Sha256OfFile(dir.path() / "missing"));
  EXPECT_FALSE(Sha256OfFile(dir.path()));
}

}  // namespace
}  // namespace pointsman::config
