// cache.redis and cache.secret, and what replicas have in common.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/support.h"

namespace pointsman::config {
namespace {

using ::testing::HasSubstr;

const std::map<std::string, std::string> kSecrets = {
    {"SECRET", "0123456789abcdef"}, {"SHORT", "0123456789abcde"}, {"PASSWORD", "word"}};

Parsed ParseCache(const std::string& cache) { return ParseWith(kBase + "cache: {" + cache + "}\n", kSecrets); }
std::string ProblemsOf(const std::string& cache) { return Problems(ParseCache(cache)); }

TEST(RedisConfig, IsRead) {
  const Parsed parsed = ParseCache(
      "secret: {env: SECRET}, redis: {addresses: ['a.b:6379', '[::1]:26379'], sentinel: pack, username: me, "
      "password: {env: PASSWORD}, database: 3, prefix: 'x:', timeout: 7ms}");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const Redis& redis = *parsed.config->cache.redis;
  ASSERT_EQ(redis.addresses.size(), 2u);
  EXPECT_EQ(redis.addresses[0].host, "a.b");
  EXPECT_EQ(redis.addresses[1].host, "::1");
  EXPECT_EQ(redis.addresses[1].port, 26379);
  EXPECT_EQ(redis.sentinel, "pack");
  EXPECT_EQ(redis.username, "me");
  EXPECT_EQ(redis.password, "word");
  EXPECT_EQ(redis.database, 3u);
  EXPECT_EQ(redis.prefix, "x:");
  EXPECT_EQ(redis.timeout, std::chrono::milliseconds(7));
  EXPECT_EQ(parsed.config->cache.secret, "0123456789abcdef");
}

TEST(RedisConfig, WhatIsWrongIsNamed) {
  const std::string secret = "secret: {env: SECRET}, ";
  EXPECT_THAT(ProblemsOf("redis: {addresses: ['a:1']}"), HasSubstr("cache.redis: needs cache.secret"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {}"), HasSubstr("cache.redis: has no \"addresses\""));
  EXPECT_THAT(ProblemsOf(secret + "redis: {addresses: []}"), HasSubstr("cache.redis.addresses"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {addresses: ['nothing']}"), HasSubstr("cache.redis.addresses[0]"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {addresses: ['a:0']}"), HasSubstr("has the port 0"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {addresses: ['a:1'], username: me}"), HasSubstr("needs a password"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {addresses: ['a:1'], password: word}"), HasSubstr("cache.redis.password"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {addresses: ['a:1'], timeout: 2s}"), HasSubstr("cache.redis.timeout"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {adresses: ['a:1']}"), HasSubstr("did you mean \"addresses\"?"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {addresses: ['a:1'], cluster: true, sentinel: pack}"),
              HasSubstr("cache.redis.cluster: excludes"));
  EXPECT_THAT(ProblemsOf(secret + "redis: {addresses: ['a:1'], cluster: true, database: 1}"),
              HasSubstr("cache.redis.database: must be 0"));
  EXPECT_THAT(ProblemsOf("secret: {env: SHORT}"), HasSubstr("cache.secret: is too short"));
}

std::uint64_t Fingerprint(const std::string& text) {
  const Parsed parsed = ParseWith(text, kSecrets);
  EXPECT_TRUE(parsed.ok()) << Problems(parsed);
  return parsed.ok() ? parsed.config->answers_fingerprint : 0;
}

TEST(AnswersFingerprint, LeavesOutWhatNoAnswerDependsOn) {
  const std::uint64_t base = Fingerprint(kBase);
  EXPECT_EQ(Fingerprint("# a comment\n" + kPolicies + kExperts + kEngine), base);
  EXPECT_EQ(Fingerprint(kBase + "server: {listen: '127.0.0.1:1'}\nlimits: {in_flight: 3}\ncache: {memory: 1MiB}\n"
                                "telemetry: {log_level: warn}\n"),
            base);
}

TEST(AnswersFingerprint, CountsTheRest) {
  std::vector<std::uint64_t> seen = {Fingerprint(kBase)};
  const auto differs = [&](const std::string& text) {
    const std::uint64_t now = Fingerprint(text);
    for (const std::uint64_t other : seen) EXPECT_NE(now, other) << text;
    seen.push_back(now);
  };
  differs(kEngine + "experts: {tiny: {local: {model: small}}, far: {openai: {url: 'https://a.b/v1', model: n}}}\n" +
          kPolicies);
  differs(kEngine +
          "experts: {tiny: {local: {model: small}, system: Be brief}, far: {openai: {url: 'https://a.b/v1', model: "
          "m}}}\n" +
          kPolicies);
  differs(kEngine + kExperts + "policies: {all: {score: pinned, experts: [far, tiny]}}\n");
  differs(kEngine + kExperts + "policies: {any: {score: pinned, experts: [tiny, far]}}\n");
  differs(kBase + "classifier: {history: 0.5}\n");
  differs(kBase + "tenants: {a: {key: {env: PASSWORD}, deny: [far]}}\n");
}

}  // namespace
}  // namespace pointsman::config
