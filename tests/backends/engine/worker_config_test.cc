#include "backends/engine/worker_config.h"

#include <gtest/gtest.h>

namespace pointsman::engine {
namespace {

TEST(WorkerConfig, SurvivesTheWayToTheWorker) {
  config::Engine engine;
  engine.prompt_chunk = 128;
  config::Model model;
  model.name = "a \"quoted\" name";
  model.file = "/models/with,comma.gguf";
  model.sha256 = std::string(64, 'a');
  model.context = 4096;
  model.slots = 8;
  model.threads = 3;
  model.queue = 5;
  model.chat_template = "{% for m in messages %}\n{{ m.content }}{% endfor %}";
  engine.models = {model, config::Model{}};

  const Result<config::Engine> back = EngineFromJson(ToJson(engine));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->prompt_chunk, 128u);
  ASSERT_EQ(back->models.size(), 2u);
  const config::Model& got = back->models[0];
  EXPECT_EQ(got.name, model.name);
  EXPECT_EQ(got.file, model.file);
  EXPECT_EQ(got.sha256, model.sha256);
  EXPECT_EQ(got.context, 4096u);
  EXPECT_EQ(got.slots, 8u);
  EXPECT_EQ(got.threads, 3u);
  EXPECT_EQ(got.queue, 5u);
  EXPECT_EQ(got.chat_template, model.chat_template);
}

TEST(WorkerConfig, RefusesWhatItDoesNotUnderstand) {
  EXPECT_FALSE(EngineFromJson("{"));
  EXPECT_FALSE(EngineFromJson("{}"));
  EXPECT_FALSE(EngineFromJson(R"({"prompt_chunk": 64, "models": [{"name": 1}]})"));
}

TEST(WorkerConfig, ReadsAModelFromTheCommandLine) {
  const Result<config::Model> model = ModelFromArgument("name=a,file=b.gguf,context=512,slots=2,threads=1,queue=9");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->name, "a");
  EXPECT_EQ(model->file, "b.gguf");
  EXPECT_EQ(model->context, 512u);
  EXPECT_EQ(model->slots, 2u);
  EXPECT_EQ(model->threads, 1u);
  EXPECT_EQ(model->queue, 9u);
}

TEST(WorkerConfig, KeepsTheKindAndItsDefaults) {
  const Result<config::Model> encoder = ModelFromArgument("name=a,kind=encoder,file=b.gguf,slots=3");
  ASSERT_TRUE(encoder.ok());
  EXPECT_EQ(encoder->kind, config::ModelKind::kEncoder);
  EXPECT_EQ(encoder->context, 256u);
  EXPECT_EQ(encoder->slots, 3u);
  config::Engine engine;
  engine.models = {*encoder};
  EXPECT_EQ(EngineFromJson(ToJson(engine))->models[0].kind, config::ModelKind::kEncoder);
}

TEST(WorkerConfig, SaysWhichPartOfTheArgumentIsWrong) {
  const auto message = [](const char* argument) {
    const Result<config::Model> model = ModelFromArgument(argument);
    return model ? std::string("accepted") : model.error().message;
  };
  EXPECT_NE(message("name=a,file=b,kind=picture").find("text or encoder"), std::string::npos);
  EXPECT_NE(message("name=a").find("file="), std::string::npos);
  EXPECT_NE(message("name=a,file=b,slots=two").find("slots=two"), std::string::npos);
  EXPECT_NE(message("name=a,file=b,slot=2").find("\"slot\""), std::string::npos);
  EXPECT_NE(message("name=a,file=b,slots=65").find("1 to 64"), std::string::npos);
  EXPECT_NE(message("name").find("key=value"), std::string::npos);
}

}  // namespace
}  // namespace pointsman::engine
