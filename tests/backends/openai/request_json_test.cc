#include "backends/openai/request_json.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <limits>

namespace pointsman::openai {
namespace {

v1::CompleteRequest Request(const std::string& text) {
  v1::CompleteRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

std::string Json(const std::string& text, const config::Expert& expert = {}, bool stream = false) {
  config::OpenAiBackend backend;
  backend.model = "m";
  Result<std::string> json = RequestJson(Request(text), expert, backend, stream);
  if (!json) return "error: " + json.error().field + ": " + json.error().message;
  boost::system::error_code ec;
  boost::json::parse(*json, ec);
  EXPECT_FALSE(ec) << *json;
  return *json;
}

const char kHi[] = R"(messages { role: ROLE_USER parts { text: "Hi" } })";

TEST(RequestJson, SendsNothingThatIsNotSet) {
  EXPECT_EQ(Json(kHi), R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})");
}

TEST(RequestJson, AsksForUsageWhenItStreams) {
  EXPECT_EQ(
      Json(kHi, {}, true),
      R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true}})");
}

TEST(RequestJson, PrependsTheExpertsSystemPromptUnlessTheRequestHasOne) {
  config::Expert expert;
  expert.system = "Be brief.";
  EXPECT_EQ(Json(kHi, expert),
            R"({"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]})");
  EXPECT_EQ(Json(R"(messages { role: ROLE_SYSTEM parts { text: "Be long." } })" + std::string(kHi), expert),
            R"({"model":"m","messages":[{"role":"system","content":"Be long."},{"role":"user","content":"Hi"}]})");
}

TEST(RequestJson, WritesEveryKindOfMessage) {
  EXPECT_EQ(
      Json(R"(
    messages { role: ROLE_USER name: "Ann" parts { text: "What " } parts { text: "now?" } }
    messages { role: ROLE_ASSISTANT tool_calls { id: "c1" name: "f" arguments: "{\"x\":\"\\n\"}" } }
    messages { role: ROLE_TOOL tool_call_id: "c1" parts { text: "42" } }
    messages { role: ROLE_ASSISTANT parts { text: "So:" } tool_calls { id: "c2" name: "g" arguments: "{}" } }
    messages { role: ROLE_USER parts { text: "See" } parts { image { url: "https://x/y.png" detail: "low" } }
               parts { image { url: "data:image/png;base64,AA==" } } }
  )"),
      R"({"model":"m","messages":[)"
      R"({"role":"user","content":"What now?","name":"Ann"},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":\"\\n\"}"}}]},)"
      R"({"role":"tool","content":"42","tool_call_id":"c1"},)"
      R"({"role":"assistant","content":"So:","tool_calls":[{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
      R"({"role":"user","content":[{"type":"text","text":"See"},{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},)"
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]})");
}

TEST(RequestJson, EscapesText) {
  std::string json =
      Json(R"(messages { role: ROLE_USER parts { text: "\"\\\n\r\t\001\037 \303\244\342\202\254 </script>" } })");
  EXPECT_EQ(json,
            "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\\"\\\\\\n\\r\\t\\u0001\\u001f "
            "\xc3\xa4\xe2\x82\xac </script>\"}]}");
}

TEST(RequestJson, SendsEverySamplingField) {
  EXPECT_EQ(
      Json(std::string(kHi) + R"(sampling { temperature: 0 top_p: 0.9 top_k: 0 min_p: 0.05 max_tokens: 7
      frequency_penalty: -0.5 presence_penalty: 2 repeat_penalty: 1.1 seed: 18446744073709551615 stop: "\n" stop: "END" })"),
      R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":0,"top_p":0.9,"top_k":0,"min_p":0.05,)"
      R"("max_tokens":7,"frequency_penalty":-0.5,"presence_penalty":2,"repetition_penalty":1.1,"repeat_penalty":1.1,)"
      R"("seed":9223372036854775807,"stop":["\n","END"]})");
}

TEST(RequestJson, FillsInTheExpertsDefaults) {
  config::Expert expert;
  expert.sampling.temperature = 0.3;
  expert.sampling.max_tokens = 99;
  EXPECT_EQ(Json(std::string(kHi) + "sampling { max_tokens: 5 }", expert),
            R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":0.3,"max_tokens":5})");
}

TEST(RequestJson, NamesTheTokenLimitAsTheExpertWantsIt) {
  config::OpenAiBackend backend;
  backend.max_tokens_field = "max_completion_tokens";
  auto json = RequestJson(Request(std::string(kHi) + "sampling { max_tokens: 5 }"), {}, backend, false);
  EXPECT_NE(json->find(R"("max_completion_tokens":5)"), std::string::npos);
  EXPECT_EQ(json->find("max_tokens\""), std::string::npos);
}

TEST(RequestJson, SendsToolsAndTheChoiceOfThem) {
  std::string tools =
      std::string(kHi) +
      R"(tools { name: "f" description: "F" parameters: "{\"type\": \"object\"}" } tools { name: "g" } )";
  std::string head = R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[)"
                     R"({"type":"function","function":{"name":"f","description":"F","parameters":{"type": "object"}}},)"
                     R"({"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}])";
  EXPECT_EQ(Json(tools), head + "}");
  for (std::string choice : {"auto", "none", "required"}) {
    EXPECT_EQ(Json(tools + "tool_choice: \"" + choice + "\""), head + R"(,"tool_choice":")" + choice + "\"}");
  }
  EXPECT_EQ(Json(tools + "tool_choice: \"g\""),
            head + R"(,"tool_choice":{"type":"function","function":{"name":"g"}}})");
}

TEST(RequestJson, SendsTheFormLogprobsAndUser) {
  std::string head = R"({"model":"m","messages":[{"role":"user","content":"Hi"}],)";
  EXPECT_EQ(
      Json(std::string(kHi) + R"(response_format { json_schema: "{\"type\":\"object\"}" })"),
      head +
          R"("response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":{"type":"object"}}}})");
  EXPECT_EQ(Json(std::string(kHi) + "response_format { json_object: true }"),
            head + R"("response_format":{"type":"json_object"}})");
  EXPECT_EQ(Json(std::string(kHi) + R"(response_format { grammar: "root ::= \"a\"" })"),
            head + R"("grammar":"root ::= \"a\""})");
  EXPECT_EQ(Json(std::string(kHi) + "logprobs: true"), head + R"("logprobs":true})");
  EXPECT_EQ(Json(std::string(kHi) + "logprobs: true top_logprobs: 0 routing { user_id: 'u1' }"),
            head + R"("logprobs":true,"top_logprobs":0,"user":"u1"})");
}

TEST(RequestJson, RefusesTextThatIsNoJsonObject) {
  EXPECT_TRUE(Json(std::string(kHi) + "tools { name: 'f' } tools { name: 'g' parameters: '{' }")
                  .starts_with("error: tools[1].parameters: tools[1].parameters is not JSON"));
  EXPECT_EQ(Json(std::string(kHi) + "response_format { json_schema: '[]' }"),
            "error: response_format.json_schema: response_format.json_schema is not a JSON object");
  EXPECT_TRUE(Json(std::string(kHi) + "response_format { json_schema: '{} , \"evil\": {}' }").starts_with("error: "));
}

TEST(RequestJson, RefusesNumbersThatJsonDoesNotHave) {
  v1::CompleteRequest request = Request(kHi);
  request.mutable_sampling()->set_temperature(std::numeric_limits<double>::quiet_NaN());
  auto json = RequestJson(request, {}, {}, false);
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(json.error().field, "sampling.temperature");
}

}  // namespace
}  // namespace pointsman::openai
