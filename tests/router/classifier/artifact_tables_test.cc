#include "router/classifier/artifact_tables.h"

#include <gtest/gtest.h>

#include "router/classifier/wire_fields.h"

namespace pointsman::classifier {
namespace {

v1::Artifact Whole() {
  v1::Artifact artifact;
  artifact.set_version(1);
  artifact.set_seed(7);
  artifact.mutable_classifier()->add_categories("one");
  artifact.mutable_classifier()->set_idf("idf");
  artifact.mutable_classifier()->set_weights(std::string(300, 'w'));
  artifact.mutable_classifier()->set_temperature(2);
  artifact.mutable_embedding()->set_vocabulary("a\n");
  artifact.mutable_embedding()->set_vectors("token vectors");
  artifact.mutable_neighbours()->set_vectors("neighbours");
  artifact.mutable_neighbours()->set_labels("ab");
  artifact.mutable_ensemble()->add_weights(1);
  return artifact;
}

TEST(ArtifactTables, AndTheRestAreTheArtifact) {
  const auto message = std::make_shared<const std::string>(Whole().SerializeAsString());
  const auto split = SplitTables(*message, message);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->tables.idf.bytes(), "idf");
  EXPECT_EQ(split->tables.weights.bytes(), std::string(300, 'w'));
  EXPECT_EQ(split->tables.vectors.bytes(), "token vectors");
  EXPECT_EQ(split->tables.neighbours.bytes(), "neighbours");
  EXPECT_EQ(split->embedding.bytes(), Whole().embedding().SerializeAsString());
  v1::Artifact rest, expected = Whole();
  expected.mutable_classifier()->clear_idf();
  expected.mutable_classifier()->clear_weights();
  expected.mutable_embedding()->clear_vectors();
  expected.mutable_neighbours()->clear_vectors();
  ASSERT_TRUE(rest.ParseFromString(split->rest));
  EXPECT_EQ(rest.SerializeAsString(), expected.SerializeAsString());
}

TEST(ArtifactTables, LieInTheMessageAndKeepItAlive) {
  auto message = std::make_shared<const std::string>(Whole().SerializeAsString());
  const std::string_view all = *message;
  Table weights = SplitTables(*message, message)->tables.weights;
  const std::weak_ptr<const std::string> watched = message;
  message.reset();
  ASSERT_FALSE(watched.expired());
  EXPECT_GE(weights.bytes().data(), all.data());
  EXPECT_LE(weights.bytes().data() + weights.size(), all.data() + all.size());
  EXPECT_EQ(weights.bytes(), std::string(300, 'w'));
  weights = Table();
  EXPECT_TRUE(watched.expired());
}

TEST(ArtifactTables, AreEmptyWhereTheArtifactHasNone) {
  v1::Artifact linear;
  linear.set_version(1);
  linear.mutable_classifier()->set_weights("w");
  const std::string message = linear.SerializeAsString();
  const auto split = SplitTables(message, nullptr);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->tables.weights.bytes(), "w");
  EXPECT_EQ(split->tables.idf.size() + split->tables.vectors.size() + split->tables.neighbours.size(), 0U);
  v1::Artifact rest;
  ASSERT_TRUE(rest.ParseFromString(split->rest));
  EXPECT_TRUE(rest.has_classifier());
  EXPECT_FALSE(rest.has_embedding() || rest.has_neighbours());
}

TEST(ArtifactTables, NoneOfAMessageThatIsNotOne) {
  const std::string good = Whole().SerializeAsString();
  EXPECT_FALSE(SplitTables(good.substr(0, good.size() - 1), nullptr));
  std::string damaged_inside;
  AppendField(v1::Artifact::kEmbeddingFieldNumber, "\x22\x7F",
              damaged_inside);  // vectors of 127 bytes, and none follow
  EXPECT_FALSE(SplitTables(damaged_inside, nullptr));
  EXPECT_FALSE(SplitTables(good + good, nullptr));  // every table twice
  std::string twice = Whole().embedding().SerializeAsString(), artifact;
  AppendField(v1::StaticEmbedding::kVectorsFieldNumber, "", twice);
  AppendField(v1::Artifact::kEmbeddingFieldNumber, twice, artifact);
  EXPECT_FALSE(SplitTables(artifact, nullptr));
}

TEST(ArtifactTables, CopiesDoNotNeedTheArtifact) {
  ArtifactTables tables;
  {
    const v1::Artifact artifact = Whole();
    tables = CopyTables(artifact);
    EXPECT_NE(tables.weights.bytes().data(), artifact.classifier().weights().data());
  }
  EXPECT_EQ(tables.idf.bytes(), "idf");
  EXPECT_EQ(tables.weights.bytes(), std::string(300, 'w'));
  EXPECT_EQ(tables.vectors.bytes(), "token vectors");
  EXPECT_EQ(tables.neighbours.bytes(), "neighbours");
}

}  // namespace
}  // namespace pointsman::classifier
