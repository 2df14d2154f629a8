#include "backends/openai/answer_json.h"

#include <gtest/gtest.h>

#include <random>

namespace pointsman::openai {
namespace {

using backends::Chunk;

class AnswerJsonTest : public ::testing::Test {
 protected:
  // The error's message, or "".
  std::string Event(std::string_view json) {
    Result<void> added = answer_.AddEvent(json, chunk_);
    return added ? "" : added.error().message;
  }
  std::string Choice(const std::string& rest) { return Event(R"({"choices":[{"index":0,)" + rest + "}]}"); }
  std::string Finish() {
    Result<void> finished = answer_.Finish(chunk_);
    return finished ? "" : finished.error().message;
  }

  JsonReader reader_;
  AnswerReader answer_{reader_, true};
  Chunk chunk_;
};

TEST_F(AnswerJsonTest, JoinsText) {
  EXPECT_EQ(Choice(R"("delta":{"role":"assistant","content":""})"), "");
  EXPECT_EQ(Choice(R"("delta":{"content":"Grüß \u20ac"})"), "");
  EXPECT_EQ(Choice(R"("delta":{"content":" dich"})"), "");
  EXPECT_EQ(chunk_.text, "Grüß \xe2\x82\xac dich");
  EXPECT_EQ(answer_.events(), 3u);
}

TEST_F(AnswerJsonTest, IsLenientAboutWhatIsMissingOrUnknown) {
  for (const char* json : {"{}", R"({"choices":[]})", R"({"choices":null,"usage":null})", R"({"type":"ping"})",
                           R"({"choices":[{}]})", R"({"choices":[{"delta":null,"finish_reason":null}]})",
                           R"({"choices":[{"delta":{"content":null,"reasoning_content":"hm","x":[1,{"y":2}]}}]})",
                           R"({"choices":[{"delta":{"tool_calls":null},"logprobs":{"content":null}}],"error":null})",
                           R"({"choices":[{"delta":{"tool_calls":[]},"logprobs":null}]})",
                           R"( {"choices" : [ { "index" : 1 , "delta" : { "content" : "another choice" } } ] } )"}) {
    EXPECT_EQ(Event(json), "") << json;
  }
  EXPECT_EQ(chunk_.text, "");
}

TEST_F(AnswerJsonTest, IsStrictAboutWhatMakesNoSense) {
  for (const char* json :
       {"", "x", "[]", "1", "{", R"({"a":1}})", R"({"choices":{}})", R"({"choices":[1]})",
        R"({"choices":[{"delta":{"content":1}}]})", R"({"choices":[{"delta":{"content":[1]}}]})",
        R"({"choices":[{"delta":{"tool_calls":{}}}]})", R"({"choices":[{"delta":{"tool_calls":[1]}}]})",
        R"({"choices":[{"delta":{},"logprobs":{"content":[{}]}}]})",
        R"({"choices":[{"delta":{},"logprobs":{"content":[{"logprob":-1,"top_logprobs":[{}]}]}}]})",
        "{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}"}) {
    EXPECT_TRUE(Event(json).starts_with("the answer makes no sense: ")) << json << " " << Event(json);
  }
}

TEST_F(AnswerJsonTest, DeepNestingIsRefused) {
  std::string deep(100'000, '[');
  EXPECT_TRUE(Event("{\"x\":" + deep).starts_with("the answer makes no sense: "));
}

TEST_F(AnswerJsonTest, TakesContentInPartsAndRefusals) {
  EXPECT_EQ(Choice(R"("delta":{"content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]})"),
            "");
  EXPECT_EQ(Choice(R"("delta":{"content":null,"refusal":" No."})"), "");
  EXPECT_EQ(chunk_.text, "ab No.");
}

TEST_F(AnswerJsonTest, UnderstandsFinishReasons) {
  const std::pair<const char*, v1::FinishReason> cases[] = {{"stop", v1::FINISH_REASON_STOP},
                                                            {"eos", v1::FINISH_REASON_STOP},
                                                            {"length", v1::FINISH_REASON_LENGTH},
                                                            {"model_length", v1::FINISH_REASON_LENGTH},
                                                            {"tool_calls", v1::FINISH_REASON_TOOL_CALLS},
                                                            {"function_call", v1::FINISH_REASON_TOOL_CALLS},
                                                            {"content_filter", v1::FINISH_REASON_FILTERED}};
  for (auto [word, reason] : cases) {
    AnswerReader answer(reader_, false);
    Chunk chunk;
    std::string json = R"({"choices":[{"delta":{},"finish_reason":")" + std::string(word) + "\"}]}";
    ASSERT_TRUE(answer.AddEvent(json, chunk).ok());
    ASSERT_TRUE(answer.Finish(chunk).ok()) << word;
    EXPECT_EQ(chunk.finish, reason) << word;
  }
}

TEST_F(AnswerJsonTest, AFinishReasonThatMeansFailureIsOne) {
  EXPECT_EQ(Finish(), "it has no finish_reason");
  EXPECT_EQ(Choice(R"("delta":{},"finish_reason":"abort")"), "");
  EXPECT_EQ(Finish(), "its finish_reason is \"abort\"");
  EXPECT_FALSE(chunk_.last());
}

TEST_F(AnswerJsonTest, TheLastUsageCounts) {
  EXPECT_EQ(Event(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}})"), "");
  EXPECT_EQ(Event(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2.0,"prompt_cache_hit_tokens":2}})"),
            "");
  EXPECT_EQ(Event(R"({"choices":[{"finish_reason":"stop"}],"usage":null})"), "");
  EXPECT_EQ(Finish(), "");
  ASSERT_TRUE(chunk_.usage);
  EXPECT_EQ(chunk_.usage->prompt_tokens(), 3u);
  EXPECT_EQ(chunk_.usage->completion_tokens(), 2u);
  EXPECT_EQ(chunk_.usage->cached_tokens(), 2u);
  EXPECT_FALSE(chunk_.usage->has_cost_usd());
}

TEST_F(AnswerJsonTest, UsageIsUnsetWhenNoneCame) {
  EXPECT_EQ(Choice(R"("finish_reason":"stop")"), "");
  EXPECT_EQ(Finish(), "");
  EXPECT_FALSE(chunk_.usage);
}

TEST_F(AnswerJsonTest, AbsurdCountsAreCut) {
  EXPECT_EQ(Event(R"({"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":-5,"completion_tokens":1e300}})"),
            "");
  EXPECT_EQ(Finish(), "");
  EXPECT_EQ(chunk_.usage->prompt_tokens(), 0u);
  EXPECT_EQ(chunk_.usage->completion_tokens(), 4294967295u);
}

TEST_F(AnswerJsonTest, ToolCallsWithoutIndexOrId) {
  EXPECT_EQ(Choice(R"("delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]})"), "");
  EXPECT_EQ(Choice(R"("delta":{"tool_calls":[{"function":{"arguments":"1}"}}]})"), "");
  EXPECT_EQ(Choice(R"("delta":{"tool_calls":[{"id":"b","function":{"name":"g","arguments":{"y":[2]}}}]})"), "");
  EXPECT_EQ(Choice(R"("delta":{"tool_calls":[{"index":5,"function":{"name":"h","arguments":"{}"}}]})"), "");
  EXPECT_EQ(Choice(R"("delta":{},"finish_reason":"stop")"), "");
  EXPECT_EQ(Finish(), "");
  ASSERT_EQ(chunk_.tool_calls.size(), 3u);
  EXPECT_EQ(chunk_.tool_calls[0].arguments(), R"({"x":1})");
  EXPECT_EQ(chunk_.tool_calls[1].id(), "b");
  EXPECT_EQ(chunk_.tool_calls[1].arguments(), R"({"y":[2]})");
  EXPECT_EQ(chunk_.tool_calls[2].id(), "call_5");
  EXPECT_EQ(chunk_.finish, v1::FINISH_REASON_TOOL_CALLS);
}

TEST_F(AnswerJsonTest, AToolCallThatTheLimitCutIsNotPassedOn) {
  EXPECT_EQ(Choice(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]})"), "");
  EXPECT_EQ(Choice(R"("delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{\"x"}}]})"), "");
  EXPECT_EQ(Choice(R"("delta":{},"finish_reason":"length")"), "");
  EXPECT_EQ(Finish(), "");
  ASSERT_EQ(chunk_.tool_calls.size(), 1u);
  EXPECT_EQ(chunk_.finish, v1::FINISH_REASON_LENGTH);
}

TEST_F(AnswerJsonTest, ToolCallsAreBounded) {
  std::string big(300'000, 'x'), problem;
  for (int i = 0; i < 10 && problem.empty(); ++i) {
    problem = Choice(R"("delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":")" + big + "\"}}]}");
  }
  EXPECT_NE(problem.find("tool calls of more than"), std::string::npos);
  AnswerReader answer(reader_, false);
  problem.clear();
  for (int i = 0; i < 200 && problem.empty(); ++i) {
    std::string json = R"({"choices":[{"delta":{"tool_calls":[{"index":)" + std::to_string(i) + "}]}}]}";
    Result<void> added = answer.AddEvent(json, chunk_);
    if (!added) problem = added.error().message;
  }
  EXPECT_NE(problem.find("more than 128 tool calls"), std::string::npos);
}

TEST_F(AnswerJsonTest, AToolCallWithoutANameIsGarbage) {
  EXPECT_EQ(Choice(R"("delta":{"tool_calls":[{"index":0,"id":"a"}]},"finish_reason":"tool_calls")"), "");
  EXPECT_EQ(Finish(), "the answer makes no sense: a tool call has no name");
}

TEST_F(AnswerJsonTest, LogprobsAreSkippedWhenNobodyAsked) {
  AnswerReader answer(reader_, false);
  ASSERT_TRUE(answer.AddEvent(R"({"choices":[{"delta":{},"logprobs":{"content":[{}]}}]})", chunk_).ok());
  EXPECT_TRUE(chunk_.logprobs.empty());
}

TEST_F(AnswerJsonTest, ErrorsInTheStreamAreClassifiedByTheirCode) {
  auto error = [&](const char* json) { return answer_.AddEvent(json, chunk_).error(); };
  EXPECT_EQ(error(R"({"error":{"message":"slow down","code":429}})").code, Code::kResourceExhausted);
  EXPECT_EQ(error(R"({"error":{"message":"slow down","code":"429"}})").code, Code::kResourceExhausted);
  EXPECT_EQ(error(R"({"error":{"message":"bad","code":400}})").error_class, ErrorClass::kCallersFault);
  EXPECT_EQ(error(R"({"error":{"message":"x","type":"exceed_context_size_error","code":400}})").error_class,
            ErrorClass::kRetryElsewhere);
  EXPECT_EQ(error(R"({"error":"boom"})").message, "it ended with an error: boom");
  EXPECT_EQ(error(R"({"error":{}})").error_class, ErrorClass::kRetryElsewhere);
}

TEST_F(AnswerJsonTest, AWholeAnswerNeedsChoices) {
  EXPECT_FALSE(answer_.AddWhole("{}", chunk_).ok());
  EXPECT_FALSE(answer_.AddWhole(R"({"choices":null})", chunk_).ok());
}

TEST_F(AnswerJsonTest, RandomBytesDoNoHarm) {
  const std::string sample =
      R"({"id":"c","choices":[{"index":0,"delta":{"content":"a\u00e4","tool_calls":[{"index":0,"id":"x","function":)"
      R"({"name":"f","arguments":"{}"}}]},"logprobs":{"content":[{"token":"a","logprob":-0.5,"top_logprobs":[]}]},)"
      R"("finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2},"error":null})";
  std::mt19937 random(1);
  int good = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string json = sample;
    for (int i = random() % 4; i >= 0; --i) {
      std::size_t at = random() % json.size();
      switch (random() % 3) {
        case 0: json[at] = static_cast<char>(random()); break;
        case 1: json.erase(at, 1 + random() % 8); break;
        default: json.insert(at, 1, "{}[]\",:0n"[random() % 9]); break;
      }
    }
    AnswerReader answer(reader_, true);
    Chunk chunk;
    if (answer.AddEvent(json, chunk)) good += answer.Finish(chunk).ok();
  }
  EXPECT_GT(good, 100);  // some changes do not matter
}

TEST(Printable, MakesAnyBytesFitForAMessage) {
  EXPECT_EQ(Printable("a\r\n\t b\x01  c ", 100), "a b c");
  EXPECT_EQ(Printable("\xff\xc3\xa4\xc3", 100), "\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd");
  EXPECT_EQ(Printable("\xed\xa0\x80", 100), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // half a surrogate pair
  EXPECT_EQ(Printable("aaaa\xc3\xa4", 5), "aaaa");
  EXPECT_EQ(Printable(std::string(1000, 'x'), 500).size(), 500u);
}

}  // namespace
}  // namespace pointsman::openai
