// Files that are no models: clear errors, a living worker, and models beside them that work.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "backends/engine/model_file.h"
#include "config/checksum.h"
#include "tests/support/engine_harness.h"

namespace pointsman::testing {
namespace {

namespace fs = std::filesystem;

class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(::testing::TempDir()) / ("load-" + std::to_string(getpid()));
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  fs::path Write(const std::string& name, const std::string& bytes) {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
    return directory_ / name;
  }

  // The first `bytes` of the real model.
  std::string Head(std::size_t bytes) {
    std::ifstream in(TestModel(), std::ios::binary);
    std::string head(bytes, '\0');
    in.read(head.data(), static_cast<std::streamsize>(bytes));
    head.resize(static_cast<std::size_t>(in.gcount()));
    return head;
  }

  fs::path directory_;
};

config::Model Named(const std::string& name, const fs::path& file) {
  config::Model model = SmallModel();
  model.name = name;
  model.file = file;
  return model;
}

TEST_F(Load, BadFilesFailAloneAndSayWhy) {
  std::mt19937 random(3);
  std::string noise(200'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());

  std::vector<config::Model> models;
  models.push_back(Named("missing", directory_ / "missing.gguf"));
  models.push_back(Named("directory", directory_));
  models.push_back(Named("empty", Write("empty.gguf", "")));
  models.push_back(Named("text", Write("text.gguf", "This is not a model.")));
  models.push_back(Named("noise", Write("noise.gguf", noise)));
  models.push_back(Named("noise-in-gguf", Write("noise2.gguf", "GGUF" + noise)));
  models.push_back(Named("truncated", Write("truncated.gguf", Head(20 << 20))));
  models.push_back(Named("truncated-metadata", Write("truncated2.gguf", Head(100'000))));
  models.push_back(Named("wrong-sum", TestModel()));
  models.back().sha256 = std::string(64, '0');
  models.push_back(Named("too-long-context", TestModel()));
  models.back().context = 1 << 20;
  models.push_back(Named("bad-template", TestModel()));
  models.back().chat_template = "{% for m in messages %}";
  models.push_back(Named("small", TestModel()));
  models.back().sha256 = *config::Sha256OfFile(TestModel());

  EngineHarness harness(models);
  ASSERT_TRUE(harness.Settled());
  const auto reason = [&](const std::string& model) { return harness.supervisor().Unavailable(model); };
  EXPECT_NE(reason("missing").find("does not exist"), std::string::npos) << reason("missing");
  EXPECT_NE(reason("directory").find("is a folder"), std::string::npos) << reason("directory");
  EXPECT_NE(reason("empty").find("is empty"), std::string::npos) << reason("empty");
  EXPECT_NE(reason("text").find("not a GGUF file"), std::string::npos) << reason("text");
  EXPECT_NE(reason("noise").find("not a GGUF file"), std::string::npos) << reason("noise");
  EXPECT_NE(reason("noise-in-gguf").find("GGUF file"), std::string::npos) << reason("noise-in-gguf");
  EXPECT_NE(reason("truncated").find("is truncated"), std::string::npos) << reason("truncated");
  EXPECT_NE(reason("truncated-metadata").find("is truncated"), std::string::npos) << reason("truncated-metadata");
  EXPECT_NE(reason("wrong-sum").find("SHA-256"), std::string::npos) << reason("wrong-sum");
  EXPECT_NE(reason("too-long-context").find("trained for"), std::string::npos) << reason("too-long-context");
  EXPECT_NE(reason("bad-template").find("chat template"), std::string::npos) << reason("bad-template");
  for (const config::Model& model : models) {
    if (model.name == "small") continue;
    EXPECT_NE(reason(model.name).find(model.name), std::string::npos) << reason(model.name);
  }

  // The check by itself says the same without loading.
  EXPECT_EQ(engine::CheckModelFile(models[6]).error().message, reason("truncated"));
  EXPECT_TRUE(engine::CheckModelFile(models.back()));

  // The same words come from the call itself.
  v1::CompleteRequest request = Ask("hello");
  request.mutable_sampling()->set_max_tokens(2);
  const Answer failed = harness.Complete(request, harness.Expert("truncated"));
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->error_class, ErrorClass::kRetryElsewhere);

  EXPECT_EQ(reason("small"), "");
  const Answer answer = harness.Complete(request);
  EXPECT_FALSE(answer.error) << answer.error->message;
  EXPECT_EQ(harness.supervisor().Status().restarts(), 0u);
}

TEST_F(Load, AConfiguredTemplateReplacesTheModelsOwn) {
  config::Model model = SmallModel();
  model.chat_template = "{{ raise_exception('no ' ~ messages[0]['role'] ~ ' here') }}";
  EngineHarness harness({model});
  ASSERT_TRUE(harness.Settled());
  const Answer answer = harness.Complete(Ask("hello"));
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->error_class, ErrorClass::kRetryElsewhere);
  EXPECT_EQ(answer.error->code, Code::kInvalidArgument);
  EXPECT_NE(answer.error->message.find("no user here"), std::string::npos) << answer.error->message;
}

}  // namespace
}  // namespace pointsman::testing
