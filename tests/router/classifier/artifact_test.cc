#include "router/classifier/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "router/classifier/classifier.h"
#include "router/classifier/envelope.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace pointsman::classifier {
namespace {

using pointsman::testing::ReadFile;
using pointsman::testing::TempDir;
using ::testing::HasSubstr;

constexpr std::size_t kRows = 3U << 8;

v1::Artifact Tiny() {
  v1::Artifact artifact;
  artifact.set_version(1);
  artifact.set_created_by("test");
  artifact.set_seed(5);
  artifact.mutable_report()->set_rows(9);
  v1::LinearClassifier& model = *artifact.mutable_classifier();
  model.add_categories("left");
  model.add_categories("right");
  model.set_bucket_bits(8);
  model.set_groups(3);
  model.set_max_bytes(100);
  model.set_idf(std::string(kRows, '\x40'));
  model.set_idf_scale(0.01F);
  std::string weights;
  for (std::size_t i = 0; i < 2 * kRows; ++i) weights += static_cast<char>(i * 37);
  model.set_weights(weights);
  for (int c = 0; c < 2; ++c) {
    model.add_scales(0.01F);
    model.add_bias(0);
  }
  model.set_temperature(1);
  model.set_entropy_threshold(0.5);
  return artifact;
}

std::string LoadError(const std::filesystem::path& file) {
  const auto loaded = Classifier::Load(file, std::nullopt);
  return loaded.ok() ? "" : loaded.error().message;
}

class ArtifactTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteArtifact(dir_.path() / "good.pmc", Tiny()).ok());
    good_ = ReadFile(dir_.path() / "good.pmc");
  }
  std::string ErrorOf(std::string_view bytes) {
    const auto file = dir_.Write("bad.pmc", bytes);
    const auto read = ReadArtifact(file);
    EXPECT_EQ(LoadError(file), read.ok() ? "" : read.error().message);  // mapped or read: the same is said
    return LoadError(file);
  }
  static std::string ParseError(std::string_view bytes) {  // the same without a file
    const auto parsed = ParseArtifact(bytes, "bad.pmc");
    return parsed.ok() ? "" : parsed.error().message;
  }
  // Of an artifact whose checksum is right and whose contents are not.
  std::string ErrorAfter(const std::function<void(v1::Artifact&)>& change) {
    v1::Artifact artifact = Tiny();
    change(artifact);
    EXPECT_TRUE(WriteArtifact(dir_.path() / "bad.pmc", artifact).ok());
    return LoadError(dir_.path() / "bad.pmc");
  }

  TempDir dir_;
  std::string good_;
};

TEST_F(ArtifactTest, ReadsWhatWasWritten) {
  const auto read = ReadArtifact(dir_.path() / "good.pmc");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->artifact.SerializeAsString(), Tiny().SerializeAsString());
  EXPECT_THAT(read->checksum, ::testing::MatchesRegex("[0-9a-f]{64}"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path() / ""), {}), 1);  // no draft is left
}

TEST_F(ArtifactTest, MapsWhatWasWritten) {
  auto mapped = MapArtifact(dir_.path() / "good.pmc");
  ASSERT_TRUE(mapped.ok()) << mapped.error().message;
  EXPECT_EQ(mapped->checksum, ReadArtifact(dir_.path() / "good.pmc")->checksum);
  EXPECT_EQ(mapped->tables.weights.size(), 2 * kRows);
  EXPECT_TRUE(mapped->artifact.classifier().weights().empty());  // not copied
  mapped->artifact.mutable_classifier()->set_idf(std::string(mapped->tables.idf.bytes()));
  mapped->artifact.mutable_classifier()->set_weights(std::string(mapped->tables.weights.bytes()));
  EXPECT_EQ(mapped->artifact.SerializeAsString(), Tiny().SerializeAsString());
}

TEST_F(ArtifactTest, TablesOutliveTheArtifactAndItsFile) {
  const auto file = dir_.path() / "good.pmc";
  const Table weights = MapArtifact(file)->tables.weights;
  v1::Artifact other = Tiny();
  other.mutable_classifier()->set_weights(std::string(2 * kRows, '\1'));
  ASSERT_TRUE(WriteArtifact(file, other).ok());
  EXPECT_EQ(weights.bytes(), Tiny().classifier().weights());
  EXPECT_EQ(MapArtifact(file)->tables.weights.bytes(), other.classifier().weights());
  std::filesystem::remove(file);
  EXPECT_EQ(weights.bytes(), Tiny().classifier().weights());
}

TEST_F(ArtifactTest, AMessageThatIsNoArtifactIsNamed) {
  const Envelope envelope = {"PMARTIF1", "classifier artifact", "pointsman train classifier"};
  ASSERT_TRUE(WriteEnvelope(envelope, dir_.path() / "bad.pmc", "\xFF\xFF\xFF").ok());
  EXPECT_THAT(LoadError(dir_.path() / "bad.pmc"), HasSubstr("bad.pmc: not an artifact"));
  EXPECT_EQ(LoadError(dir_.path() / "bad.pmc"), ReadArtifact(dir_.path() / "bad.pmc").error().message);
}

TEST_F(ArtifactTest, MissingFileIsNamed) {
  EXPECT_THAT(LoadError(dir_.path() / "none.pmc"), ::testing::AllOf(HasSubstr("none.pmc"), HasSubstr("No such file")));
  EXPECT_THAT(LoadError(dir_.path() / ""), HasSubstr("classifier artifact"));  // a folder
}

TEST_F(ArtifactTest, OtherFilesAreNotArtifacts) {
  EXPECT_THAT(ErrorOf("GGUF, or anything else that is a file"), HasSubstr("does not begin with PMARTIF1"));
  EXPECT_THAT(ErrorOf("PMA text"), HasSubstr("does not begin with PMARTIF1"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("truncated"));
}

TEST_F(ArtifactTest, OtherVersionsAreNamed) {
  std::string other = good_;
  other[7] = '2';
  EXPECT_THAT(ErrorOf(other), ::testing::AllOf(HasSubstr("PMARTIF2"), HasSubstr("version")));
  EXPECT_THAT(ErrorAfter([](v1::Artifact& artifact) { artifact.set_version(2); }),
              ::testing::AllOf(HasSubstr("bad.pmc"), HasSubstr("version")));
}

TEST_F(ArtifactTest, EveryTruncationIsAnError) {
  std::size_t called_truncated = 0;
  for (std::size_t size = 0; size < good_.size(); ++size) {
    const std::string error = ParseError(std::string_view(good_).substr(0, size));
    ASSERT_THAT(error, HasSubstr("bad.pmc")) << size;
    called_truncated += error.find("truncated") != std::string::npos;
    ASSERT_TRUE(error.find("truncated") != std::string::npos || error.find("checksum") != std::string::npos) << error;
  }
  EXPECT_THAT(ErrorOf(std::string_view(good_).substr(0, good_.size() / 2)), HasSubstr("truncated"));
  EXPECT_GT(called_truncated, good_.size() * 95 / 100);  // the rest ends between two fields: only the checksum tells
}

TEST_F(ArtifactTest, EveryChangedByteIsAnError) {
  for (std::size_t i = 0; i < good_.size(); ++i) {
    std::string damaged = good_;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x41);
    ASSERT_NE(ParseError(damaged), "") << i;
  }
  std::string longer = good_ + "x";
  EXPECT_NE(ErrorOf(longer), "");
  std::string flipped = good_;
  flipped[good_.size() / 2] = static_cast<char>(flipped[good_.size() / 2] + 1);
  EXPECT_THAT(ErrorOf(flipped), HasSubstr("checksum"));
}

TEST_F(ArtifactTest, ImpossibleModelsAreRefused) {
  const auto error = [&](const std::function<void(v1::LinearClassifier&)>& change) {
    return ErrorAfter([&](v1::Artifact& artifact) { change(*artifact.mutable_classifier()); });
  };
  using M = v1::LinearClassifier;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(error([](M&) {}), "");
  EXPECT_THAT(error([](M& m) { m.mutable_categories()->RemoveLast(); }), HasSubstr("1 categories"));
  EXPECT_THAT(error([](M& m) { m.set_categories(1, "left"); }), HasSubstr("distinct"));
  EXPECT_THAT(error([](M& m) { m.set_bucket_bits(40); }), HasSubstr("bucket_bits"));
  EXPECT_THAT(error([](M& m) { m.set_bucket_bits(9); }), HasSubstr("idf table"));
  EXPECT_THAT(error([](M& m) { m.set_groups(2); }), HasSubstr("groups"));
  EXPECT_THAT(error([](M& m) { m.set_max_bytes(1U << 31); }), HasSubstr("max_bytes"));
  EXPECT_THAT(error([](M& m) { m.mutable_weights()->pop_back(); }), HasSubstr("weight table"));
  EXPECT_THAT(error([](M& m) { m.add_bias(1); }), HasSubstr("biases"));
  EXPECT_THAT(error([](M& m) { m.mutable_scales()->RemoveLast(); }), HasSubstr("scales"));
  EXPECT_THAT(error([&](M& m) { m.set_scales(0, nan); }), HasSubstr("finite"));
  EXPECT_THAT(error([](M& m) { m.set_temperature(0); }), HasSubstr("temperature"));
  EXPECT_THAT(error([&](M& m) { m.set_entropy_threshold(nan); }), HasSubstr("threshold"));
  EXPECT_THAT(ErrorAfter([](v1::Artifact& a) { a.clear_classifier(); }), HasSubstr("categories"));
}

TEST_F(ArtifactTest, AFolderThatCannotBeWrittenIsAnError) {
  const auto written = WriteArtifact(dir_.path() / "no/such/folder.pmc", Tiny());
  ASSERT_FALSE(written.ok());
  EXPECT_THAT(written.error().message, HasSubstr("folder.pmc"));
}

}  // namespace
}  // namespace pointsman::classifier
