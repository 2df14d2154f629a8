// Like questions over the wire: what may be answered from another question's answer, and what never.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>

#include "config/parse.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/child.h"
#include "tests/support/faq.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;
using testing_support::Eventually;
using testing_support::Question;
using testing_support::TestServer;

constexpr const char kForgot[] = "I forgot my password";
constexpr const char kReset[] = "How do I reset my password?";

struct SemanticCacheTest : ::testing::Test {
  static void SetUpTestSuite() {
    folder = new testing::TempDir;
    matcher = testing::FaqMatcher(*folder);
    ::setenv("POINTSMAN_TEST_CACHE_SECRET", "0123456789abcdef0123456789abcdef", 1);
    ::setenv("POINTSMAN_TEST_KEY_A", "key-of-a", 1);
    ::setenv("POINTSMAN_TEST_KEY_B", "key-of-b", 1);
  }
  static void TearDownTestSuite() { delete folder; }

  std::string Yaml(const std::string& semantic = "audit: 0", const std::string& cache = "  memory: 1MiB\n") const {
    return "experts:\n  first:\n    openai: {url: \"" + upstream.url("/normal") +
           "\", model: m1}\n    price: {input: 1, output: 2}\npolicies:\n  p:\n    score: pinned\n    experts: "
           "[first]\n"
           "    cache: {semantic: {matcher: \"" +
           matcher.string() + "\", precision: 0.9, " + semantic +
           "}}\ncache:\n  secret: {env: POINTSMAN_TEST_CACHE_SECRET}\n" + cache;
  }
  static v1::CompleteRequest Greedy(const std::string& text) {
    v1::CompleteRequest request = Question(text);
    request.mutable_sampling()->set_temperature(0);
    return request;
  }
  static v1::CompleteResponse Ask(TestServer& server, const v1::CompleteRequest& request, const std::string& key = "") {
    grpc::ClientContext context;
    if (!key.empty()) context.AddMetadata("authorization", "Bearer " + key);
    v1::CompleteResponse response;
    const grpc::Status status = server.stub().Complete(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  static inline testing::TempDir* folder;
  static inline std::filesystem::path matcher;
  testing::FaultServer upstream;
};

TEST_F(SemanticCacheTest, ALikeQuestionGetsTheAnswer) {
  TestServer server(Yaml());
  const v1::CompleteResponse fresh = Ask(server, Greedy(kForgot));
  EXPECT_EQ(fresh.trace().cache(), v1::CACHE_OUTCOME_MISS);

  const v1::CompleteResponse like = Ask(server, Greedy(kReset));
  ASSERT_EQ(like.trace().cache(), v1::CACHE_OUTCOME_SEMANTIC);
  EXPECT_EQ(like.message().parts(0).text(), fresh.message().parts(0).text());
  EXPECT_EQ(like.trace().cached_request_id(), fresh.id());
  EXPECT_NE(like.id(), fresh.id());
  EXPECT_EQ(like.trace().cache_store(), "memory");
  EXPECT_GE(like.trace().cache_probability(), 0.9);
  EXPECT_GT(like.trace().cache_similarity(), 0);
  EXPECT_LT(like.trace().cache_similarity(), 1);
  EXPECT_EQ(like.usage().cost_usd(), 0);
  EXPECT_EQ(like.usage().cached_tokens(), like.usage().prompt_tokens());
  EXPECT_EQ(Ask(server, Greedy(kForgot)).trace().cache(), v1::CACHE_OUTCOME_EXACT);

  // Streamed: the same events as a fresh answer.
  const testing_support::Streamed streamed =
      testing_support::Stream(server.stub(), Greedy("please help me recover my password"));
  ASSERT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  EXPECT_EQ(streamed.text, fresh.message().parts(0).text());
  ASSERT_GE(streamed.events.size(), 4U);
  EXPECT_TRUE(streamed.events.front().has_route());
  EXPECT_TRUE(streamed.events.back().has_done());
  EXPECT_EQ(streamed.events.back().done().trace().cache(), v1::CACHE_OUTCOME_SEMANTIC);
  EXPECT_THAT(server.server().RenderMetrics(), HasSubstr("pointsman_cache_lookups_total{result=\"semantic\"} 2"));
  EXPECT_THAT(server.server().RenderMetrics(), HasSubstr("pointsman_semantic_questions 1"));
}

TEST_F(SemanticCacheTest, WhatDiffersInMoreThanWordsDoesNot) {
  TestServer server(Yaml());
  Ask(server, Greedy(kForgot));
  const auto outcome = [&](const v1::CompleteRequest& request) { return Ask(server, request).trace().cache(); };

  EXPECT_EQ(outcome(Greedy("When is your shop open?")), v1::CACHE_OUTCOME_MISS);
  EXPECT_EQ(outcome(Greedy("I forgot my 2 passwords")), v1::CACHE_OUTCOME_MISS);
  EXPECT_EQ(outcome(Greedy("I never forgot my password")), v1::CACHE_OUTCOME_MISS);
  EXPECT_EQ(outcome(Greedy("I forgot my password for Spotify")), v1::CACHE_OUTCOME_MISS);

  v1::CompleteRequest request = Greedy(kReset);
  request.mutable_sampling()->set_max_tokens(50);
  EXPECT_EQ(outcome(request), v1::CACHE_OUTCOME_MISS) << "other sampling";

  request = Greedy(kReset);
  v1::Message system;
  system.set_role(v1::ROLE_SYSTEM);
  system.add_parts()->set_text("You answer in rhymes.");
  *request.add_messages() = system;
  request.mutable_messages()->SwapElements(0, 1);
  EXPECT_EQ(outcome(request), v1::CACHE_OUTCOME_MISS) << "another system prompt";

  request = Greedy("Hello!");
  v1::Message answer;
  answer.set_role(v1::ROLE_ASSISTANT);
  answer.add_parts()->set_text("Hello, what can I do for you?");
  *request.add_messages() = answer;
  *request.add_messages() = Question(kReset).messages(0);
  EXPECT_EQ(outcome(request), v1::CACHE_OUTCOME_MISS) << "in a conversation";

  request = Greedy("please help me recover my password");
  request.mutable_routing()->mutable_cache()->set_exact(true);
  EXPECT_EQ(outcome(request), v1::CACHE_OUTCOME_MISS) << "the request wants its own answer";

  request = Greedy("how can I get a new one for my password");
  request.mutable_sampling()->set_temperature(1);
  EXPECT_EQ(outcome(request), v1::CACHE_OUTCOME_NOT_CACHEABLE) << "drawn at random";

  EXPECT_EQ(outcome(Greedy(kReset)), v1::CACHE_OUTCOME_SEMANTIC);
}

TEST_F(SemanticCacheTest, TenantsDoNotMeet) {
  TestServer server(Yaml() +
                    "tenants:\n  a: {key: {env: POINTSMAN_TEST_KEY_A}}\n  b: {key: {env: POINTSMAN_TEST_KEY_B}}\n");
  Ask(server, Greedy(kForgot), "key-of-a");
  EXPECT_EQ(Ask(server, Greedy(kReset), "key-of-b").trace().cache(), v1::CACHE_OUTCOME_MISS);
  EXPECT_EQ(Ask(server, Greedy("I lost my password"), "key-of-a").trace().cache(), v1::CACHE_OUTCOME_SEMANTIC);
}

// Questions of all kinds from both, in any order: an answer that is found was always made for the one who asks.
TEST_F(SemanticCacheTest, AThousandQuestionsOfTwoTenantsDoNotCross) {
  TestServer server(Yaml() +
                    "tenants:\n  a: {key: {env: POINTSMAN_TEST_KEY_A}}\n  b: {key: {env: POINTSMAN_TEST_KEY_B}}\n");
  std::vector<std::string> texts;
  std::istringstream rows(testing::FaqRows());
  for (std::string row; std::getline(rows, row);) {
    texts.emplace_back(boost::json::parse(row).at("text").as_string());
  }
  std::mt19937 random(11);
  std::map<std::string, int> made;  // request id of a fresh answer -> tenant
  int semantic = 0, exact = 0;
  for (int i = 0; i < 1000; ++i) {
    const int tenant = static_cast<int>(random() % 2);
    const v1::CompleteResponse response =
        Ask(server, Greedy(texts[random() % texts.size()]), tenant == 0 ? "key-of-a" : "key-of-b");
    const v1::Trace& trace = response.trace();
    if (trace.cache() == v1::CACHE_OUTCOME_MISS) {
      made[response.id()] = tenant;
      continue;
    }
    ++(trace.cache() == v1::CACHE_OUTCOME_SEMANTIC ? semantic : exact);
    ASSERT_TRUE(made.contains(trace.cached_request_id()));
    EXPECT_EQ(made[trace.cached_request_id()], tenant);
  }
  EXPECT_GT(semantic, 100);
  EXPECT_GT(exact, 0);
}

TEST_F(SemanticCacheTest, ConversationsWhereThePolicySaysSo) {
  TestServer server(Yaml("audit: 0, conversations: true"));
  const auto conversation = [](const std::string& before, const std::string& last) {
    v1::CompleteRequest request = Greedy(before);
    v1::Message answer;
    answer.set_role(v1::ROLE_ASSISTANT);
    answer.add_parts()->set_text("Yes?");
    *request.add_messages() = answer;
    *request.add_messages() = Question(last).messages(0);
    return request;
  };
  Ask(server, conversation("Hello!", kForgot));
  EXPECT_EQ(Ask(server, conversation("Hi there!", kReset)).trace().cache(), v1::CACHE_OUTCOME_MISS);
  EXPECT_EQ(Ask(server, conversation("Hello!", kReset)).trace().cache(), v1::CACHE_OUTCOME_SEMANTIC);
}

TEST_F(SemanticCacheTest, AuditsAnswerAnew) {
  TestServer server(Yaml("audit: 1"));
  const v1::CompleteResponse fresh = Ask(server, Greedy(kForgot));
  const v1::CompleteResponse audited = Ask(server, Greedy(kReset));
  EXPECT_EQ(audited.trace().cache(), v1::CACHE_OUTCOME_MISS);
  EXPECT_EQ(audited.trace().cache_audit(), "same");
  EXPECT_EQ(audited.trace().cached_request_id(), fresh.id());
  EXPECT_GT(audited.usage().cost_usd(), 0);
  EXPECT_THAT(server.server().RenderMetrics(),
              HasSubstr("pointsman_semantic_audits_total{policy=\"p\",result=\"same\"} 1"));
}

TEST_F(SemanticCacheTest, AReplicaFindsInRedisWhatItHasSeen) {
  const testing::RedisServer redis;
  const std::string yaml =
      Yaml("audit: 0", "  redis:\n    addresses: [127.0.0.1:" + std::to_string(redis.port()) + "]\n    timeout: 1s\n");
  const auto usable = [](TestServer& server) {
    return Eventually([&] {
      grpc::ClientContext context;
      v1::GetStatusResponse response;
      return server.admin().GetStatus(&context, {}, &response).ok() && response.cache().redis() == "usable";
    });
  };
  TestServer one(yaml), two(yaml);
  ASSERT_TRUE(usable(one) && usable(two));
  Ask(one, Greedy(kForgot));
  ASSERT_TRUE(Eventually([&] { return !redis.TryCli({"KEYS", "*:a:*"}).empty(); }));
  const v1::CompleteResponse like = Ask(one, Greedy(kReset));
  EXPECT_EQ(like.trace().cache(), v1::CACHE_OUTCOME_SEMANTIC);
  EXPECT_EQ(like.trace().cache_store(), "redis");

  // The other replica knows the question once it was asked there.
  EXPECT_EQ(Ask(two, Greedy(kForgot)).trace().cache(), v1::CACHE_OUTCOME_EXACT);
  EXPECT_EQ(Ask(two, Greedy(kReset)).trace().cache(), v1::CACHE_OUTCOME_SEMANTIC);

  redis.Cli({"FLUSHALL"});  // the answer is gone: its question is no match any more
  EXPECT_EQ(Ask(one, Greedy("I lost my password")).trace().cache(), v1::CACHE_OUTCOME_MISS);
}

TEST_F(SemanticCacheTest, APrecisionThatIsNotReachedIsAnError) {
  std::string yaml = Yaml();
  yaml.replace(yaml.find("precision: 0.9,"), 15, "precision: 0.9999,");
  try {
    TestServer server(yaml);
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("policies.p.cache.semantic.precision"));
    EXPECT_THAT(error.what(), HasSubstr("with 95 % confidence"));
  }
}

}  // namespace
}  // namespace pointsman
