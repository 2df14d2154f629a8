#include "router/classifier/ensemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "router/classifier/artifact.h"
#include "router/offline/train_classifier.h"
#include "tests/support/embedding.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::classifier {
namespace {

using ::testing::HasSubstr;

class EnsembleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    offline::TrainOptions options = pointsman::testing::TopicOptions(dir_.path() / "a.pmc");
    options.fit.embedding = pointsman::testing::TopicEmbedding();
    const auto report = offline::TrainClassifier(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    auto loaded = Classifier::Load(options.out, std::nullopt);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    classifier_ = *std::move(loaded);
    artifact_ = ReadArtifact(options.out)->artifact;
  }

  pointsman::testing::TempDir dir_;
  std::shared_ptr<const Classifier> classifier_;
  v1::Artifact artifact_;
};

TEST_F(EnsembleTest, ProbabilitiesAreTheWeighedViews) {
  const std::string text = "How do I bake bread with a wet rope?";
  const std::size_t count = classifier_->categories().size();
  const policies::Evidence linear = LinearModel(artifact_.classifier(), "", std::nullopt).Classify(text);
  const StaticEmbedding embedding(artifact_.embedding());
  std::vector<float> vector(embedding.dimensions());
  ASSERT_TRUE(EmbedText(embedding, text, artifact_.classifier().max_bytes(), vector));
  EXPECT_NEAR(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0F), 1, 1e-4);
  const Neighbours neighbours(artifact_.neighbours(), count);
  std::vector<float> shares(neighbours.views() * count);
  neighbours.LogShares(vector, shares);
  std::vector<double> p(count);
  for (std::size_t c = 0; c < count; ++c) {
    p[c] = artifact_.ensemble().weights(0) * std::log(linear.probabilities[c]);
    for (std::size_t v = 0; v < neighbours.views(); ++v) {
      p[c] += artifact_.ensemble().weights(static_cast<int>(v) + 1) * shares[v * count + c];
    }
    p[c] = std::exp(p[c]);
  }
  const double total = std::accumulate(p.begin(), p.end(), 0.0);
  const policies::Evidence evidence = classifier_->Classify(text);
  for (std::size_t c = 0; c < count; ++c) EXPECT_NEAR(evidence.probabilities[c], p[c] / total, 1e-4);
}

TEST_F(EnsembleTest, AMappedFileServesTheSameBitsAsTheArtifactInMemory) {
  const EnsembleModel in_memory(artifact_, "", std::nullopt);
  std::filesystem::remove(dir_.path() / "a.pmc");  // what was loaded does not need its name
  for (const std::string text :
       {"", "How do I bake bread with a wet rope?", "Which planet has the largest moon?", "zzyzx 12!", "\xFF\xFE",
        "Tie the anchor to the boat, then look at the stars through a telescope, and play a sonata in a minor key. "
        "Boil the egg for six minutes in salted water."}) {
    const policies::Evidence mapped = classifier_->Classify(text), memory = in_memory.Classify(text);
    EXPECT_EQ(mapped.probabilities, memory.probabilities) << text;
    EXPECT_EQ(mapped.entropy, memory.entropy);
    EXPECT_EQ(mapped.novelty, memory.novelty);
    EXPECT_EQ(mapped.contradiction, memory.contradiction);
    EXPECT_EQ(classifier_->Explain(text, 1, 9), in_memory.Explain(text, 1, 9));
  }
}

TEST_F(EnsembleTest, ATextOfNothingKnownIsForeignAndSoUncertain) {
  for (const char* text : {"", "0x1190 !!", "\xFF\xFE"}) {
    const policies::Evidence evidence = classifier_->Classify(text);
    EXPECT_GT(evidence.novelty, evidence.novelty_threshold) << text;
    EXPECT_TRUE(evidence.foreign && evidence.uncertain) << text;
    EXPECT_NEAR(std::accumulate(evidence.probabilities.begin(), evidence.probabilities.end(), 0.0F), 1, 1e-4);
  }
  EXPECT_FALSE(classifier_->Classify("How long do I boil an egg until the yolk is soft?").foreign);
}

TEST_F(EnsembleTest, FlawsOfEachPartAreNamed) {
  const auto flaw = [&](auto change) {
    v1::Artifact artifact = artifact_;
    change(artifact);
    return Flaw(artifact);
  };
  EXPECT_EQ(flaw([](v1::Artifact&) {}), "");
  EXPECT_THAT(flaw([](v1::Artifact& a) { a.clear_neighbours(); }), HasSubstr("a part of the ensemble"));
  EXPECT_THAT(flaw([](v1::Artifact& a) { a.mutable_embedding()->set_dimensions(24); }), HasSubstr("token vectors"));
  EXPECT_THAT(flaw([](v1::Artifact& a) { a.mutable_embedding()->set_pairs(0, ~0ULL); }), HasSubstr("a pair"));
  EXPECT_THAT(flaw([](v1::Artifact& a) { a.mutable_ensemble()->set_weights(0, -1); }), HasSubstr("weight"));
  EXPECT_THAT(flaw([](v1::Artifact& a) { a.mutable_ensemble()->add_weights(1); }), HasSubstr("weight for each view"));
  EXPECT_THAT(flaw([](v1::Artifact& a) { a.mutable_ensemble()->mutable_means()->RemoveLast(); }), HasSubstr("means"));
  EXPECT_THAT(flaw([](v1::Artifact& a) { a.mutable_ensemble()->set_novelty_distance(NAN); }), HasSubstr("novelty"));
}

}  // namespace
}  // namespace pointsman::classifier
