#include "router/offline/rehearsal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "router/classifier/artifact.h"
#include "router/classifier/ensemble.h"
#include "router/classifier/static_embedding.h"
#include "tests/support/embedding.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::offline {
namespace {

class RehearsalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TrainOptions options = pointsman::testing::TopicOptions(dir_.path() / "a.pmc");
    options.fit.embedding = pointsman::testing::TopicEmbedding();
    const auto report = TrainClassifier(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    artifact_ = classifier::ReadArtifact(options.out)->artifact;
  }

  // Of a stored row.
  std::vector<float> VectorOf(std::size_t row) const {
    const v1::Neighbours& n = artifact_.neighbours();
    std::vector<float> vector;
    for (std::size_t d = 0; d < n.dimensions(); ++d) {
      vector.push_back(static_cast<float>(static_cast<std::int8_t>(n.vectors()[row * n.dimensions() + d])) *
                       n.scales(static_cast<int>(row)));
    }
    return vector;
  }

  pointsman::testing::TempDir dir_;
  v1::Artifact artifact_;
};

TEST_F(RehearsalTest, TextsPointWhereTheirRowsDo) {
  const std::vector<RehearsalText> texts = Rehearse(artifact_, VectorOf(0), 3, 60, 1);
  ASSERT_EQ(texts.size(), 60U);
  const classifier::StaticEmbedding embedding(artifact_.embedding());
  double cosines = 0;
  for (const RehearsalText& text : texts) {
    std::vector<float> vector(embedding.dimensions());
    ASSERT_TRUE(classifier::EmbedText(embedding, text.text, 2048, vector)) << text.text;
    const std::vector<float> stored = VectorOf(text.neighbour);
    cosines += std::inner_product(vector.begin(), vector.end(), stored.begin(), 0.0F) / 60;
    EXPECT_EQ(text.category, static_cast<std::uint8_t>(artifact_.neighbours().labels()[text.neighbour]));
  }
  EXPECT_GT(cosines, 0.8);  // random vectors of 16 values: 0
}

TEST_F(RehearsalTest, TheNearestRowsStandForThemselvesAndTheOthersForTheRest) {
  const std::vector<RehearsalText> texts = Rehearse(artifact_, VectorOf(7), 3, 20, 1);
  ASSERT_EQ(texts.size(), 20U);
  EXPECT_EQ(texts[0].neighbour, 7U);
  double weight = 0;
  std::set<std::uint32_t> distinct;
  for (const RehearsalText& text : texts) {
    weight += text.weight;
    distinct.insert(text.neighbour);
  }
  EXPECT_NEAR(weight, 60, 1e-9);
  EXPECT_EQ(distinct.size(), 20U);
  EXPECT_EQ(texts[0].weight, 1);
  EXPECT_EQ(texts[19].weight, 5);
}

TEST_F(RehearsalTest, EqualSeedsGiveEqualTexts) {
  const auto texts = [&](std::uint64_t seed) {
    std::string all;
    for (const RehearsalText& text : Rehearse(artifact_, VectorOf(0), 3, 20, seed)) all += text.text + "\n";
    return all;
  };
  EXPECT_EQ(texts(1), texts(1));
  EXPECT_NE(texts(1), texts(2));
}

}  // namespace
}  // namespace pointsman::offline
