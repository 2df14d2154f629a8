// The real sentence encoder in the real worker: what vectors mean, batches, limits, cancellation, wrong models.
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "backends/engine/embed_client.h"
#include "pointsman/v1/engine.grpc.pb.h"
#include "tests/support/encoder.h"
#include "tests/support/engine_harness.h"

namespace pointsman::testing {
namespace {

double Cosine(const v1::Embedding& a, const v1::Embedding& b) {
  return std::inner_product(a.values().begin(), a.values().end(), b.values().begin(), 0.0);
}

struct Reply {
  grpc::Status status;
  v1::EmbedResponse response;
  const v1::Embedding& operator[](int i) const { return response.embeddings(i); }
};

class Embed : public ::testing::Test {
 protected:
  static Reply Call(EngineHarness& harness, const std::vector<std::string>& texts,
                    const std::string& model = "encoder") {
    v1::EmbedRequest request;
    request.set_model(model);
    for (const std::string& text : texts) request.add_texts(text);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
    Reply reply;
    reply.status = v1::Engine::NewStub(harness.supervisor().channel())->Embed(&context, request, &reply.response);
    return reply;
  }
};

TEST_F(Embed, ParaphrasesAreNearerThanOtherTexts) {
  EngineHarness harness({EncoderModel()});
  ASSERT_TRUE(harness.Settled());
  ASSERT_EQ(harness.supervisor().Unavailable("encoder"), "");
  const Reply reply = Call(harness, {"How do I integrate x squared?", "What is the integral of x^2?",
                                     "Write a poem about my cat.", "Compose a verse on a kitten.",
                                     "My laptop does not start any more.", "The notebook computer will not boot."});
  ASSERT_TRUE(reply.status.ok()) << reply.status.error_message();
  ASSERT_EQ(reply.response.embeddings_size(), 6);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(reply[i].values_size(), 384);
    EXPECT_NEAR(Cosine(reply[i], reply[i]), 1, 1e-5);
    EXPECT_FALSE(reply[i].truncated());
    for (int j = 0; j < 6; ++j) {
      if (i / 2 == j / 2) continue;
      EXPECT_GT(Cosine(reply[i], reply[i ^ 1]), Cosine(reply[i], reply[j]) + 0.3) << i << " " << j;
    }
  }
  // What the 32-bit network gives for the first two: 0.8001.
  EXPECT_NEAR(Cosine(reply[0], reply[1]), 0.8001, 0.01);
}

// As nearly as the kernels for one row and for many allow: their 8-bit sums differ in the last digits.
TEST_F(Embed, ABatchGivesWhatSingleTextsGive) {
  EngineHarness harness({EncoderModel()});
  ASSERT_TRUE(harness.Settled());
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) texts.push_back("Question " + std::to_string(i * i) + std::string(i, 'y') + " of law?");
  texts.push_back("");
  const Reply together = Call(harness, texts);
  ASSERT_TRUE(together.status.ok()) << together.status.error_message();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Reply alone = Call(harness, {texts[i]});
    ASSERT_TRUE(alone.status.ok());
    EXPECT_GT(Cosine(together[static_cast<int>(i)], alone[0]), 0.999) << texts[i];
  }
}

TEST_F(Embed, ALongTextIsCutAndSaysSo) {
  EngineHarness harness({EncoderModel()});
  ASSERT_TRUE(harness.Settled());
  std::string head, longer;
  for (int i = 0; i < 254; ++i) head += "law ";
  for (int i = 0; i < 300'000; ++i) longer += "law ";
  const Reply reply = Call(harness, {head, head + "poem", longer.substr(0, 1 << 20)});
  ASSERT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_FALSE(reply[0].truncated());
  EXPECT_EQ(reply[0].tokens(), 256u);
  EXPECT_TRUE(reply[1].truncated());
  EXPECT_EQ(reply[1].tokens(), 256u);
  EXPECT_TRUE(reply[2].truncated());
  EXPECT_GT(Cosine(reply[0], reply[1]), 0.9999);
}

TEST_F(Embed, RefusesWhatItCannotDoInWords) {
  config::Model text_as_encoder = EncoderModel(), encoder_as_text = SmallModel(), too_long = EncoderModel();
  text_as_encoder.name = "text-as-encoder";
  text_as_encoder.file = TestModel();
  encoder_as_text.name = "encoder-as-text";
  encoder_as_text.file = TestEncoder();
  encoder_as_text.context = 128;
  encoder_as_text.chat_template = "{{ messages[0]['content'] }}";
  too_long.name = "too-long";
  too_long.context = 1024;
  EngineHarness harness({EncoderModel(), SmallModel(), text_as_encoder, encoder_as_text, too_long});
  ASSERT_TRUE(harness.Settled());
  const auto reason = [&](const std::string& model) { return harness.supervisor().Unavailable(model); };
  EXPECT_NE(reason("text-as-encoder").find("is no sentence encoder"), std::string::npos) << reason("text-as-encoder");
  EXPECT_NE(reason("encoder-as-text").find("is an encoder"), std::string::npos) << reason("encoder-as-text");
  EXPECT_NE(reason("too-long").find("at most 512 tokens"), std::string::npos) << reason("too-long");
  EXPECT_EQ(reason("encoder"), "");
  EXPECT_EQ(reason("small"), "");

  EXPECT_EQ(Call(harness, {"x"}, "small").status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Call(harness, {"x"}, "text-as-encoder").status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Call(harness, {"x"}, "nobody").status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Call(harness, {}).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Call(harness, std::vector<std::string>(65, "x")).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Call(harness, {std::string((1 << 20) + 1, 'x')}).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const Answer answer = harness.Complete(Ask("hello"), harness.Expert("encoder"));
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code, Code::kFailedPrecondition);
  // Bytes that are no characters, and all of this did not end the worker.
  EXPECT_TRUE(Call(harness, {std::string("\xff\xfe\0 [CLS]", 9)}).status.ok());
  EXPECT_EQ(harness.supervisor().Status().restarts(), 0u);
}

// Runs EmbedClient on a loop of its own beside the harness.
class Client {
 public:
  explicit Client(EngineHarness& harness) : client_(loop_, harness.supervisor(), "encoder") {}
  ~Client() { EXPECT_EQ(unfinished, 0); }

  void Start(const std::string& text, Deadline deadline, asio::cancellation_signal* cancel = nullptr) {
    ++unfinished;
    auto body = Ask(text, deadline);
    auto done = [this](std::exception_ptr error) {
      --unfinished;
      unwound += error != nullptr;
    };
    if (cancel == nullptr) {
      asio::co_spawn(loop_, std::move(body), std::move(done));
    } else {
      asio::co_spawn(loop_, std::move(body), asio::bind_cancellation_slot(cancel->slot(), std::move(done)));
    }
  }
  void Run() {
    loop_.restart();
    // The answers come from gRPC's threads: while somebody waits, his timer keeps the loop busy.
    loop_.run();
  }
  void Poll() {
    loop_.restart();
    loop_.poll();
  }

  int right = 0, unwound = 0, unfinished = 0;
  std::vector<Code> codes;

 private:
  Awaitable<void> Ask(std::string text, Deadline deadline) {
    const Result<backends::Embedding> result = co_await client_.Embed(std::move(text), deadline);
    if (result.ok()) {
      ++right;
      EXPECT_EQ(result->values.size(), 384u);
    } else {
      codes.push_back(result.error().code);
    }
  }

  Loop loop_{1};
  engine::EmbedClient client_;
};

TEST_F(Embed, AnswersTwoHundredAtOnceTogether) {
  EngineHarness harness({EncoderModel()});
  ASSERT_TRUE(harness.Settled());
  Client client(harness);
  for (int i = 0; i < 200; ++i) {
    client.Start("What is " + std::to_string(i) + " plus one?", Clock::now() + std::chrono::minutes(3));
  }
  client.Run();
  EXPECT_EQ(client.right, 200);
  EXPECT_TRUE(client.codes.empty());
}

TEST_F(Embed, ADeadlineEndsTheWait) {
  EngineHarness harness({EncoderModel()});
  ASSERT_TRUE(harness.Settled());
  Client client(harness);
  client.Start("one", Clock::now() - std::chrono::seconds(1));
  for (int i = 0; i < 100; ++i) {
    std::string text;
    for (int j = 0; j < 300; ++j) text += "word ";
    client.Start(text, Clock::now() + std::chrono::milliseconds(20));
  }
  const auto start = Clock::now();
  client.Run();
  EXPECT_EQ(client.right + static_cast<int>(client.codes.size()), 101);
  EXPECT_GT(client.codes.size(), 50u);
  for (const Code code : client.codes) EXPECT_EQ(code, Code::kDeadlineExceeded);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(30));
  // The worker gave up what nobody waits for.
  EXPECT_TRUE(Eventually([&] { return harness.WorkerStatus().models(0).queued() == 0; }));
}

TEST_F(Embed, ACancelledWaitLeavesNothingBehind) {
  EngineHarness harness({EncoderModel()});
  ASSERT_TRUE(harness.Settled());
  Client client(harness);
  std::string text;
  for (int j = 0; j < 300; ++j) text += "word ";
  std::vector<asio::cancellation_signal> signals(60);
  for (auto& signal : signals) client.Start(text, Clock::now() + std::chrono::minutes(3), &signal);
  client.Poll();  // sent
  for (auto& signal : signals) signal.emit(asio::cancellation_type::terminal);
  client.Run();
  EXPECT_EQ(client.unwound + client.right, 60);
  EXPECT_GT(client.unwound, 30);
  EXPECT_TRUE(Eventually([&] { return harness.WorkerStatus().models(0).queued() == 0; }));
  client.Start("and it still answers", Clock::now() + std::chrono::minutes(3));
  client.Run();
  EXPECT_GE(client.right, 1);
}

TEST_F(Embed, EmbedsWhileAModelAnswers) {
  EngineHarness harness({EncoderModel(), SmallModel()});
  ASSERT_TRUE(harness.Settled());
  v1::CompleteRequest request = Ask("Write a long story about a railway.");
  request.mutable_sampling()->set_max_tokens(300);
  std::future<Answer> answer = harness.Start(request);
  ASSERT_TRUE(Eventually([&] { return harness.chunks_seen > 0; }));
  const std::size_t before = harness.chunks_seen;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Call(harness, {"What is a railway?"}).status.ok());
  // Neither waits for the other's end.
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_TRUE(Eventually([&] { return harness.chunks_seen > before; }));
  const Answer whole = answer.get();
  EXPECT_FALSE(whole.error);
  EXPECT_EQ(whole.usage->completion_tokens(), 300u);
}

TEST_F(Embed, AFullQueueIsTold) {
  config::Model model = EncoderModel();
  model.queue = 4;
  model.slots = 1;
  EngineHarness harness({model});
  ASSERT_TRUE(harness.Settled());
  EXPECT_EQ(Call(harness, std::vector<std::string>(6, "x")).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Call(harness, std::vector<std::string>(5, "x")).status.ok());
}

}  // namespace
}  // namespace pointsman::testing
