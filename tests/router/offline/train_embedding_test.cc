// From texts to an artifact that classifiers take, with a teacher of the test's own whose geometry is known: a text's
// vector is the sum of its words', and a common offset.
#include "router/offline/train_embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <random>
#include <sstream>

#include "router/classifier/ensemble.h"
#include "router/offline/fit_classifier.h"
#include "tests/support/encoder_head.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kWords = 40, kSize = 24, kTexts = 1500;

std::vector<double> WordVector(std::size_t word) {
  std::mt19937 random(static_cast<unsigned>(word) + 100);
  std::normal_distribution<double> normal;
  std::vector<double> vector(kSize);
  for (std::size_t i = 0; i < 12; ++i) vector[i] = normal(random);  // the other half has no variance
  return vector;
}

// Words are "w" and a letter or two: "wa", "wb", ... "wan" (a piece "wa" and a piece "##n").
std::string Word(std::size_t word) {
  return "w" + std::string(1, static_cast<char>('a' + word % 26)) + (word < 26 ? "" : "n");
}

std::vector<float> Teach(std::string_view text) {
  std::vector<double> sum(kSize);
  std::istringstream in{std::string(text)};
  for (std::string word; in >> word;) {
    const std::size_t number = static_cast<std::size_t>(word[1] - 'a') + (word.size() > 2 ? 26 : 0);
    const std::vector<double> vector = WordVector(number);
    for (std::size_t i = 0; i < kSize; ++i) sum[i] += vector[i];
  }
  sum[kSize - 1] += 20;
  return testing_support::Unit(sum);
}

class TrainEmbeddingTest : public ::testing::Test {
 protected:
  TrainEmbeddingTest() {
    std::mt19937 random(1);
    std::string rows;
    for (std::size_t i = 0; i < kTexts; ++i) {
      std::string text = "w" + std::string(1, static_cast<char>('a' + i % 26));
      for (std::size_t n = 3 + random() % 8; n > 0; --n) text += " " + Word(random() % kWords);
      rows += R"({"body": ")" + text + R"("})" + "\n";
    }
    options_.texts = {{dir_.Write("texts.jsonl", rows), "body"}};
    options_.embed_pieces = [](const std::function<void(double)>&) {
      EmbeddedPieces result;
      for (std::size_t word = 0; word < 26; ++word) {
        result.pieces.push_back(Word(word));
        result.vectors.push_back(Teach(Word(word)));
      }
      result.pieces.insert(result.pieces.end(), {"##n", "", "[PAD]"});
      for (int i = 0; i < 3; ++i) result.vectors.push_back(Teach(""));
      return Result<EmbeddedPieces>(std::move(result));
    };
    options_.embed_texts = [this](std::span<const std::string_view> texts, const std::function<void(double)>&) {
      EmbeddedTexts result;
      result.encoder = "test-teacher";
      for (const std::string_view text : texts) {
        longest_ = std::max(longest_, text.size());
        result.vectors.push_back(Teach(text));
      }
      return Result<EmbeddedTexts>(std::move(result));
    };
    options_.dimensions = 16;
    options_.learning_rate = 0.03F;
    options_.licence = "MIT";
    options_.out = dir_.path() / "tokens.pmc";
  }

  std::string ErrorOf(const std::function<void(TrainEmbeddingOptions&)>& change) {
    TrainEmbeddingOptions wrong = options_;
    change(wrong);
    const auto report = TrainEmbedding(wrong);
    return report ? "" : report.error().message;
  }

  pointsman::testing::TempDir dir_;
  std::size_t longest_ = 0;
  TrainEmbeddingOptions options_;
};

TEST_F(TrainEmbeddingTest, TheVectorsPointWhereTheTeachersDo) {
  const auto report = TrainEmbedding(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->texts + report->held_out + report->duplicates, kTexts);
  EXPECT_GT(report->held_out, 5U);
  EXPECT_NEAR(report->kept, 1, 1e-3);
  EXPECT_GT(report->cosine, 0.95);
  EXPECT_GT(report->pairs, 20U);
  EXPECT_EQ(report->pieces, 29U);
  EXPECT_EQ(report->bytes, std::filesystem::file_size(options_.out));

  const auto embedding = ReadEmbedding(options_.out);
  ASSERT_TRUE(embedding.ok()) << embedding.error().message;
  EXPECT_EQ((*embedding)->teacher().name(), "test-teacher");
  EXPECT_EQ((*embedding)->teacher().licence(), "MIT");
  EXPECT_EQ((*embedding)->teacher().rows(), report->texts);
  // Texts that nobody has seen: angles between them are as the teacher's, once its offset is gone.
  const classifier::StaticEmbedding reader(**embedding);
  const auto cosine = [](const std::vector<float>& a, const std::vector<float>& b) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size() - (a.size() == kSize); ++i)
      ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
    return ab / std::sqrt(aa * bb);
  };
  const char* const texts[] = {"wa wb wc wd we wf", "wan wbn wcn wk", "wx wy wz wx wmn", "wq wj wj wgn wv"};
  for (const char* one : texts) {
    for (const char* two : texts) {
      std::vector<float> a(16), b(16);
      ASSERT_TRUE(classifier::EmbedText(reader, one, 2048, a));
      ASSERT_TRUE(classifier::EmbedText(reader, two, 2048, b));
      EXPECT_NEAR(cosine(a, b), cosine(Teach(one), Teach(two)), 0.35) << one << " / " << two;
    }
  }
}

TEST_F(TrainEmbeddingTest, PairsKnowWhatPiecesAloneCannot) {
  const auto with = TrainEmbedding(options_);
  options_.pairs = 0;
  const auto without = TrainEmbedding(options_);
  ASSERT_TRUE(with.ok() && without.ok());
  EXPECT_EQ(without->pairs, 0U);
  EXPECT_LT(without->cosine, with->cosine - 0.02);
  options_.pairs = 10;
  EXPECT_EQ(TrainEmbedding(options_)->pairs, 10U);
}

TEST_F(TrainEmbeddingTest, TrainingIsWorthIt) {
  const auto trained = TrainEmbedding(options_);
  options_.epochs = 1;
  options_.learning_rate = 1e-9F;
  const auto start = TrainEmbedding(options_);
  ASSERT_TRUE(trained.ok() && start.ok());
  EXPECT_GT(start->cosine, 0.3);  // the encoder's own vectors of the pieces, not nothing
  EXPECT_GT(trained->cosine, start->cosine + 0.05);
}

TEST_F(TrainEmbeddingTest, EqualInputGivesEqualBytesAndTheSeedCounts) {
  ASSERT_TRUE(TrainEmbedding(options_).ok());
  const std::string first = pointsman::testing::ReadFile(options_.out);
  ASSERT_TRUE(TrainEmbedding(options_).ok());
  EXPECT_EQ(pointsman::testing::ReadFile(options_.out), first);
  options_.seed = 2;
  ASSERT_TRUE(TrainEmbedding(options_).ok());
  EXPECT_NE(pointsman::testing::ReadFile(options_.out), first);
}

TEST_F(TrainEmbeddingTest, FilesHaveTheirOwnFieldsAndATextCountsOnce) {
  options_.texts.push_back({dir_.Write("more.jsonl",
                                       "{\"prompt\": \"wa wb\", \"from\": \"x\"}\n{\"prompt\": \"wa wb\"}\n"
                                       "{\"prompt\": \"wa wc\", \"from\": \"y\"}\n"),
                            "prompt"});
  options_.texts.push_back({dir_.Write("again.jsonl", "{\"text\": \"wa wb\"}\n{\"text\": 1}\n")});
  options_.source_field = "from";
  options_.drop_sources = {"y"};
  EXPECT_THAT(ErrorOf([](auto&) {}), HasSubstr("again.jsonl:2"));
  const auto alone = TrainEmbedding([&] {
    TrainEmbeddingOptions first = options_;
    first.texts.resize(1);
    return first;
  }());
  options_.skip_bad = true;
  const auto report = TrainEmbedding(options_);
  ASSERT_TRUE(alone.ok() && report.ok()) << report.error().message;
  EXPECT_EQ(report->texts + report->held_out, alone->texts + alone->held_out + 1);
  EXPECT_EQ(report->duplicates, alone->duplicates + 2);
  EXPECT_EQ(report->dropped, 1U);
  EXPECT_EQ(report->bad, 1U);
}

TEST_F(TrainEmbeddingTest, ReadsTheBeginningOfLongTexts) {
  std::string text;
  while (text.size() < 3000) text += "wa w\xC3\xA4 ";
  options_.texts.push_back({dir_.Write("long.jsonl", R"({"text": ")" + text + "\"}\n")});
  options_.embed_texts = [this](std::span<const std::string_view> texts, const std::function<void(double)>&) {
    EmbeddedTexts result;
    for (const std::string_view one : texts) {
      longest_ = std::max(longest_, one.size());
      EXPECT_NE(one.back(), '\xC3');  // no character is cut in two
      result.vectors.push_back(Teach("wa"));
      result.vectors.back()[0] += static_cast<float>(result.vectors.size() % 7);
    }
    return Result<EmbeddedTexts>(std::move(result));
  };
  ASSERT_TRUE(TrainEmbedding(options_).ok());
  EXPECT_GT(longest_, 1000U);
  EXPECT_LE(longest_, 1024U);
}

TEST_F(TrainEmbeddingTest, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf([](auto& o) { o.texts.clear(); }), HasSubstr("--texts"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.dimensions = 12; }), HasSubstr("multiple of 8"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.dimensions = 520; }), HasSubstr("--dimensions"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.dimensions = 32; }), HasSubstr("encoder's vectors have: 24"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.epochs = 0; }), HasSubstr("--epochs"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.learning_rate = 0; }), HasSubstr("--learning-rate"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.pairs = 2'000'000; }), HasSubstr("--pairs"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.out.clear(); }), HasSubstr("--out"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.out = "/no/such/folder/t.pmc"; }), HasSubstr("/no/such/folder/t.pmc"));
  EXPECT_THAT(ErrorOf([](auto& o) { o.texts[0].field = "prompt"; }), HasSubstr("texts.jsonl:1: no field \"prompt\""));
  EXPECT_THAT(ErrorOf([&](auto& o) { o.texts = {{dir_.Write("none.jsonl", "\n")}}; }), HasSubstr("0 distinct texts"));
  EXPECT_THAT(ErrorOf([&](auto& o) { o.texts = {{dir_.Write("one.jsonl", "{\"text\": \"wa wb\"}\n")}}; }),
              HasSubstr("too few for 16 dimensions"));
  EXPECT_THAT(ErrorOf([](auto& o) {
                o.embed_pieces = [](const auto&) { return Result<EmbeddedPieces>(Unavailable("no such encoder")); };
              }),
              HasSubstr("no such encoder"));
  EXPECT_THAT(ErrorOf([](auto& o) {
                o.embed_texts = [](auto texts, const auto&) {
                  EmbeddedTexts one_size_less;
                  one_size_less.vectors.assign(texts.size(), std::vector<float>(kSize - 1, 1.0F));
                  return Result<EmbeddedTexts>(std::move(one_size_less));
                };
              }),
              HasSubstr("not all of one size"));
}

TEST_F(TrainEmbeddingTest, TheReportIsTextAndJson) {
  const auto report = TrainEmbedding(options_);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(ReportText(*report),
              ::testing::AllOf(HasSubstr("test-teacher"), HasSubstr("held-out"), HasSubstr("sha256")));
  const auto json = boost::json::parse(ReportJson(*report));
  EXPECT_EQ(json.at("texts").to_number<std::size_t>(), report->texts);
  EXPECT_NEAR(json.at("held_out_cosine").as_double(), report->cosine, 1e-9);
  EXPECT_EQ(json.at("artifact").at("sha256").as_string(), report->checksum);
}

}  // namespace
}  // namespace pointsman::offline
