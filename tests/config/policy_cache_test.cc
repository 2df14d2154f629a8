// The section `cache` of a policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/support.h"

namespace pointsman::config {
namespace {

using ::testing::HasSubstr;

const std::string kKept = "cache: {memory: 1MiB, ttl: 2h}\n";

std::string Policies(const std::string& cache) {
  return "policies: {all: {score: pinned, experts: [tiny, far]" + (cache.empty() ? "" : ", cache: " + cache) + "}}\n";
}
Parsed With(const std::string& cache) { return ParseWith(kEngine + kExperts + Policies(cache) + kKept); }

TEST(PolicyCacheConfig, IsRead) {
  const Parsed parsed = With("{ttl: 1500ms, sampled: true}");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const PolicyCache& cache = parsed.config->policies[0].cache;
  EXPECT_EQ(cache.ttl, std::chrono::seconds(2)) << "rounded up";
  EXPECT_TRUE(cache.sampled);
  EXPECT_FALSE(cache.off);
}

TEST(PolicyCacheConfig, ChangesNothingWhereItIsNot) {
  for (const char* cache : {"", "{}"}) {
    const Parsed parsed = With(cache);
    ASSERT_TRUE(parsed.ok()) << Problems(parsed);
    EXPECT_FALSE(parsed.config->policies[0].cache.ttl);
    EXPECT_FALSE(parsed.config->policies[0].cache.sampled);
    EXPECT_FALSE(parsed.config->policies[0].cache.off);
  }
}

TEST(PolicyCacheConfig, MayBeOff) {
  const Parsed parsed = With("off");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  EXPECT_TRUE(parsed.config->policies[0].cache.off);
}

TEST(PolicyCacheConfig, LikeQuestions) {
  const Parsed parsed = With("{semantic: {matcher: faq.pmc, precision: 0.95, audit: 0.2, questions: 100}}");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const std::optional<SemanticCache>& semantic = parsed.config->policies[0].cache.semantic;
  ASSERT_TRUE(semantic);
  EXPECT_EQ(semantic->matcher.filename(), "faq.pmc");
  EXPECT_TRUE(semantic->matcher.is_absolute()) << "it is relative to the file";
  EXPECT_EQ(semantic->precision, 0.95);
  EXPECT_EQ(semantic->audit, 0.2);
  EXPECT_EQ(semantic->questions, 100U);
  EXPECT_FALSE(semantic->conversations);
  EXPECT_FALSE(With("{ttl: 3s}").config->policies[0].cache.semantic);

  const auto problems = [](const std::string& cache) { return Problems(With("{semantic: " + cache + "}")); };
  EXPECT_THAT(problems("{}"), HasSubstr("policies.all.cache.semantic"));
  EXPECT_THAT(problems("{}"), HasSubstr("pointsman cache tune"));
  EXPECT_THAT(problems("{matcher: f, precision: 1}"), HasSubstr("policies.all.cache.semantic.precision"));
  EXPECT_THAT(problems("{matcher: f, audit: 1%}"), HasSubstr("policies.all.cache.semantic.audit"));
  EXPECT_THAT(problems("{matcher: f, questions: 0}"), HasSubstr("policies.all.cache.semantic.questions"));
  EXPECT_THAT(problems("{matcher: f, threshold: 0.9}"), HasSubstr("threshold"));
}

TEST(PolicyCacheConfig, WhatIsWrongIsNamed) {
  const auto problems = [](const std::string& cache) { return Problems(With(cache)); };
  EXPECT_THAT(problems("on"), HasSubstr("policies.all.cache: must be off, or a map"));
  EXPECT_THAT(problems("[off]"), HasSubstr("policies.all.cache: is a list"));
  EXPECT_THAT(problems("{ttl: 0}"), HasSubstr("policies.all.cache.ttl: is \"0\""));
  EXPECT_THAT(problems("{ttl: 8761h}"), HasSubstr("policies.all.cache.ttl"));
  EXPECT_THAT(problems("{sampled: often}"), HasSubstr("policies.all.cache.sampled"));
  EXPECT_THAT(problems("{sample: true}"), HasSubstr("did you mean \"sampled\"?"));
  EXPECT_THAT(Problems(ParseWith(kEngine + kExperts + Policies("{ttl: 1h}"))),
              HasSubstr("policies.all.cache: has no effect without a section \"cache\""));
}

// Replicas may differ in it and share all the same; and a change of it forgets nothing.
TEST(PolicyCacheConfig, IsNoPartOfWhatAnAnswerDependsOn) {
  const auto fingerprint = [](const std::string& text) {
    const Parsed parsed = ParseWith(text);
    EXPECT_TRUE(parsed.ok()) << Problems(parsed);
    return parsed.ok() ? parsed.config->answers_fingerprint : 0;
  };
  const std::uint64_t base = fingerprint(kEngine + kExperts + Policies("") + kKept);
  EXPECT_EQ(fingerprint(kEngine + kExperts + Policies("{ttl: 3s, sampled: true}") + kKept), base);
  EXPECT_EQ(fingerprint(kEngine + kExperts + Policies("off") + kKept), base);
  // A policy, an expert and a category may have the name.
  const std::string named = "experts: {tiny: {local: {model: small}}, cache: {local: {model: small}}}\n";
  const std::string map = "policies: {cache: {score: category_map, map: {general: [tiny], cache: [";
  EXPECT_NE(fingerprint(kEngine + named + map + "tiny]}}}\n"), fingerprint(kEngine + named + map + "cache]}}}\n"));
}

}  // namespace
}  // namespace pointsman::config
