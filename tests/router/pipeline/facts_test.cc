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

}  // namespace
}  // namespace pointsman::pipeline
