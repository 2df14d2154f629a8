#include "router/cache/question_guards.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

namespace pointsman::cache {
namespace {

std::vector<std::string> Differing(std::string_view a, std::string_view b) {
  const QuestionGuards x = GuardsOf(a), y = GuardsOf(b);
  std::vector<std::string> names;
  for (std::size_t g = 0; g < kGuards; ++g) {
    if (x.hashes[g] != y.hashes[g]) names.push_back(NameOf(static_cast<Guard>(g)));
  }
  return names;
}

struct NearMiss {
  const char *a, *b;
  Guard guard;
};

// Pairs that vectors find nearly equal, and whose answers differ.
const std::vector<NearMiss> kNearMisses = {
    {"What is 17 times 23?", "What is 17 times 32?", Guard::kNumbers},
    {"How do I divide 12 by 4?", "How do I divide 4 by 12?", Guard::kNumbers},
    {"A loan of $1,000 for 5 years", "A loan of $10,000 for 5 years", Guard::kNumbers},
    {"Is a fee of 2% normal?", "Is a fee of 2 normal?", Guard::kNumbers},
    {"Transfer 50 euros to savings", "Transfer 500 euros to savings", Guard::kNumbers},
    {"What happened in 1914?", "What happened in 1941?", Guard::kNumbers},
    {"Convert -5 degrees", "Convert 5 degrees", Guard::kNumbers},
    {"I have two cards, which one pays?", "I have three cards, which one pays?", Guard::kNumbers},
    {"Round 3.14 down", "Round 31.4 down", Guard::kNumbers},
    {"upgrade from version 2.0 to 3.0", "upgrade from version 3.0 to 2.0", Guard::kNumbers},
    {"Why is my card working?", "Why is my card not working?", Guard::kNegations},
    {"Can I withdraw with a fee?", "Can I withdraw without a fee?", Guard::kNegations},
    {"Does it support refunds?", "Doesn't it support refunds?", Guard::kNegations},
    {"is the payment pending", "isnt the payment pending", Guard::kNegations},
    {"Which foods are safe?", "Which foods are never safe?", Guard::kNegations},
    {"Translate \"good morning\"", "Translate \"good night\"", Guard::kQuotes},
    {"What does `git reset` do?", "What does `git revert` do?", Guard::kQuotes},
    {"how do you spell 'their' here", "how do you spell 'there' here", Guard::kQuotes},
    {"Who is the president of France?", "Who is the president of Ghana?", Guard::kEntities},
    {"what is the weather in london", "what is the weather in madrid", Guard::kEntities},
    {"Was it written by Emily Hale?", "Was it written by Laura Hale?", Guard::kEntities},
    {"Compare the A380 for me", "Compare the A350 for me", Guard::kEntities},
    {"Write to help@example.com", "Write to sales@example.com", Guard::kEntities},
    {"How do I call the NASA office", "How do I call the FIFA office", Guard::kEntities},
    {"remind me on monday", "remind me on friday", Guard::kValues},
    {"say hello in french", "say hello in italian", Guard::kValues},
    {"how do i enable roaming", "how do i disable roaming", Guard::kValues},
    {"sort a list in python", "sort a list in java", Guard::kValues},
    {"the highest mountain", "the lowest mountain", Guard::kValues},
    {"Where is my card?", "¿Dónde está mi tarjeta?", Guard::kLanguage},
    {"When does the train leave?", "Когда отправляется поезд?", Guard::kLanguage},
    {"Wann kommt meine Karte?", "When comes my card?", Guard::kLanguage},
};

TEST(QuestionGuardsTest, NearMissesDiffer) {
  for (const NearMiss& pair : kNearMisses) {
    const std::vector<std::string> differing = Differing(pair.a, pair.b);
    EXPECT_TRUE(std::find(differing.begin(), differing.end(), NameOf(pair.guard)) != differing.end())
        << pair.a << " | " << pair.b << ": not by " << NameOf(pair.guard);
  }
}

TEST(QuestionGuardsTest, ParaphrasesAgree) {
  const std::vector<std::pair<const char*, const char*>> pairs = {
      {"Where is my card?", "where's my card at"},
      {"How do I change my PIN?", "I would like to change the PIN, how?"},
      {"I can't log in", "I cannot log in"},
      {"Don’t you ship on weekends?", "don't you ship on weekends"},
      {"What does \"idempotent\" mean?", "Meaning of \"idempotent\"?"},
      {"WHERE IS MY CARD", "where is my card"},
      {"I have 3 open orders – what now?", "what now, with 3 open orders?"},
      {"third order", "3 order"},
  };
  for (const auto& [a, b] : pairs) {
    const std::vector<std::string> differing = Differing(a, b);
    EXPECT_TRUE(differing.empty()) << a << " | " << b << ": " << (differing.empty() ? "" : differing[0]);
  }
}

TEST(QuestionGuardsTest, WordsThatTheAnswerDoesNotUseMustBeEqual) {
  const auto usual = [](std::string_view word) { return word != "shrimp" && word != "scampi" && word != "salmon"; };
  const QuestionGuards shrimp = GuardsOf("what is in shrimp scampi", usual);
  EXPECT_EQ(shrimp, GuardsOf("tell me what scampi of shrimp is in", usual));
  EXPECT_NE(shrimp, GuardsOf("what is in salmon", usual));
  EXPECT_NE(shrimp, GuardsOf("what is in it", usual));
  EXPECT_EQ(GuardsOf("what is in shrimp"), GuardsOf("what is in it"));  // without a list all words are usual
}

TEST(QuestionGuardsTest, AnyBytesEnd) {
  std::mt19937 random(7);
  const std::string alphabet = "aB9 .'\"`@_-$%,:/\n\xE2\x80\x99\x9C\x9D\xC3\xA9\xD0\xB0\xFF";
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    EXPECT_EQ(GuardsOf(text), GuardsOf(text));
    EXPECT_LE(DistinctWords(text).size(), text.size());
  }
}

}  // namespace
}  // namespace pointsman::cache
