#include "router/cache/purge.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

namespace pointsman::cache {
namespace {

Key KeyWith(std::uint8_t byte) {
  Key key;
  key.fill(byte);
  return key;
}

TEST(Purge, TakesWhatEverythingThatIsSaidAppliesTo) {
  const Subject subject = {{1, 2}, KeyWith(3)};
  EXPECT_TRUE(Purge().Takes(subject));
  EXPECT_TRUE(Purge({.tenant = 1}).Takes(subject));
  EXPECT_TRUE(Purge({.policy = 2}).Takes(subject));
  EXPECT_TRUE(Purge({.tenant = 1, .policy = 2, .questions = {KeyWith(9), KeyWith(3)}}).Takes(subject));
  EXPECT_FALSE(Purge({.tenant = 2}).Takes(subject));
  EXPECT_FALSE(Purge({.policy = 1}).Takes(subject));
  EXPECT_FALSE(Purge({.tenant = 1, .policy = 1}).Takes(subject));
  EXPECT_FALSE(Purge({.tenant = 1, .questions = {KeyWith(4)}}).Takes(subject));
}

Purge ThereAndBack(const Purge& purge) {
  const std::vector<std::string> fields = ToFields(purge);
  return FromFields({fields.begin(), fields.end()});
}

TEST(Purge, GoesThroughTheLog) {
  for (const Purge& purge : {Purge(), Purge({.tenant = 0}), Purge({.policy = ~std::uint64_t{0}}),
                             Purge({.tenant = 1, .policy = 0xabcdefu, .questions = {KeyWith(0x0f)}}),
                             Purge({.questions = {KeyWith(1), KeyWith(255), KeyWith(0x80)}})}) {
    EXPECT_EQ(ThereAndBack(purge), purge);
  }
}

// Another version may say more; to forget too much is no mistake.
TEST(Purge, WhatCannotBeReadTakesEverything) {
  const std::vector<std::string> right = ToFields({.tenant = 1, .policy = 2, .questions = {KeyWith(3)}});
  const std::vector<std::string_view> fields(right.begin(), right.end());
  EXPECT_NE(FromFields(fields), Purge());
  EXPECT_EQ(FromFields({}), Purge());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (const std::string_view other : {"", "x", "+123456789abcdef", "0123456789abcdef0"}) {
      std::vector<std::string_view> wrong = fields;
      wrong[i] = other;
      EXPECT_EQ(FromFields(wrong), Purge()) << i << " " << other;
    }
  }
  std::vector<std::string_view> longer = fields;
  longer.insert(longer.end(), {"model", "m"});
  EXPECT_EQ(FromFields(longer), Purge());
}

// fnmatch knows the same patterns as Redis.
TEST(Purge, ThePatternTakesEntriesOfThePrefixAndNothingElse) {
  const std::string key(64, '7'), tenant = Hex(std::uint64_t{1}), policy = Hex(std::uint64_t{2});
  const auto matches = [](const Purge& purge, const std::string& prefix, const std::string& name) {
    return ::fnmatch(PatternOf(purge, prefix).c_str(), name.c_str(), 0) == 0;
  };
  const std::string name = "p:a:" + tenant + ":" + policy + ":{" + key + "}";
  EXPECT_TRUE(matches({}, "p", name));
  EXPECT_TRUE(matches({.tenant = 1}, "p", name));
  EXPECT_TRUE(matches({.policy = 2}, "p", name));
  EXPECT_TRUE(matches({.tenant = 1, .policy = 2}, "p", name));
  EXPECT_FALSE(matches({.tenant = 2}, "p", name));
  EXPECT_FALSE(matches({.policy = 1}, "p", name));
  EXPECT_FALSE(matches({.tenant = 1, .policy = 1}, "p", name));
  EXPECT_FALSE(matches({}, "q", name));
  EXPECT_FALSE(matches({}, "p", "p:l:{" + key + "}")) << "a lease";
  EXPECT_FALSE(matches({}, "p", "p:p")) << "the log";
  EXPECT_FALSE(matches({}, "p", "p:a:" + name.substr(2))) << "another deployment's, with the prefix p:a";
  EXPECT_FALSE(matches({}, "p", name + "x"));
  EXPECT_TRUE(matches({}, "a*[b]?\\", "a*[b]?\\" + name.substr(1)));
  EXPECT_FALSE(matches({}, "a*[b]?\\", "axbc\\" + name.substr(1)));
}

TEST(Tags, AreKnownToWhoHasTheSecretOnly) {
  EXPECT_EQ(TenantTag("secret", "a"), TenantTag("secret", "a"));
  EXPECT_NE(TenantTag("secret", "a"), TenantTag("other", "a"));
  EXPECT_NE(TenantTag("secret", "a"), TenantTag("secret", "b"));
  EXPECT_NE(TenantTag("secret", "a"), PolicyTag("secret", "a"));
  for (const std::uint64_t tag : {std::uint64_t{0}, ~std::uint64_t{0}, TenantTag("secret", "a")}) {
    EXPECT_EQ(Hex(tag).size(), 16u);
    EXPECT_EQ(TagOf(Hex(tag)), tag);
  }
  EXPECT_EQ(TagOf("12"), std::nullopt);
  EXPECT_EQ(KeyOf(Hex(KeyWith(0xa5))), KeyWith(0xa5));
  EXPECT_EQ(KeyOf("12"), std::nullopt);
}

}  // namespace
}  // namespace pointsman::cache
