#include "router/cache/question_index.h"

#include <gtest/gtest.h>

#include <thread>

#include "router/offline/tune_cache.h"
#include "tests/support/faq.h"

namespace pointsman::cache {
namespace {

Key KeyOf(std::uint32_t number) {
  Key key{};
  for (std::size_t i = 0; i < 4; ++i) key[i] = key[31 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return key;
}

struct QuestionIndexTest : ::testing::Test {
  static void SetUpTestSuite() {
    folder = new testing::TempDir;
    auto loaded = QuestionMatcher::Load(testing::FaqMatcher(*folder));
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    matcher = *std::move(loaded);
  }
  static void TearDownTestSuite() {
    matcher.reset();
    delete folder;
  }
  static MatchQuestion Read(const std::string& text) {
    auto question = matcher->Read(text);
    EXPECT_TRUE(question) << text;
    return question.value_or(MatchQuestion());
  }

  static inline testing::TempDir* folder;
  static inline std::shared_ptr<const QuestionMatcher> matcher;
  const Clock::time_point now = Clock::now();
  const Key group = KeyOf(77);
};

TEST_F(QuestionIndexTest, FindsTheQuestionThatTheAnswerServes) {
  QuestionIndex index(matcher, 1000, std::chrono::hours(1));
  index.Add(group, Read("How do I reset my password?"), KeyOf(1), KeyOf(11), now);
  index.Add(group, Read("When is your shop open?"), KeyOf(2), KeyOf(12), now);
  const auto found = index.Find(group, Read("I lost my password"), 0.9, now);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, KeyOf(1));
  EXPECT_EQ(found->question, KeyOf(11));
  EXPECT_GE(found->probability, 0.9);
  EXPECT_FALSE(index.Find(group, Read("how can I return the shoes"), 0.9, now));
  EXPECT_EQ(index.size(), 2U);
}

TEST_F(QuestionIndexTest, GroupsDoNotMeet) {
  QuestionIndex index(matcher, 1000, std::chrono::hours(1));
  const MatchQuestion question = Read("How do I reset my password?");
  index.Add(group, question, KeyOf(1), KeyOf(11), now);
  for (std::uint32_t other = 0; other < 5000; ++other) {
    if (KeyOf(other) != group) {
      EXPECT_FALSE(index.Find(KeyOf(other), question, 0, now)) << other;
    }
  }
}

TEST_F(QuestionIndexTest, GuardsForbid) {
  QuestionIndex index(matcher, 1000, std::chrono::hours(1));
  index.Add(group, Read("when will my order arrive"), KeyOf(1), KeyOf(11), now);
  EXPECT_TRUE(index.Find(group, Read("when will the parcel arrive"), 0.5, now));
  for (const char* other : {"when will order 5 arrive", "when will my order not arrive",
                            "when will my order arrive in paris", "when will my \"order\" arrive"}) {
    const auto question = matcher->Read(other);
    EXPECT_FALSE(question && index.Find(group, *question, 0, now)) << other;
  }
}

TEST_F(QuestionIndexTest, EntriesExpireAndGo) {
  QuestionIndex index(matcher, 1000, std::chrono::seconds(60));
  const MatchQuestion question = Read("How do I reset my password?");
  index.Add(group, question, KeyOf(1), KeyOf(11), now);
  EXPECT_TRUE(index.Find(group, question, 0.5, now + std::chrono::seconds(60)));
  EXPECT_FALSE(index.Find(group, question, 0.5, now + std::chrono::seconds(61)));
  EXPECT_EQ(index.size(), 0U);
  index.Add(group, question, KeyOf(1), KeyOf(11), now);
  index.Remove(group, question, KeyOf(2));
  EXPECT_EQ(index.size(), 1U);
  index.Remove(group, question, KeyOf(1));
  EXPECT_EQ(index.size(), 0U);
}

TEST_F(QuestionIndexTest, IsBounded) {
  QuestionIndex index(matcher, 1600, std::chrono::hours(1));
  const MatchQuestion question = Read("How do I reset my password?");
  for (std::uint32_t i = 0; i < 3000; ++i) index.Add(group, question, KeyOf(i), KeyOf(i), now);  // one list
  EXPECT_LE(index.size(), QuestionIndex::kMostInList);
  for (std::uint32_t i = 0; i < 20000; ++i) index.Add(KeyOf(i), question, KeyOf(i), KeyOf(i), now);
  EXPECT_LE(index.size(), 1600U);
  EXPECT_GE(index.size(), 1000U);
  // The latest is there, and the same key again takes no more room.
  ASSERT_TRUE(index.Find(KeyOf(19999), question, 0.5, now));
  const std::size_t size = index.size();
  index.Add(KeyOf(19999), question, KeyOf(19999), KeyOf(1), now);
  EXPECT_EQ(index.size(), size);
  EXPECT_EQ(index.Find(KeyOf(19999), question, 0.5, now)->question, KeyOf(1));
}

TEST_F(QuestionIndexTest, ManyThreads) {
  QuestionIndex index(matcher, 500, std::chrono::hours(1));
  const MatchQuestion question = Read("How do I reset my password?");
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < 2000; ++i) {
        const Key own = KeyOf(t * 10000 + i % 100);
        index.Add(own, question, own, own, now);
        const auto found = index.Find(own, question, 0.5, now);
        if (found) {
          EXPECT_EQ(found->key, own);
        }
        if (i % 3 == 0) index.Remove(own, question, own);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(index.size(), 500U);
}

TEST_F(QuestionIndexTest, WhatCannotBeMatchedIsNotRead) {
  EXPECT_FALSE(matcher->Read(""));
  EXPECT_FALSE(matcher->Read("\xFF\xFE"));
  EXPECT_FALSE(
      matcher->Read(std::string(4000, 'a') + " when will my order arrive"));  // longer than what it was tuned on
  EXPECT_FALSE(matcher->Read("The electron's charge was measured by Millikan in an experiment with drops of oil."));
}

TEST(QuestionMatcherTest, AClassifierIsNoMatcher) {
  const auto shipped = std::filesystem::path(POINTSMAN_SOURCE_DIR) / "models/classifier.pmc";
  const auto loaded = QuestionMatcher::Load(shipped);
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message.find("pointsman cache tune"), std::string::npos) << loaded.error().message;
}

}  // namespace
}  // namespace pointsman::cache
