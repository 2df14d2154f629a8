#include "router/classifier/classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "router/classifier/artifact.h"
#include "router/classifier/features.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::classifier {
namespace {

class ClassifierTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new pointsman::testing::TempDir;
    const auto report = offline::TrainClassifier(pointsman::testing::TopicOptions(dir_->path() / "topics.pmc"));
    ASSERT_TRUE(report.ok()) << report.error().message;
  }
  static void TearDownTestSuite() {
    delete dir_;
    dir_ = nullptr;
  }
  static std::filesystem::path File() { return dir_->path() / "topics.pmc"; }
  static std::shared_ptr<const Classifier> Load(std::optional<double> threshold = std::nullopt) {
    auto loaded = Classifier::Load(File(), threshold);
    EXPECT_TRUE(loaded.ok());
    return *std::move(loaded);
  }

  static pointsman::testing::TempDir* dir_;
};
pointsman::testing::TempDir* ClassifierTest::dir_ = nullptr;

TEST_F(ClassifierTest, TellsTopicsApart) {
  const auto classifier = Load();
  const auto topic = [&](std::string_view text) {
    const policies::Evidence evidence = classifier->Classify(text);
    return evidence.categories[evidence.likeliest];
  };
  EXPECT_EQ(topic("How do I bake bread with this flour?"), "cooking");
  EXPECT_EQ(topic("Is there a planet around that star?"), "astronomy");
  EXPECT_EQ(topic("The anchor of the boat and the wind"), "sailing");
  EXPECT_EQ(topic("Play the melody on the guitar"), "music");
}

TEST_F(ClassifierTest, ProbabilitiesSumToOneAndEntropyIsInRange) {
  const auto classifier = Load();
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string text(random() % 300, ' ');
    for (char& c : text)
      c = static_cast<char>(i % 2 == 0 ? random() : "abcdefghij wind boat star egg 19.,?"[random() % 35]);
    const policies::Evidence evidence = classifier->Classify(text);
    ASSERT_EQ(evidence.probabilities.size(), 4U);
    EXPECT_NEAR(std::accumulate(evidence.probabilities.begin(), evidence.probabilities.end(), 0.0), 1, 1e-5);
    EXPECT_GE(evidence.entropy, 0);
    EXPECT_LE(evidence.entropy, std::log(4.0));
    EXPECT_EQ(evidence.uncertain, evidence.entropy > evidence.entropy_threshold);
    for (const float p : evidence.probabilities) EXPECT_LE(p, evidence.probabilities[evidence.likeliest]);
  }
}

TEST_F(ClassifierTest, ATextWithoutFeaturesIsUniform) {
  for (const std::string_view text : {"", "  \n\t "}) {
    const policies::Evidence evidence = Load()->Classify(text);
    for (const float p : evidence.probabilities) EXPECT_FLOAT_EQ(p, 0.25F);
    EXPECT_NEAR(evidence.entropy, std::log(4.0), 1e-6);
    EXPECT_EQ(evidence.likeliest, 0U);
  }
}

TEST_F(ClassifierTest, UnknownWordsAreLessCertainThanKnownOnes) {
  const auto classifier = Load();
  EXPECT_GT(classifier->Classify("zzyq qqxv wvvk zkkj vqqz").entropy,
            classifier->Classify("boil an egg in salt").entropy + 0.3);
}

TEST_F(ClassifierTest, SaysHowMuchItRead) {
  const auto classifier = Load();
  const std::string text = "The wind and the boat. " + std::string(50000, 'z') + " Reef the mainsail.";
  const policies::Evidence evidence = classifier->Classify(text);
  EXPECT_EQ(evidence.bytes_total, text.size());
  EXPECT_EQ(evidence.bytes_read, 2048U);
  EXPECT_EQ(classifier->Classify("short").bytes_read, 5U);
}

TEST_F(ClassifierTest, TheMiddleOfALongTextDoesNotMatter) {
  const auto classifier = Load();
  const std::string head(1024, 'a'), tail(1024, 'b');
  EXPECT_EQ(classifier->Classify(head + " star planet " + tail).probabilities,
            classifier->Classify(head + std::string(9999, '?') + tail).probabilities);
}

TEST_F(ClassifierTest, TheThresholdCanBeReplaced) {
  EXPECT_FALSE(Load(10.0)->Classify("zzyq").uncertain);
  EXPECT_TRUE(Load(0.0)->Classify("boil an egg").uncertain);
  EXPECT_FALSE(Classifier::Load(File(), -1.0).ok());
  EXPECT_FALSE(Classifier::Load(File(), std::nan("")).ok());
}

// The served integers against the formula of linear.h, computed from the artifact in double precision.
TEST_F(ClassifierTest, ServesWhatTheArtifactSays) {
  const auto read = ReadArtifact(File());
  ASSERT_TRUE(read.ok());
  const v1::LinearClassifier& model = read->artifact.classifier();
  const auto classifier = Load();
  for (const std::string text : {"Fry an egg", "wind", "a star in the galaxy 12 times!", "Größe", "x y z"}) {
    std::vector<double> logit(4);
    double n = 0;
    StreamFeatures(text, model.max_bytes(), [&](const Feature& feature) {
      ++n;
      const std::size_t row = feature.Row(model.bucket_bits());
      for (int c = 0; c < 4; ++c) {
        logit[c] += static_cast<std::uint8_t>(model.idf()[row]) * model.idf_scale() *
                    static_cast<std::int8_t>(model.weights()[row * 4 + c]) * model.scales(c);
      }
    });
    double total = 0;
    for (int c = 0; c < 4; ++c)
      total += logit[c] = std::exp((logit[c] / std::sqrt(n) + model.bias(c)) / model.temperature());
    const policies::Evidence evidence = classifier->Classify(text);
    for (int c = 0; c < 4; ++c) EXPECT_NEAR(evidence.probabilities[c], logit[c] / total, 1e-5) << text;
  }
}

// The shares of all features of a category and its bias make up the logit, up to what all categories have in common.
TEST_F(ClassifierTest, ExplanationAddsUp) {
  const auto read = ReadArtifact(File());
  ASSERT_TRUE(read.ok());
  const v1::LinearClassifier& model = read->artifact.classifier();
  const auto classifier = Load();
  const std::string text = "Fry the egg in butter while the wind blows";
  const policies::Evidence evidence = classifier->Classify(text);
  std::vector<double> centred;
  for (std::size_t c = 0; c < 4; ++c) {
    double sum = model.bias(static_cast<int>(c)) / model.temperature();
    for (const auto& [feature, share] : classifier->Explain(text, c, 100000)) sum += share;
    centred.push_back(sum);
  }
  for (std::size_t c = 1; c < 4; ++c) {
    EXPECT_NEAR(centred[c] - centred[0], std::log(evidence.probabilities[c] / evidence.probabilities[0]), 1e-3);
  }
}

TEST_F(ClassifierTest, ExplainsWithWordsOfTheTextStrongestFirst) {
  const auto shares = Load()->Explain("Tie the rope to the anchor", 3, 5);
  ASSERT_EQ(Load()->categories()[3], "sailing");
  ASSERT_EQ(shares.size(), 5U);
  bool says_anchor = false;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    EXPECT_LE(shares[i].second, shares[i == 0 ? 0 : i - 1].second);
    says_anchor |=
        shares[i].first.find("anch") != std::string::npos || shares[i].first.find("rope") != std::string::npos;
  }
  EXPECT_TRUE(says_anchor);
  EXPECT_TRUE(Load()->Explain("anything", 4, 5).empty());
}

TEST_F(ClassifierTest, ManyCategoriesAreServedAlike) {  // more than one block of lanes
  const v1::LinearClassifier model = ReadArtifact(File())->artifact.classifier();
  const std::size_t rows = model.idf().size();
  const std::size_t count = 70;
  std::string weights(rows * count, '\0');
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c < 4; ++c) weights[row * count + c * 20] = model.weights()[row * 4 + c];
  }
  v1::LinearClassifier wide = model;
  wide.clear_categories();
  wide.clear_scales();
  wide.clear_bias();
  for (std::size_t c = 0; c < count; ++c) {
    wide.add_categories(std::to_string(c));
    wide.add_scales(c % 20 == 0 ? model.scales(static_cast<int>(c / 20)) : 1);
    wide.add_bias(c % 20 == 0 ? model.bias(static_cast<int>(c / 20)) : -1000);
  }
  wide.set_weights(weights);
  ASSERT_EQ(Flaw(wide), "");
  v1::Artifact artifact;
  artifact.set_version(1);
  *artifact.mutable_classifier() = wide;
  ASSERT_TRUE(WriteArtifact(dir_->path() / "wide.pmc", artifact).ok());
  const auto loaded = Classifier::Load(dir_->path() / "wide.pmc", std::nullopt);
  ASSERT_TRUE(loaded.ok());
  const auto narrow = Load()->Classify("Tie the rope to the anchor of the boat").probabilities;
  const auto served = (*loaded)->Classify("Tie the rope to the anchor of the boat").probabilities;
  for (std::size_t c = 0; c < 4; ++c) EXPECT_NEAR(served[c * 20], narrow[c], 1e-5);
}

TEST(ShippedClassifier, LoadsAndRoutesPlainPrompts) {
  const auto file = std::filesystem::path(POINTSMAN_SOURCE_DIR) / "models/classifier.pmc";
  const auto loaded = Classifier::Load(file, std::nullopt);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const Classifier& classifier = **loaded;
  EXPECT_EQ(std::count(classifier.categories().begin(), classifier.categories().end(), "general"), 0);
  const auto category = [&](std::string_view text) {
    const policies::Evidence evidence = classifier.Classify(text);
    return evidence.uncertain ? "general" : evidence.categories[evidence.likeliest];
  };
  EXPECT_EQ(category("Write a Python function that reverses a list"), "coding");
  EXPECT_EQ(category("What is the derivative of x^2 sin(x)?"), "math");
  EXPECT_EQ(category("Solve 3x + 5 = 20"), "math");
  EXPECT_EQ(category("Write a poem about the sea"), "writing");
  EXPECT_EQ(category("thanks!"), "general");
  EXPECT_EQ(category("hi, how are you?"), "chat");
  EXPECT_EQ(category("xqzzt vrrk 88 lopf"), "general");
}

}  // namespace
}  // namespace pointsman::classifier
