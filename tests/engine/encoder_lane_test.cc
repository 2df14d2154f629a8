// The whole server with an encoder lane: a head trained here with the real encoder, requests that are escalated, a time
// budget that is too short, a worker that dies, heads that do not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "backends/engine/llama/encode_texts.h"
#include "config/parse.h"
#include "router/gateway/server.h"
#include "router/offline/train_classifier.h"
#include "router/offline/train_encoder.h"
#include "tests/support/encoder.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;
using testing_support::Question;
using testing_support::TestServer;

class EncoderLaneServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TempDir;
    std::string rows;
    const std::pair<const char*, std::vector<const char*>> topics[] = {
        {"money",
         {"loan", "bank account", "credit card", "invoice", "mortgage", "tax refund", "salary", "interest rate", "cash",
          "debt", "cheque", "wallet", "purchase", "bill", "pension", "fee", "savings", "budget"}},
        {"body",
         {"headache", "broken arm", "fever", "vaccine", "blood pressure", "cough", "doctor", "knee pain", "nausea",
          "allergy", "surgeon", "hospital", "rash", "flu", "dentist", "asthma", "infection", "pulse"}},
        {"sky",
         {"planet", "comet", "galaxy", "telescope", "moon orbit", "black hole", "eclipse", "asteroid", "Saturn",
          "constellation", "supernova", "meteor", "sunspot", "nebula", "Jupiter", "rocket", "Venus", "observatory"}}};
    // Each word in one row only, so that n-grams know nothing of the words of the rows that are held out.
    const char* const forms[] = {"Tell me about my %s", "What is a %s?",        "I have a question on the %s today",
                                 "%s please",           "Why does a %s matter", "explain %s"};
    for (const auto& [label, words] : topics) {
      for (std::size_t i = 0; i < words.size(); ++i) {
        char text[128];
        std::snprintf(text, sizeof text, forms[i % std::size(forms)], words[i]);
        rows += std::string(R"({"text": ")") + text + R"(", "label": ")" + label + "\"}\n";
      }
    }
    offline::TrainOptions fast;
    fast.rows.files = {folder_->Write("rows.jsonl", rows)};
    fast.out = Classifier();
    fast.fit.linear.bucket_bits = 12;
    ASSERT_TRUE(offline::TrainClassifier(fast).ok());
    offline::TrainEncoderOptions options;
    options.rows = fast.rows;
    options.classifier = fast.out;
    options.out = Head();
    options.embed = [](std::span<const std::string_view> texts,
                       const std::function<void(double)>& progress) -> Result<offline::EmbeddedTexts> {
      auto encoded = engine::EncodeTexts(testing::TestEncoder(), texts, 1, progress);
      if (!encoded) return std::move(encoded).error();
      return offline::EmbeddedTexts{encoded->model, std::move(encoded->vectors), encoded->truncated};
    };
    const auto report = offline::TrainEncoder(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_GE(report->curve.back().accuracy, report->curve.front().accuracy);
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::filesystem::path Classifier() { return folder_->path() / "fast.pmc"; }
  static std::filesystem::path Head() { return folder_->path() / "head.pmh"; }

  // Experts of a server that always answers; the lane is asked about everything.
  static std::string Yaml(const std::string& url, const std::string& head, const std::string& timeout) {
    std::string yaml =
        "engine: {models: {minilm: {kind: encoder, file: \"" + testing::TestEncoder() + "\", threads: 1}}}\nexperts:\n";
    for (const char* name : {"money", "body", "sky", "other"}) {
      yaml += std::string("  ") + name + ": {openai: {url: \"" + url + "\", model: m}}\n";
    }
    return yaml + "classifier: {artifact: \"" + Classifier().string() +
           "\", encoder: {model: minilm, share: 1, timeout: " + timeout + ", head: \"" + head +
           "\"}}\npolicies: {p: {score: category_map, map: {money: [money], body: [body], sky: [sky], general: "
           "[other]}}}\n";
  }

  static v1::Trace Route(TestServer& server, const std::string& text) {
    grpc::ClientContext context;
    v1::RouteRequest request;
    *request.mutable_request() = Question(text);
    v1::RouteResponse response;
    const grpc::Status status = server.stub().Route(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.trace();
  }

  static testing::TempDir* folder_;
};
testing::TempDir* EncoderLaneServer::folder_ = nullptr;

TEST_F(EncoderLaneServer, RefinesWhatTheNGramsNeverSaw) {
  TestServer server(Yaml("http://127.0.0.1:9/v1", Head(), "10s"), 2, "127.0.0.1:0");
  ASSERT_TRUE(testing_support::Eventually([&] { return Route(server, "warm up").evidence().second_opinion().used(); }));
  // Words that no row has.
  const std::pair<const char*, const char*> texts[] = {{"My throat hurts and I sneeze", "body"},
                                                       {"Which stars can be seen with binoculars", "sky"},
                                                       {"They overcharged me on the payment", "money"}};
  for (const auto& [text, topic] : texts) {
    const v1::Trace trace = Route(server, text);
    EXPECT_TRUE(trace.evidence().second_opinion().used()) << trace.evidence().second_opinion().failure();
    EXPECT_EQ(trace.evidence().likeliest(), topic) << text;
  }
  EXPECT_THAT(server.server().RenderMetrics(), HasSubstr("pointsman_escalations_total{outcome=\"refined\"}"));
}

TEST_F(EncoderLaneServer, ATimeBudgetThatIsTooShortLeavesTheFastAnswer) {
  TestServer server(Yaml("http://127.0.0.1:9/v1", Head(), "1ms"), 1, "127.0.0.1:0");
  std::string text;
  for (int i = 0; i < 300; ++i) text += "word ";
  v1::SecondOpinion opinion;
  ASSERT_TRUE(testing_support::Eventually([&] {
    opinion = Route(server, text).evidence().second_opinion();
    return opinion.failure().find("within 1 ms") != std::string::npos;
  })) << opinion.failure();
  EXPECT_FALSE(opinion.used());
  EXPECT_THAT(server.server().RenderMetrics(), HasSubstr("pointsman_escalations_total{outcome=\"timeout\"}"));
}

TEST_F(EncoderLaneServer, OutlivesItsWorker) {
  TestServer server(Yaml("http://127.0.0.1:9/v1", Head(), "10s"), 1, "127.0.0.1:0");
  const auto used = [&] { return Route(server, "My throat hurts").evidence().second_opinion().used(); };
  ASSERT_TRUE(testing_support::Eventually(used));
  const int pid = server.server().engine_pid();
  ASSERT_GT(pid, 0);
  kill(pid, SIGKILL);
  // Every request is answered meanwhile, by the fast lane with a reason, and by the encoder again in the end.
  ASSERT_TRUE(testing_support::Eventually([&] { return server.server().engine_pid() != pid; }));
  ASSERT_TRUE(testing_support::Eventually(used));
}

TEST_F(EncoderLaneServer, AHeadOfAnotherClassifierIsRefused) {
  std::string yaml = Yaml("http://127.0.0.1:9/v1", Head(), "50ms");
  const std::string own = "artifact: \"" + Classifier().string() + "\", ";
  yaml.erase(yaml.find(own), own.size());
  const auto map = yaml.find("money: [money], body: [body], sky: [sky], ");
  yaml.erase(map, std::string("money: [money], body: [body], sky: [sky], ").size());
  const auto parsed = config::ParseText(yaml, "test.yaml");
  ASSERT_TRUE(parsed.ok()) << config::ToString(parsed.problems);
  const auto problems = gateway::CheckClassifier(*parsed.config);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].path, "classifier.encoder.head");
  EXPECT_THAT(problems[0].message, HasSubstr("another classifier"));
}

}  // namespace
}  // namespace pointsman
