// The reference and the examples stay in step with the parser.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "config/keys.h"
#include "config/parse.h"
#include "tests/config/support.h"
#include "tests/support/read_file.h"

namespace pointsman::config {
namespace {

using testing::ReadFile;
using testing::SourceFile;

const std::map<std::string, std::string> kKeys = {
    {"OPENAI_API_KEY", "a"}, {"MISTRAL_API_KEY", "b"}, {"GROQ_API_KEY", "c"}};

Parsed ParseExample(const std::string& name) {
  ParseOptions options;
  options.environment = [](const std::string& variable) -> std::optional<std::string> {
    auto found = kKeys.find(variable);
    return found == kKeys.end() ? std::nullopt : std::optional(found->second);
  };
  return Parse(SourceFile("config/examples") / name, options);
}

TEST(Reference, HasEveryKeyAndNoOther) {
  std::set<std::string> documented;
  std::istringstream text(ReadFile(SourceFile("docs/configuration.md")));
  const std::regex row("\\| `([a-z_0-9.*]+)` \\|([^|]*)\\|([^|]*)\\|([^|]*)\\|");
  for (std::string line; std::getline(text, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row)) {
      EXPECT_TRUE(documented.insert(match[1]).second) << "twice: " << match[1];
      EXPECT_NE(match[2], " ") << "no meaning: " << match[1];
      EXPECT_NE(match[3], " ") << "no range: " << match[1];
    } else {
      EXPECT_FALSE(line.starts_with("| `")) << "not read: " << line;
    }
  }
  std::set<std::string> known;
  for (std::string_view key : KnownKeys()) known.emplace(key);
  EXPECT_EQ(documented, known);
}

TEST(Examples, AreValid) {
  for (const char* name : {"embedded.yaml", "hosted.yaml", "mixed.yaml", "policies.yaml"}) {
    Parsed parsed = ParseExample(name);
    EXPECT_TRUE(parsed.ok()) << ToString(parsed.problems);
  }
}

TEST(Examples, TheEmbeddedOneNeedsNothingFromOutside) {
  Parsed parsed = ParseWith(ReadFile(SourceFile("config/examples/embedded.yaml")));
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const Config& config = *parsed.config;
  ASSERT_EQ(config.engine.models.size(), 1u);
  for (const char* name : {"general", "math", "code"}) ASSERT_NE(config.FindExpert(name), nullptr) << name;
  EXPECT_EQ(config.FindExpert("code")->sampling.max_tokens, 1024u);
  EXPECT_EQ(config.FindExpert("math")->sampling.max_tokens, 512u) << "shared by the merge key";
  EXPECT_GT(config.cache.memory_bytes, 0u);
}

TEST(Examples, WithoutKeysTheyNameTheVariables) {
  const std::string problems = Problems(ParseWith(ReadFile(SourceFile("config/examples/hosted.yaml"))));
  for (const auto& [name, value] : kKeys) EXPECT_THAT(problems, ::testing::HasSubstr(name + " is not set"));
  EXPECT_TRUE(ParseWith(ReadFile(SourceFile("config/examples/hosted.yaml")), {}, false).ok());
}

TEST(Examples, TheSharedCacheNeedsItsSecret) {
  const std::string text = ReadFile(SourceFile("config/examples/shared-cache.yaml"));
  const std::map<std::string, std::string> environment = {{"POINTSMAN_CACHE_SECRET", "0123456789abcdef"}};
  Parsed parsed = ParseWith(text, environment);
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  EXPECT_EQ(parsed.config->cache.redis->addresses[0].host, "redis");
  EXPECT_EQ(parsed.config->cache.secret, "0123456789abcdef");
  EXPECT_THAT(Problems(ParseWith(text)), ::testing::HasSubstr("POINTSMAN_CACHE_SECRET is not set"));
}

// What is cut or damaged anywhere is refused or accepted, but never a crash, and a refusal has places.
TEST(Examples, CutAnywhereNeverCrashTheParser) {
  for (const char* name : {"embedded.yaml", "hosted.yaml", "policies.yaml"}) {
    const std::string text = ReadFile(SourceFile("config/examples") / name);
    for (std::size_t end = 0; end < text.size(); end += 13) {
      Parsed parsed = ParseWith(text.substr(0, end), kKeys);
      EXPECT_EQ(parsed.ok(), parsed.problems.empty());
      for (const Problem& problem : parsed.problems) EXPECT_GE(problem.place.line, 1u) << problem.ToString();
    }
  }
}

TEST(Examples, DamagedAnywhereNeverCrashTheParser) {
  const std::string text = ReadFile(SourceFile("config/examples/mixed.yaml"));
  std::uint64_t state = 1;
  auto random = [&](std::size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>((state >> 33) % below);
  };
  const std::string letters = "{}[]:,&*!|>'\"%@`#-?\n\t \xff" + std::string(1, '\0') + "<a0";
  for (int i = 0; i < 200; ++i) {
    std::string damaged = text;
    for (int k = 0; k < 3; ++k) damaged[random(damaged.size())] = letters[random(letters.size())];
    Parsed parsed = ParseWith(damaged, kKeys);
    EXPECT_EQ(parsed.ok(), parsed.problems.empty());
  }
}

TEST(Parse, SurvivesDeepNesting) {
  EXPECT_FALSE(ParseWith("experts: " + std::string(100'000, '[')).ok());
  std::string deep = "experts: ";
  for (int i = 0; i < 10'000; ++i) deep += "{a: ";
  EXPECT_FALSE(ParseWith(deep).ok());
}

}  // namespace
}  // namespace pointsman::config
