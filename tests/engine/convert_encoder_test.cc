// The converter: a tiny encoder made here, tensor by tensor; the real one, by what its tokenizer gives.
#include "backends/engine/llama/convert_encoder.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstring>
#include <functional>
#include <random>

#include "backends/engine/llama/encoder.h"
#include "config/gguf.h"
#include "tests/support/encoder.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace pointsman::engine {
namespace {

namespace json = boost::json;

constexpr std::int64_t kWidth = 32, kInner = 64, kPositions = 128, kLayers = 2;
constexpr const char* kWords = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n!\nun\n##believ\n##able\n";
constexpr std::int64_t kTokens = 11;

struct ConvertEncoder : ::testing::Test {
  testing::TempDir folder;
  std::filesystem::path out = folder.path() / "tiny.gguf";
  json::object config = {{"model_type", "bert"},        {"num_hidden_layers", kLayers},
                         {"hidden_size", kWidth},       {"num_attention_heads", 4},
                         {"intermediate_size", kInner}, {"max_position_embeddings", kPositions},
                         {"type_vocab_size", 2},        {"vocab_size", kTokens},
                         {"layer_norm_eps", 1e-12},     {"hidden_act", "gelu"}};

  // Writes the folder; `change` may alter the table of tensors first.
  std::filesystem::path Write(const std::function<void(json::object&)>& change = {}) {
    json::object table;
    std::string data;
    std::mt19937 random(1);
    const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
      std::size_t count = 1;
      for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
      const std::size_t begin = data.size();
      for (std::size_t i = 0; i < count; ++i) {
        const float value = static_cast<float>(random() % 2001) / 10'000 - 0.1F;
        data.append(reinterpret_cast<const char*>(&value), sizeof value);
      }
      table[name] = {{"dtype", "F32"}, {"shape", json::value_from(shape)}, {"data_offsets", {begin, data.size()}}};
    };
    const auto pair = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
      add(name + ".weight", shape);
      add(name + ".bias", {shape[0]});
    };
    add("embeddings.word_embeddings.weight", {kTokens, kWidth});
    add("embeddings.position_embeddings.weight", {kPositions, kWidth});
    add("embeddings.token_type_embeddings.weight", {2, kWidth});
    pair("embeddings.LayerNorm", {kWidth});
    for (std::int64_t i = 0; i < kLayers; ++i) {
      const std::string layer = "encoder.layer." + std::to_string(i) + ".";
      for (const char* part :
           {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"}) {
        pair(layer + part, {kWidth, kWidth});
      }
      pair(layer + "attention.output.LayerNorm", {kWidth});
      pair(layer + "intermediate.dense", {kInner, kWidth});
      pair(layer + "output.dense", {kWidth, kInner});
      pair(layer + "output.LayerNorm", {kWidth});
    }
    pair("pooler.dense", {kWidth, kWidth});  // no embedding needs it
    if (change) change(table);
    const std::string text = json::serialize(table);
    const auto length = static_cast<std::uint64_t>(text.size());
    std::string file(sizeof length, '\0');
    std::memcpy(file.data(), &length, sizeof length);
    folder.Write("tiny/model.safetensors", file + text + data);
    folder.Write("tiny/config.json", json::serialize(config));
    folder.Write("tiny/vocab.txt", kWords);
    return folder.path() / "tiny";
  }

  std::string Refused(const std::filesystem::path& in) {
    const Result<void> done = engine::ConvertEncoder(in, out, "tiny", EncoderType::kQ8);
    EXPECT_FALSE(std::filesystem::exists(out));
    return done.ok() ? "" : done.error().message;
  }

  static Result<std::unique_ptr<Encoder>> Load(const std::filesystem::path& file) {
    static const std::atomic<bool> never = false;
    config::Model model;
    model.SetKind(config::ModelKind::kEncoder);
    model.name = "tiny";
    model.file = file;
    model.context = 64;
    return Encoder::Load(model, 1, never);
  }
};

TEST_F(ConvertEncoder, ATinyEncoderIsLoadedAndEncodes) {
  for (const EncoderType type : {EncoderType::kF16, EncoderType::kQ8}) {
    const Result<void> done = engine::ConvertEncoder(Write(), out, "tiny", type);
    ASSERT_TRUE(done.ok()) << done.error().message;
    const auto info = config::ReadGguf(out);
    ASSERT_TRUE(info.ok()) << info.error().message;
    EXPECT_EQ(info->tensors, 5u + 16u * kLayers);
    EXPECT_EQ(info->architecture, "bert");
    EXPECT_EQ(info->name, "tiny");
    EXPECT_EQ(info->context_length, static_cast<std::uint64_t>(kPositions));
    auto encoder = Load(out);
    ASSERT_TRUE(encoder.ok()) << encoder.error().message;
    EXPECT_EQ((*encoder)->dimension(), static_cast<std::size_t>(kWidth));
    const auto tokens = (*encoder)->Tokenize("Hello unbelievable, WORLD!");
    ASSERT_TRUE(tokens.ok());
    EXPECT_EQ(tokens->tokens, (std::vector<Token>{2, 5, 8, 9, 10, 1, 6, 7, 3}));
    const EncoderTokens* const step[] = {&*tokens};
    const auto vectors = (*encoder)->Encode(step, 1);
    ASSERT_TRUE(vectors.ok()) << vectors.error().message;
    double squares = 0;
    for (const float value : (*vectors)[0]) squares += value * value;
    EXPECT_NEAR(squares, 1, 1e-5);
  }
}

TEST_F(ConvertEncoder, EqualInputGivesEqualBytes) {
  const auto in = Write();
  ASSERT_TRUE(engine::ConvertEncoder(in, out, "tiny", EncoderType::kQ8).ok());
  const std::string first = testing::ReadFile(out);
  ASSERT_TRUE(engine::ConvertEncoder(in, out, "tiny", EncoderType::kQ8).ok());
  EXPECT_EQ(testing::ReadFile(out), first);
}

TEST_F(ConvertEncoder, WhatIsNoEncoderIsRefusedWithTheReason) {
  EXPECT_NE(Refused(folder.path() / "nowhere").find("config.json"), std::string::npos);
  const std::string layer = "encoder.layer.1.intermediate.dense.weight";
  std::string why = Refused(Write([&](json::object& table) { table.erase(layer); }));
  EXPECT_NE(why.find("blk.1.ffn_up.weight is missing"), std::string::npos) << why;
  why = Refused(Write([&](json::object& table) { table[layer].as_object()["shape"] = {kWidth, kInner}; }));
  EXPECT_NE(why.find("another shape"), std::string::npos) << why;
  why = Refused(Write([&](json::object& table) { table[layer].as_object()["data_offsets"] = {0, 1 << 30}; }));
  EXPECT_NE(why.find("outside the file"), std::string::npos) << why;
  why = Refused(Write([&](json::object& table) { table[layer].as_object()["shape"] = {-1, kInner}; }));
  EXPECT_NE(why.find("impossible shape"), std::string::npos) << why;

  const auto in = Write();
  folder.Write("tiny/vocab.txt", std::string(kWords) + "hello\n");
  why = Refused(in);
  EXPECT_NE(why.find("line 12"), std::string::npos) << why;
  folder.Write("tiny/vocab.txt", "[PAD]\n");
  EXPECT_NE(Refused(in).find("config.json says 11"), std::string::npos);
  folder.Write("tiny/vocab.txt", kWords);
  folder.Write("tiny/model.safetensors", testing::ReadFile(in / "model.safetensors").substr(0, 1000));
  EXPECT_NE(Refused(in).find("model.safetensors"), std::string::npos);
  config["model_type"] = "gpt2";
  EXPECT_NE(Refused(Write()).find("only BERT"), std::string::npos);
}

// Token ids by the `tokenizers` library with the model's own tokenizer.json.
TEST_F(ConvertEncoder, TheRealVocabularyGivesTheKnownTokens) {
  auto encoder = Load(testing::TestEncoder());
  ASSERT_TRUE(encoder.ok()) << encoder.error().message;
  const std::pair<const char*, std::vector<Token>> known[] = {
      {"Hello, World!", {101, 7592, 1010, 2088, 999, 102}},
      {"Crème brûlée naïve", {101, 13675, 21382, 7987, 9307, 2063, 15743, 102}},
      {"antidisestablishmentarianism", {101, 3424, 10521, 4355, 7875, 13602, 3672, 12199, 2964, 102}},
      {"$E=mc^2$ f(x)=\\frac{1}{2}", {101,  1002, 1041,  1027, 11338, 1034, 1016, 1002, 1042, 1006, 1060, 1007,
                                      1027, 1032, 25312, 2278, 1063,  1015, 1065, 1063, 1016, 1065, 102}},
      {"日本語 test", {101, 1864, 1876, 1950, 3231, 102}},
      {"don't stop @user 3.14", {101, 2123, 1005, 1056, 2644, 1030, 5310, 1017, 1012, 2403, 102}},
      {"tab\tnew\nline", {101, 21628, 2047, 2240, 102}},
      {"Straße ΑΒΓ", {101, 2358, 27807, 1155, 29720, 29721, 102}},
      {"", {101, 102}}};
  for (const auto& [text, ids] : known) EXPECT_EQ((*encoder)->Tokenize(text)->tokens, ids) << text;
  // A control token in a text is text.
  EXPECT_EQ((*encoder)->Tokenize("[SEP]")->tokens.front(), 101);
  EXPECT_GT((*encoder)->Tokenize("[SEP]")->tokens.size(), 3u);
}

}  // namespace
}  // namespace pointsman::engine
