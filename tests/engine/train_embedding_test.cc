// `pointsman train embedding` with the real encoder: its vocabulary, its vectors, threads, and the command itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <numeric>

#include "backends/engine/llama/encode_texts.h"
#include "router/classifier/ensemble.h"
#include "router/cli/train.h"
#include "router/offline/fit_classifier.h"
#include "tests/support/command.h"
#include "tests/support/encoder.h"
#include "tests/support/temp_dir.h"
#include "tests/support/topics.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEST(EncodeTexts, TheNumberOfThreadsChangesNoValueAndTheOrderIsKept) {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back("Question " + std::to_string(i * i) + std::string(i % 90, 'y') + "?");
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  double last = 0;
  const auto one = engine::EncodeTexts(testing::TestEncoder(), views, 1, [&](double share) { last = share; });
  const auto three = engine::EncodeTexts(testing::TestEncoder(), views, 3, nullptr);
  ASSERT_TRUE(one.ok() && three.ok());
  EXPECT_EQ(one->model, "all-MiniLM-L6-v2");
  EXPECT_EQ(last, 1);
  EXPECT_EQ(one->vectors, three->vectors);
  const auto alone = engine::EncodeTexts(testing::TestEncoder(), std::span(views).subspan(222, 1), 1, nullptr);
  ASSERT_TRUE(alone.ok());
  EXPECT_GT(Dot(alone->vectors[0], one->vectors[222]), 0.999);
}

TEST(EncodeTexts, SaysWhichFileIsNoEncoder) {
  const testing::TempDir dir;
  const auto file = dir.Write("not.gguf", "GGUF");
  const auto encoded = engine::EncodeTexts(file, {}, 2, nullptr);
  ASSERT_FALSE(encoded.ok());
  EXPECT_THAT(encoded.error().message, HasSubstr("not.gguf"));
}

using Outcome = testing::CommandOutcome;

Outcome Train(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"train", "embedding", "--encoder", testing::TestEncoder()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return testing::CallCommand({cli::RegisterTrain}, std::move(arguments));
}

TEST(TrainEmbeddingCommand, MakesVectorsThatAClassifierTakes) {
  const testing::TempDir dir;
  const auto more = dir.Write("more.jsonl", "{\"prompt\": \"What is the capital of France?\"}\n");
  const auto out = dir.path() / "tokens.pmc";
  const Outcome outcome =
      Train({"--texts", testing::TopicRows(), "--text", "text", "--texts", more, "--text", "prompt", "--dimensions",
             "32", "--licence", "Apache-2.0", "--threads", "2", "--json", "--out", out});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto report = boost::json::parse(outcome.out);
  EXPECT_EQ(report.at("encoder").as_string(), "all-MiniLM-L6-v2");
  EXPECT_GT(report.at("texts").as_int64(), 50);
  const auto embedding = offline::ReadEmbedding(out);
  ASSERT_TRUE(embedding.ok()) << embedding.error().message;
  const classifier::StaticEmbedding reader(**embedding);
  // Words that no text has: the encoder's vectors of the pieces know them.
  const auto embed = [&](const char* text) {
    std::vector<float> vector(32);
    EXPECT_TRUE(classifier::EmbedText(reader, text, 2048, vector));
    return vector;
  };
  const auto violin = embed("violin sonata"), piano = embed("piano concerto"), dough = embed("knead the dough");
  EXPECT_GT(Dot(violin, piano), Dot(violin, dough) + 0.2);
  // The pieces are BERT's.
  const std::vector<std::string> pieces = classifier::Vocabulary((*embedding)->vocabulary());
  ASSERT_EQ(pieces.size(), 30522U);
  EXPECT_EQ(pieces[0], "[PAD]");
  EXPECT_EQ(pieces[101], "[CLS]");
  EXPECT_EQ(pieces[1996], "the");
  EXPECT_EQ(pieces[2015], "##s");
}

TEST(TrainEmbeddingCommand, RefusesWhatDoesNotFit) {
  const testing::TempDir dir;
  const auto out = dir.path() / "tokens.pmc";
  const std::string rows = testing::TopicRows();
  Outcome outcome = Train({"--texts", rows, "--text", "a", "--text", "b", "--out", out});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("--text is given 2 times for 1 --texts"));
  outcome = Train({"--texts", rows, "--dimensions", "12", "--out", out});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("train embedding: --dimensions"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace pointsman
