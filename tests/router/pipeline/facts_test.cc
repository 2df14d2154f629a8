#include "router/pipeline/facts.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace pointsman::pipeline {
namespace {

v1::CompleteRequest Request(const std::string& text) {
  v1::CompleteRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

TEST(Facts, NeedsFollowFromTheRequest) {
  EXPECT_EQ(FactsOf(Request("messages { role: ROLE_USER parts { text: 'x' } }")).needs, 0u);
  EXPECT_EQ(FactsOf(Request("tools { name: 'f' }")).needs, config::kTools);
  EXPECT_EQ(FactsOf(Request("tools { name: 'f' } tool_choice: 'none'")).needs, 0u);
  EXPECT_EQ(FactsOf(Request("messages { parts { image { url: 'https://x' } } }")).needs, config::kImages);
  EXPECT_EQ(FactsOf(Request("response_format { json_schema: '{}' }")).needs, config::kJsonSchema);
  EXPECT_EQ(FactsOf(Request("response_format { json_object: true }")).needs, config::kJsonSchema);
  EXPECT_EQ(FactsOf(Request("response_format { json_object: false }")).needs, 0u);
  EXPECT_EQ(FactsOf(Request("response_format { grammar: 'root ::= \"a\"' } logprobs: true")).needs,
            config::kGrammar | config::kLogprobs);
  EXPECT_EQ(FactsOf(Request("messages { role: ROLE_TOOL tool_call_id: 'c' parts { text: '1' } }")).needs,
            config::kTools);
}

TEST(Facts, CountsTheWholePrompt) {
  auto facts =
      FactsOf(Request("messages { parts { text: '12345678' } } messages { parts { text: '1234' } parts { text: "
                      "'5678' } }"));
  EXPECT_EQ(facts.prompt_tokens, 4u);
}

TEST(Question, IsTheLastUserMessage) {
  std::string storage;
  auto request = Request(
      "messages { role: ROLE_USER parts { text: 'first' } } messages { role: ROLE_ASSISTANT parts { text: 'answer' } } "
      "messages { role: ROLE_USER parts { text: 'second' } parts { image { url: 'x' } } parts { text: 'part' } }");
  EXPECT_EQ(QuestionOf(request, storage), "second\npart");
  EXPECT_EQ(QuestionOf(Request("messages { role: ROLE_SYSTEM parts { text: 's' } }"), storage), "");
}

std::string User(const std::string& text) { return "messages { role: ROLE_USER parts { text: '" + text + "' } } "; }

TEST(ConversationTexts, AreTheSystemPromptTheEarlierTurnsAndTheLast) {
  const auto request = Request("messages { role: ROLE_SYSTEM parts { text: 'tutor' } } " + User("a") + User("b") +
                               "messages { role: ROLE_ASSISTANT parts { text: 'answer' } } " + User("c") + User("d") +
                               "messages { role: ROLE_USER parts { text: 'e' } parts { text: 'f' } }");
  const ConversationTexts texts(request);
  EXPECT_EQ(texts.conversation().system, "tutor");
  EXPECT_EQ(texts.conversation().history, "b\nc\nd");  // the three latest
  EXPECT_EQ(texts.conversation().last, "e\nf");
}

TEST(ConversationTexts, AreEmptyWhereThereAreNone) {
  const auto request = Request(User("only"));
  const ConversationTexts texts(request);
  EXPECT_EQ(texts.conversation().system, "");
  EXPECT_EQ(texts.conversation().history, "");
  EXPECT_EQ(texts.conversation().last, "only");
  const auto two = Request(User("first") + User("second"));
  EXPECT_EQ(ConversationTexts(two).conversation().history, "first");
}

}  // namespace
}  // namespace pointsman::pipeline
