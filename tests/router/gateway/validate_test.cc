#include "router/gateway/validate.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace pointsman::gateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

v1::CompleteRequest Request(const std::string& text) {
  v1::CompleteRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

const char kHello[] = "messages { role: ROLE_USER parts { text: 'hello' } } ";

std::vector<std::string> Fields(const v1::CompleteRequest& request) {
  std::vector<std::string> fields;
  for (const FieldViolation& v : Validate(request)) fields.push_back(v.field);
  return fields;
}
std::vector<std::string> Fields(const std::string& more) { return Fields(Request(kHello + more)); }

TEST(Validate, AcceptsAPlainQuestion) { EXPECT_THAT(Fields(""), IsEmpty()); }

TEST(Validate, WantsMessages) { EXPECT_THAT(Fields(v1::CompleteRequest()), ElementsAre("messages")); }

TEST(Validate, ReportsEverythingAtOnce) {
  auto request = Request(
      "messages { parts { text: 'x' } } messages { role: ROLE_USER } sampling { temperature: 3 max_tokens: 0 stop: '' "
      "} "
      "tool_choice: 'search' top_logprobs: 21 routing { policy: 'a' expert: 'b' }");
  EXPECT_THAT(Fields(request),
              ElementsAre("messages[0].role", "messages[1].parts", "sampling.temperature", "sampling.max_tokens",
                          "sampling.stop[0]", "tool_choice", "routing.expert", "top_logprobs", "top_logprobs"));
}

TEST(Validate, KeepsSamplingInRange) {
  EXPECT_THAT(Fields("sampling { temperature: 0 top_p: 1 min_p: 0 top_k: 0 repeat_penalty: 2 }"), IsEmpty());
  EXPECT_THAT(Fields("sampling { top_p: 0 }"), ElementsAre("sampling.top_p"));
  EXPECT_THAT(Fields("sampling { min_p: -0.1 }"), ElementsAre("sampling.min_p"));
  v1::CompleteRequest nan = Request(kHello);
  nan.mutable_sampling()->set_temperature(std::nan(""));
  EXPECT_THAT(Fields(nan), ElementsAre("sampling.temperature"));
}

TEST(Validate, LastMessageMustWantAnAnswer) {
  EXPECT_THAT(Fields("messages { role: ROLE_ASSISTANT parts { text: 'hi' } }"), ElementsAre("messages[1].role"));
}

TEST(Validate, ToolMessagesAnswerACall) {
  EXPECT_THAT(Fields("messages { role: ROLE_ASSISTANT tool_calls { id: 'c1' name: 'f' arguments: '{}' } } "
                     "messages { role: ROLE_TOOL tool_call_id: 'c1' parts { text: '7' } }"),
              IsEmpty());
  EXPECT_THAT(Fields("messages { role: ROLE_TOOL tool_call_id: 'c2' parts { text: '7' } }"),
              ElementsAre("messages[1].tool_call_id"));
}

TEST(Validate, ToolsNeedNamesAndSchemas) {
  EXPECT_THAT(Fields("tools { name: 'f' parameters: '{\"type\":\"object\"}' } tool_choice: 'f'"), IsEmpty());
  EXPECT_THAT(Fields("tools { name: 'f g' parameters: '[]' } tools { name: 'h' parameters: '{' } tools { name: 'h' }"),
              ElementsAre("tools[0].name", "tools[0].parameters", "tools[1].parameters", "tools[2].name"));
}

TEST(Validate, SchemaMustBeAJsonObject) {
  EXPECT_THAT(Fields("response_format { json_schema: '{\"type\":\"object\"}' }"), IsEmpty());
  EXPECT_THAT(Fields("response_format { json_schema: 'nonsense' }"), ElementsAre("response_format.json_schema"));
}

TEST(Validate, ImagesComeFromUsersByUrl) {
  EXPECT_THAT(Fields("messages { role: ROLE_USER parts { image { url: 'https://example.org/a.png' } } }"), IsEmpty());
  EXPECT_THAT(Fields("messages { role: ROLE_USER parts { image { url: 'file:///etc/passwd' } } }"),
              ElementsAre("messages[1].parts[0].image.url"));
}

TEST(Validate, BoundsWhatItReports) {
  v1::CompleteRequest request;
  for (int i = 0; i < 500; ++i) request.add_messages();
  EXPECT_LE(Validate(request).size(), 20u);
}

}  // namespace
}  // namespace pointsman::gateway
