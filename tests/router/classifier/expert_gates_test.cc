#include "router/classifier/expert_gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <fstream>
#include <thread>

#include "router/classifier/gate_file.h"
#include "router/offline/random.h"
#include "router/offline/rows.h"
#include "tests/support/embedding.h"
#include "tests/support/gates.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman::classifier {
namespace {

using pointsman::testing::RandomGate;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kDimensions = 16;  // of TopicEmbedding()

std::shared_ptr<const StaticEmbedding> Tokens() {
  return std::make_shared<const StaticEmbedding>(*pointsman::testing::TopicEmbedding());
}

// Texts of known words, unknown ones and none.
std::string RandomText(offline::SplitMix& random) {
  static constexpr std::array kWords = {
      "planet", "butter", "rope", "chord", "moon", "egg", "Xyzzy", "12", "?!", "wet", "\xC3\xA9t\xC3\xA9", "the"};
  std::string text;
  for (std::uint64_t words = random.Below(30); words > 0; --words) {
    text += kWords[random.Below(kWords.size())];
    text += " ";
  }
  return text;
}

// 10,000 cases: a text, a form and a set of gates to which others are added, in front, between and behind.
TEST(ExpertGates, AddingAndRemovingOthersLeavesAGatesLogitsBitForBit) {
  offline::SplitMix random(1);
  const auto tokens = Tokens();
  std::vector<v1::ExpertGate> gates;
  for (std::uint64_t e = 0; e < 40; ++e) {
    gates.push_back(RandomGate("e" + std::to_string(e), kDimensions, 1 + random.Below(60), e + 1));
  }
  std::size_t cases = 0;
  for (int round = 0; round < 6; ++round) {
    for (const GateForm form : kGateForms) {
      std::vector<std::size_t> kept;  // in a random order
      for (std::size_t e = 0; e < gates.size(); ++e) {
        if (random.Below(3) == 0)
          kept.insert(kept.begin() + static_cast<std::ptrdiff_t>(random.Below(kept.size() + 1)), e);
      }
      if (kept.empty()) kept.push_back(0);
      std::vector<v1::ExpertGate> few;
      for (const std::size_t e : kept) few.push_back(gates[e]);
      const ExpertGates all(gates, tokens, form), some(few, tokens, form);
      ASSERT_EQ(some.size(), kept.size());
      std::vector<float> of_all(gates.size()), of_some(kept.size());
      for (int i = 0; i < 240; ++i, ++cases) {
        const std::string text = RandomText(random);
        all.Logits(text, of_all);
        some.Logits(text, of_some);
        for (std::size_t k = 0; k < kept.size(); ++k) {
          ASSERT_EQ(std::bit_cast<std::uint32_t>(of_some[k]), std::bit_cast<std::uint32_t>(of_all[kept[k]]))
              << Name(form) << " of gate " << kept[k] << ": " << text;
        }
      }
    }
  }
  EXPECT_GE(cases, 10'000U);
}

TEST(ExpertGates, EveryThreadGetsTheSameBits) {
  const auto tokens = Tokens();
  std::vector<v1::ExpertGate> gates;
  for (std::uint64_t e = 0; e < 3; ++e) gates.push_back(RandomGate("e", kDimensions, 30, e + 1));
  const ExpertGates served(gates, tokens, GateForm::kEnsemble);
  std::vector<float> here(3), there(3);
  served.Logits("Which planet has the largest moon?", here);
  std::thread([&] { served.Logits("Which planet has the largest moon?", there); }).join();
  EXPECT_EQ(here, there);
}

TEST(ExpertGates, EachFormHasOneName) {
  for (const GateForm form : kGateForms) EXPECT_EQ(GateFormOf(Name(form)), form);
  EXPECT_EQ(GateFormOf("kEnsemble"), std::nullopt);
  EXPECT_EQ(GateFormOf(""), std::nullopt);
}

class GateFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    tokens_ = pointsman::testing::WriteTopicEmbedding(dir_);
    for (const char* topic : {"astronomy", "cooking", "music", "sailing"}) {
      const auto report = offline::TrainGate(pointsman::testing::TopicGateOptions(dir_, topic));
      ASSERT_TRUE(report) << report.error().message;
      files_.push_back({topic, report->out});
    }
  }
  static std::string ErrorOf(const std::vector<GateFile>& files, const std::filesystem::path& tokens) {
    const auto loaded = ExpertGates::Load(files, tokens, GateForm::kEnsemble);
    return loaded ? "" : loaded.error().message;
  }

  pointsman::testing::TempDir dir_;
  std::filesystem::path tokens_;
  std::vector<GateFile> files_;
};

TEST_F(GateFilesTest, TheOwnGateWantsItsPromptsMost) {
  offline::RowOptions options;
  options.files = {pointsman::testing::TopicRows()};
  options.label_field = "topic";
  const auto rows = offline::ReadRows(options, {});
  ASSERT_TRUE(rows) << rows.error().message;
  for (const GateForm form : kGateForms) {
    const auto gates = ExpertGates::Load(files_, tokens_, form);
    ASSERT_TRUE(gates) << gates.error().message;
    std::size_t right = 0;
    std::vector<float> logits((*gates)->size());
    for (const offline::Row& row : rows->rows) {
      (*gates)->Logits(row.text, logits);
      const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      right += files_[static_cast<std::size_t>(best)].expert == rows->labels[row.label] ? 1 : 0;
    }
    // 60 rows that the gates have seen; by chance 15 are right, with a deviation of 3.4. The test's token vectors are
    // hashes, so one vector for a topic says little; a row's own vector and its words say it all.
    const bool one_vector =
        form == GateForm::kLogistic || form == GateForm::kPhatgoose || form == GateForm::kAverageActivation;
    EXPECT_GE(right, one_vector ? 26U : 55U) << Name(form);
  }
}

TEST_F(GateFilesTest, RefusesAnotherExpertsGate) {
  EXPECT_THAT(ErrorOf({{"painting", files_[0].file}}, tokens_),
              AllOf(HasSubstr(files_[0].file.string()), HasSubstr("\"astronomy\""), HasSubstr("--expert painting")));
}

TEST_F(GateFilesTest, RefusesAGateOfOtherTokenVectors) {
  const auto shipped = pointsman::testing::SourceFile("models/classifier.pmc");
  EXPECT_THAT(ErrorOf(files_, shipped), AllOf(HasSubstr(files_[0].file.string()), HasSubstr("other token vectors"),
                                              HasSubstr("--embedding " + shipped.string())));
}

TEST_F(GateFilesTest, RefusesWhatIsMissingCutOrDamaged) {
  EXPECT_THAT(ErrorOf({{"x", dir_.path() / "none.pmg"}}, tokens_),
              AllOf(HasSubstr("none.pmg"), HasSubstr("pointsman train gate")));
  EXPECT_THAT(ErrorOf(files_, dir_.path() / "none.pmc"), HasSubstr("none.pmc"));
  const std::string bytes = pointsman::testing::ReadFile(files_[0].file);
  const auto cut = dir_.Write("cut.pmg", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(ErrorOf({{"astronomy", cut}}, tokens_), AllOf(HasSubstr("cut.pmg"), HasSubstr("truncated")));
  std::string damaged = bytes;
  damaged[damaged.size() / 2] ^= 1;
  const auto file = dir_.Write("damaged.pmg", damaged);
  EXPECT_THAT(ErrorOf({{"astronomy", file}}, tokens_), AllOf(HasSubstr("damaged.pmg"), HasSubstr("checksum")));
  EXPECT_THAT(ErrorOf({}, tokens_), HasSubstr("no gate is named"));
}

TEST_F(GateFilesTest, RefusesAnotherVersionAndImpossibleNumbers) {
  auto gate = ReadGate(files_[0].file);
  ASSERT_TRUE(gate);
  const auto error = [&](auto change) {
    v1::ExpertGate changed = *gate;
    change(changed);
    const auto file = dir_.path() / "changed.pmg";
    EXPECT_TRUE(WriteGate(file, changed));
    const auto read = ReadGate(file);
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(error([](v1::ExpertGate&) {}), "");
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.set_version(2); }), HasSubstr("another version"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.clear_expert(); }), HasSubstr("no expert"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.set_dimensions(12); }), HasSubstr("12 dimensions"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.clear_embedding(); }), HasSubstr("token vectors"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.add_phatgoose(1); }), HasSubstr("wrong size"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.set_logistic(0, 1.0F / 0.0F); }), HasSubstr("not finite"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.mutable_ngrams()->mutable_weights()->pop_back(); }),
              HasSubstr("n-gram table"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.mutable_ngrams()->set_bias(0.0F / 0.0F); }), HasSubstr("finite"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.clear_examples(); }), HasSubstr("0 examples"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.mutable_examples()->mutable_vectors()->pop_back(); }),
              HasSubstr("examples' vectors"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.mutable_examples()->add_cluster_begin(1); }), HasSubstr("clusters"));
  EXPECT_THAT(error([](v1::ExpertGate& g) { g.mutable_examples()->set_probes(0); }), HasSubstr("probes"));
}

}  // namespace
}  // namespace pointsman::classifier
