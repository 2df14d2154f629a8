#include "backends/openai/sse.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <vector>

namespace pointsman::openai {
namespace {

constexpr std::string_view kSample =
    "\xef\xbb\xbf: a comment\r\n"
    "data: {\"a\":1}\r\n"
    "\r\n"
    "event: ping\n"
    "id: 7\n"
    "\n"
    "data:no blank\r"
    "data: second line\r"
    "\r"
    "data\n"
    "\n"
    "data:  two blanks\n"
    "retry: 10\n"
    ":data: not data\n"
    "\n\n\n"
    "error: {\"code\":1}\n"
    "\n"
    "data: [DONE]\n"
    "\n";

const std::vector<std::string> kEvents = {"{\"a\":1}",   "no blank\nsecond line", "",
                                          " two blanks", "{\"code\":1}",          "[DONE]"};

// Feeds the pieces, each in memory of its own that is gone before the next one comes.
class Feeder {
 public:
  explicit Feeder(std::size_t max = 1 << 20) : parser_(max) {}

  bool Feed(std::string_view piece) {
    auto copy = std::make_unique<char[]>(piece.size());
    piece.copy(copy.get(), piece.size());
    std::string_view input(copy.get(), piece.size());
    for (;;) {
      switch (parser_.Next(input)) {
        case SseParser::Step::kEvent: events_.emplace_back(parser_.data()); break;
        case SseParser::Step::kNeedMore: return true;
        case SseParser::Step::kTooLarge: return false;
      }
    }
  }
  const std::vector<std::string>& events() const { return events_; }
  const SseParser& parser() const { return parser_; }

 private:
  SseParser parser_;
  std::vector<std::string> events_;
};

TEST(Sse, ReadsASampleOfEverything) {
  Feeder feeder;
  EXPECT_TRUE(feeder.Feed(kSample));
  EXPECT_EQ(feeder.events(), kEvents);
  EXPECT_FALSE(feeder.parser().inside_event());
}

TEST(Sse, ReadsTheSameWhereverItIsCutOnce) {
  for (std::size_t cut = 0; cut <= kSample.size(); ++cut) {
    Feeder feeder;
    EXPECT_TRUE(feeder.Feed(kSample.substr(0, cut)));
    EXPECT_TRUE(feeder.Feed(kSample.substr(cut)));
    EXPECT_EQ(feeder.events(), kEvents) << "cut at " << cut;
  }
}

TEST(Sse, ReadsTheSameWhereverItIsCutTwice) {
  for (std::size_t first = 0; first <= kSample.size(); ++first) {
    for (std::size_t second = first; second <= kSample.size(); ++second) {
      Feeder feeder;
      feeder.Feed(kSample.substr(0, first));
      feeder.Feed(kSample.substr(first, second - first));
      feeder.Feed(kSample.substr(second));
      ASSERT_EQ(feeder.events(), kEvents) << "cut at " << first << " and " << second;
    }
  }
}

TEST(Sse, ReadsTheSameByteByByte) {
  Feeder feeder;
  for (char c : kSample) EXPECT_TRUE(feeder.Feed({&c, 1}));
  EXPECT_EQ(feeder.events(), kEvents);
}

TEST(Sse, ABeginningOfAByteOrderMarkIsText) {
  Feeder feeder;
  feeder.Feed("\xef");
  feeder.Feed(
      "\xbb"
      "data: x\n\ndata: y\n\n");
  EXPECT_EQ(feeder.events(), std::vector<std::string>{"y"});
}

TEST(Sse, KnowsThatItIsInsideAnEvent) {
  for (std::string_view text : {"d", "data: x", "data: x\n", "data: x\n\nda", "data: x\n:"}) {
    Feeder feeder;
    feeder.Feed(text);
    EXPECT_TRUE(feeder.parser().inside_event()) << text;
  }
  for (std::string_view text : {"", "\n", "data: x\n\n", "data: x\r\n\r", ": c\n"}) {
    Feeder feeder;
    feeder.Feed(text);
    EXPECT_FALSE(feeder.parser().inside_event()) << text;
  }
}

TEST(Sse, BoundsAnEvent) {
  std::string line(60, 'x');
  EXPECT_FALSE(Feeder(50).Feed("data: " + line + "\n\n"));                       // one line
  EXPECT_FALSE(Feeder(50).Feed("data: " + line));                                // one line without an end
  EXPECT_FALSE(Feeder(100).Feed("data: " + line + "\ndata: " + line + "\n\n"));  // two lines
  Feeder slow(50);
  bool good = true;
  for (char c : "data: " + line) good = good && slow.Feed({&c, 1});
  EXPECT_FALSE(good);
  EXPECT_TRUE(Feeder(200).Feed("data: " + line + "\ndata: " + line + "\n\n"));
}

// Whatever comes, cutting does not change what is read.
void ExpectSameHoweverCut(const std::string& text, std::mt19937& random) {
  Feeder whole(4096), pieces(4096);
  bool whole_good = whole.Feed(text), pieces_good = true;
  for (std::size_t at = 0; at < text.size() && pieces_good;) {
    std::size_t size = 1 + random() % 9;
    pieces_good = pieces.Feed(std::string_view(text).substr(at, size));
    at += size;
  }
  EXPECT_EQ(whole_good, pieces_good);
  EXPECT_EQ(whole.events(), pieces.events());
  EXPECT_EQ(whole.parser().inside_event(), pieces.parser().inside_event());
}

TEST(Sse, RandomBytesAreReadAlikeHoweverCut) {
  std::mt19937 random(20260101);
  const std::vector<std::string> words = {"data:",
                                          "data",
                                          " ",
                                          "\n",
                                          "\r",
                                          "\r\n",
                                          "\n\n",
                                          ":",
                                          "error:",
                                          "x",
                                          "\xef",
                                          "\xbb",
                                          "\xbf",
                                          "event: e",
                                          "{\"a\":\"\xc3\xa4\"}",
                                          std::string(1, '\0')};
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (int i = random() % 40; i > 0; --i) {
      if (random() % 4 == 0) {
        text += static_cast<char>(random());
      } else {
        text += words[random() % words.size()];
      }
    }
    ExpectSameHoweverCut(text, random);
    if (::testing::Test::HasFailure()) FAIL() << "round " << round;
  }
}

TEST(Sse, TheCorpusIsReadAlikeHoweverCut) {
  std::mt19937 random(7);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(POINTSMAN_SOURCE_DIR "/tests/data/sse")) {
    SCOPED_TRACE(entry.path().filename());
    std::stringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    for (int i = 0; i < 20; ++i) ExpectSameHoweverCut(text.str(), random);
    ++files;
  }
  EXPECT_GE(files, 8);
}

}  // namespace
}  // namespace pointsman::openai
