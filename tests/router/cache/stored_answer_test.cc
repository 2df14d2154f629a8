#include "router/cache/stored_answer.h"

#include <gtest/gtest.h>

#include <random>

namespace pointsman::cache {
namespace {

v1::CompleteResponse Answer(const std::string& text) {
  v1::CompleteResponse response;
  response.set_id("first");
  response.set_expert("small");
  response.mutable_message()->add_parts()->set_text(text);
  response.mutable_usage()->set_prompt_tokens(7);
  return response;
}

TEST(StoredAnswer, ComesBack) {
  const WallTime now = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  std::mt19937 random(1);
  std::string noise(5000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random() % 128);
  for (const std::string& text : {std::string("short"), std::string(50'000, 'x'), noise}) {
    const v1::CompleteResponse response = Answer(text);
    const std::string bytes = Encode(response, now, 1'600'000'000'000ull << 20);
    const auto answer = Decode(bytes);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response->SerializeAsString(), response.SerializeAsString());
    EXPECT_EQ(answer->stored, now);
    EXPECT_EQ(answer->purges, 1'600'000'000'000ull << 20);
  }
}

TEST(StoredAnswer, LongTextsAreCompressedAndShortOnesNot) {
  EXPECT_LT(Encode(Answer(std::string(50'000, 'x')), {}).size(), 1000u);
  EXPECT_EQ(Encode(Answer("short"), {})[2], 0);
}

TEST(StoredAnswer, WhatIsNoAnswerIsNone) {
  const std::string plain = Encode(Answer("short"), {}), packed = Encode(Answer(std::string(50'000, 'x')), {});
  for (const std::string& bytes : {plain, packed}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(Decode(bytes.substr(0, size))) << size;
    std::string other = bytes;
    other[0] = 'Q';
    EXPECT_FALSE(Decode(other));
    other = bytes;
    other[1] = 2;  // a later format
    EXPECT_FALSE(Decode(other));
    other = bytes;
    other[2] = 9;
    EXPECT_FALSE(Decode(other));
  }
  std::mt19937 random(2);
  for (int i = 0; i < 10'000; ++i) {  // none may crash, or allocate without bound
    std::string damaged = packed;
    for (int flips = 0; flips < 3; ++flips) damaged[3 + random() % (damaged.size() - 3)] = static_cast<char>(random());
    (void)Decode(damaged);
  }
}

TEST(StoredAnswer, TooLargeIsNotWritten) { EXPECT_EQ(Encode(Answer(std::string(kLargestAnswer + 1, 'x')), {}), ""); }

}  // namespace
}  // namespace pointsman::cache
