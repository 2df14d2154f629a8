#include "router/offline/add_rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/classifier/artifact.h"
#include "tests/support/embedding.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kDimensions = 16;

// 60 rows of four topics.
class AddRowsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const pointsman::testing::TempDir dir;
    TrainOptions options = pointsman::testing::TopicOptions(dir.path() / "a.pmc");
    options.fit.embedding = pointsman::testing::TopicEmbedding();
    const auto report = TrainClassifier(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    artifact_ = classifier::ReadArtifact(options.out)->artifact;
  }

  v1::Artifact Add(const std::vector<Example>& rows, const std::vector<std::string>& names) const {
    v1::Artifact artifact = artifact_;
    AddRows(rows, names, RehearseFor(rows, artifact_), artifact);
    EXPECT_EQ(classifier::Flaw(artifact), "");
    return artifact;
  }

  v1::Artifact artifact_;
};

TEST_F(AddRowsTest, ASmallCategorysRowsHaveMoreVotes) {
  const v1::Artifact artifact = Add({{"the planet", 4}, {"the moon", 4}, {"an egg", 5}}, {"few", "one"});
  const v1::Neighbours& neighbours = artifact.neighbours();
  ASSERT_EQ(neighbours.votes_size(), 6);
  for (int c = 0; c < 4; ++c) EXPECT_EQ(neighbours.votes(c), 1);
  EXPECT_NEAR(neighbours.votes(4), std::sqrt(15.0 / 2), 1e-5);
  EXPECT_NEAR(neighbours.votes(5), std::sqrt(15.0), 1e-5);
}

TEST_F(AddRowsTest, ALargeCategorysRowsDoNot) { EXPECT_EQ(Add({{"the planet", 1}}, {}).neighbours().votes(1), 1); }

TEST_F(AddRowsTest, MeansMoveByTheShareOfTheNewRows) {
  const v1::Artifact added = Add({{"an egg", 4}}, {"one"});
  ASSERT_EQ(added.ensemble().means_size(), 5 * static_cast<int>(kDimensions));
  // The same row joins a category of 15: a sixteenth of the way to it.
  const v1::Artifact joined = Add({{"an egg", 0}}, {});
  for (int d = 0; d < static_cast<int>(kDimensions); ++d) {
    const float row = added.ensemble().means(4 * static_cast<int>(kDimensions) + d),
                old = artifact_.ensemble().means(d);
    EXPECT_NEAR(joined.ensemble().means(d), old + (row - old) / 16, 1e-4);
    EXPECT_EQ(joined.ensemble().means(static_cast<int>(kDimensions) + d),
              artifact_.ensemble().means(static_cast<int>(kDimensions) + d));
  }
}

TEST_F(AddRowsTest, NothingAddedChangesNothing) {
  EXPECT_EQ(Add({}, {}).SerializeAsString(), artifact_.SerializeAsString());
}

}  // namespace
}  // namespace pointsman::offline
