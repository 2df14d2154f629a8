#include "router/telemetry/metrics.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "base/async.h"
#include "tests/support/read_file.h"

namespace pointsman::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Names SomeNames() { return {{"general", "math", "none"}, {"by_topic", "pinned"}, {"small", "large"}}; }

Gauges SomeGauges() {
  Gauges gauges;
  gauges.in_flight = 3;
  gauges.cache_bytes = 1000;
  gauges.engine_restarts = 2;
  return gauges;
}

// Everything once, so that every series is there.
void UseAll(Metrics& metrics) {
  metrics.RequestDone(Rpc::kStreamComplete, 0, 0.3);
  metrics.FirstToken(1, 0.02);
  metrics.Tokens(0, 10, 4, 20);
  metrics.Classified(20e-6);
  metrics.Decided(1, 0, 1);
  const ErrorClass error = ErrorClass::kRetryElsewhere;
  metrics.Attempted(0, &error);
  metrics.Attempted(1, nullptr);
  metrics.Cache(CacheResult::kExact);
}

TEST(Metrics, CountsWhatItIsTold) {
  Metrics metrics(SomeNames(), SomeGauges);
  UseAll(metrics);
  metrics.RequestDone(Rpc::kComplete, 14, 1.0);
  metrics.RequestDone(Rpc::kComplete, 14, 1.0);
  metrics.RequestDone(Rpc::kComplete, 99, 1.0);
  const std::string page = metrics.Render();
  for (const char* line : {
           "pointsman_requests_total{method=\"StreamComplete\",status=\"OK\"} 1\n",
           "pointsman_requests_total{method=\"Complete\",status=\"UNAVAILABLE\"} 2\n",
           "pointsman_requests_total{method=\"Complete\",status=\"UNKNOWN\"} 1\n",
           "pointsman_request_duration_seconds_count{method=\"Complete\"} 3\n",
           "pointsman_first_token_seconds_count{expert=\"large\"} 1\n",
           "pointsman_prompt_tokens_total{expert=\"small\"} 10\n",
           "pointsman_cached_prompt_tokens_total{expert=\"small\"} 4\n",
           "pointsman_completion_tokens_total{expert=\"small\"} 20\n",
           "pointsman_classification_duration_seconds_count 1\n",
           "pointsman_decisions_total{category=\"math\",expert=\"large\",policy=\"by_topic\"} 1\n",
           "pointsman_attempts_total{expert=\"small\",outcome=\"retryable_elsewhere\"} 1\n",
           "pointsman_attempts_total{expert=\"large\",outcome=\"ok\"} 1\n",
           "pointsman_attempts_total{expert=\"large\",outcome=\"internal\"} 0\n",
           "pointsman_cache_lookups_total{result=\"exact\"} 1\n",
           "pointsman_in_flight_requests 3\n",
           "pointsman_cache_bytes 1000\n",
           "pointsman_engine_restarts_total 2\n",
       }) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

TEST(Metrics, HasNoSeriesForWhatNeverHappened) {
  Metrics metrics(SomeNames(), SomeGauges);
  EXPECT_THAT(metrics.Render(), Not(HasSubstr("pointsman_decisions_total{")));
}

TEST(Metrics, KeepsEveryDecisionApart) {
  const Names names = SomeNames();
  Metrics metrics(names, SomeGauges);
  int times = 0;
  for (std::size_t c = 0; c < names.categories.size(); ++c) {
    for (std::size_t p = 0; p < names.policies.size(); ++p) {
      for (std::size_t e = 0; e < names.experts.size(); ++e) {
        ++times;
        for (int i = 0; i < times; ++i) metrics.Decided(c, p, e);
      }
    }
  }
  const std::string page = metrics.Render();
  times = 0;
  for (const std::string& category : names.categories) {
    for (const std::string& policy : names.policies) {
      for (const std::string& expert : names.experts) {
        EXPECT_THAT(page, HasSubstr("pointsman_decisions_total{category=\"" + category + "\",expert=\"" + expert +
                                    "\",policy=\"" + policy + "\"} " + std::to_string(++times) + "\n"));
      }
    }
  }
}

TEST(Metrics, CountsFromManyThreads) {
  Metrics metrics(SomeNames(), SomeGauges);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) UseAll(metrics);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string page = metrics.Render();
  EXPECT_THAT(page, HasSubstr("pointsman_requests_total{method=\"StreamComplete\",status=\"OK\"} 4000\n"));
  EXPECT_THAT(page,
              HasSubstr("pointsman_decisions_total{category=\"math\",expert=\"large\",policy=\"by_topic\"} 4000\n"));
}

// Name to "type|labels", as the page of the program has them. The label `le` is Prometheus' own.
std::map<std::string, std::string> Exposed() {
  Metrics metrics(SomeNames(), SomeGauges);
  UseAll(metrics);
  std::map<std::string, std::string> types, found;
  std::map<std::string, std::set<std::string>> labels;
  std::istringstream page(metrics.Render());
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string name, type;
      words >> name >> type;
      types[name] = type;
    } else if (!line.starts_with("#")) {
      std::string name = line.substr(0, line.find_first_of("{ "));
      for (const char* suffix : {"_bucket", "_sum", "_count"}) {
        const std::string base = name.substr(0, name.rfind(suffix));
        if (types.count(base) && types[base] == "histogram") name = base;
      }
      const std::regex label("([a-z_]+)=\"");
      for (auto it = std::sregex_iterator(line.begin(), line.end(), label); it != std::sregex_iterator(); ++it) {
        if ((*it)[1] != "le") labels[name].insert((*it)[1]);
      }
    }
  }
  for (const auto& [name, type] : types) {
    found[name] = type + "|";
    for (const std::string& each : labels[name]) found[name] += each + ",";
  }
  return found;
}

TEST(Metrics, AreAllInTheDocumentAndNoOthers) {
  std::map<std::string, std::string> documented;
  std::istringstream text(testing::ReadFile(testing::SourceFile("docs/metrics.md")));
  const std::regex row("\\| `(pointsman_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\| .*");
  for (std::string line; std::getline(text, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) {
      EXPECT_FALSE(line.starts_with("| `pointsman_")) << "not read: " << line;
      continue;
    }
    std::set<std::string> labels;
    const std::string list = match[3];
    const std::regex label("`([a-z_]+)`");
    for (auto it = std::sregex_iterator(list.begin(), list.end(), label); it != std::sregex_iterator(); ++it) {
      labels.insert((*it)[1]);
    }
    std::string& entry = documented[match[1]] = match[2].str() + "|";
    for (const std::string& each : labels) entry += each + ",";
  }
  EXPECT_EQ(documented, Exposed());
}

std::size_t Append(char* data, std::size_t, std::size_t bytes, void* text) {
  static_cast<std::string*>(text)->append(data, bytes);
  return bytes;
}

std::string Get(const std::string& url) {
  std::string body;
  CURL* curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  EXPECT_EQ(curl_easy_perform(curl), CURLE_OK);
  curl_easy_cleanup(curl);
  return body;
}

TEST(Metrics, ServesThePage) {
  Metrics metrics(SomeNames(), SomeGauges);
  UseAll(metrics);
  auto port = metrics.Listen("localhost:0");
  ASSERT_TRUE(port) << port.error().message;
  EXPECT_GT(*port, 0);
  const std::string page = Get("http://127.0.0.1:" + std::to_string(*port) + "/metrics");
  EXPECT_THAT(page, HasSubstr("pointsman_cache_lookups_total{result=\"exact\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("pointsman_in_flight_requests 3\n"));
}

// The web server alone takes up to 2 s after a scrape. The best of several: a busy machine may delay any one.
TEST(Metrics, StopsAtOnce) {
  auto best = Clock::duration::max();
  for (int i = 0; i < 5 && best > std::chrono::milliseconds(1000); ++i) {
    auto metrics = std::make_unique<Metrics>(SomeNames(), SomeGauges);
    auto port = metrics->Listen("127.0.0.1:0");
    ASSERT_TRUE(port);
    Get("http://127.0.0.1:" + std::to_string(*port) + "/metrics");
    const auto start = Clock::now();
    metrics.reset();
    best = std::min(best, Clock::now() - start);
  }
  EXPECT_LE(best, std::chrono::milliseconds(1000));
}

TEST(Metrics, SaysWhyItCannotListen) {
  Metrics first(SomeNames(), SomeGauges), second(SomeNames(), SomeGauges);
  auto port = first.Listen("127.0.0.1:0");
  ASSERT_TRUE(port);
  const std::string address = "127.0.0.1:" + std::to_string(*port);
  auto again = second.Listen(address);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kUnavailable);
  EXPECT_THAT(again.error().message, HasSubstr(address));
  EXPECT_FALSE(second.Listen("nonsense"));
}

}  // namespace
}  // namespace pointsman::telemetry
