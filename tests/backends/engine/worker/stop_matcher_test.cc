#include "backends/engine/worker/stop_matcher.h"

#include <gtest/gtest.h>

#include <random>

namespace pointsman::engine {
namespace {

// Feeds `text` in pieces of `size` bytes; what was shown.
std::string Shown(StopMatcher& matcher, const std::string& text, std::size_t size) {
  std::string shown;
  for (std::size_t i = 0; i < text.size() && !matcher.stopped(); i += size) shown += matcher.Feed(text.substr(i, size));
  if (!matcher.stopped()) shown += matcher.Finish();
  return shown;
}

TEST(StopMatcher, ShowsEverythingWithoutStopStrings) {
  StopMatcher matcher({});
  EXPECT_EQ(matcher.Feed("abc"), "abc");
  EXPECT_EQ(matcher.held(), 0u);
}

TEST(StopMatcher, HoldsBackWhatCouldBecomeAStopString) {
  StopMatcher matcher({"END"});
  EXPECT_EQ(matcher.Feed("the E"), "the ");
  EXPECT_EQ(matcher.Feed("N"), "");
  EXPECT_EQ(matcher.Feed("TRY"), "ENTRY");
  EXPECT_FALSE(matcher.stopped());
}

TEST(StopMatcher, EndsBeforeTheFirstStopString) {
  StopMatcher matcher({"END", "\n\n"});
  EXPECT_EQ(matcher.Feed("one\n"), "one");
  EXPECT_EQ(matcher.Feed("\ntwo END"), "");
  EXPECT_TRUE(matcher.stopped());
  EXPECT_EQ(matcher.Feed("more"), "");
}

TEST(StopMatcher, GivesTheHeldTextBackAtTheEnd) {
  StopMatcher matcher({"STOP"});
  EXPECT_EQ(matcher.Feed("a STO"), "a ");
  EXPECT_EQ(matcher.Finish(), "STO");
}

TEST(StopMatcher, FindsOverlappingBeginnings) {
  StopMatcher matcher({"aab"});
  EXPECT_EQ(Shown(matcher, "aaaab", 1), "aa");
  EXPECT_TRUE(matcher.stopped());
}

// Property: whatever the pieces, the answer is the text before the first stop string.
TEST(StopMatcher, DoesNotDependOnThePieces) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) text += "ab\n"[random() % 3];
    std::vector<std::string> stops;
    for (unsigned i = 0; i < 1 + random() % 3; ++i) {
      std::string stop;
      for (unsigned j = 0; j < 2 + random() % 4; ++j) stop += "ab\n"[random() % 3];
      stops.push_back(stop);
    }
    // By definition: the shortest beginning of the text that ends with a stop string, without the longest of those.
    std::string want = text;
    for (std::size_t end = 1; end <= text.size() && want == text; ++end) {
      for (const std::string& stop : stops) {
        if (end < stop.size() || text.compare(end - stop.size(), stop.size(), stop) != 0) continue;
        if (end - stop.size() < want.size()) want = text.substr(0, end - stop.size());
      }
    }
    for (const std::size_t size : {1u, 2u, 5u, 24u}) {
      StopMatcher matcher(stops);
      ASSERT_EQ(Shown(matcher, text, size), want) << text << " in pieces of " << size;
    }
  }
}

}  // namespace
}  // namespace pointsman::engine
