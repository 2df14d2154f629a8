// The semantic cache's look-up: what a request pays that has no exact answer (docs/cache-semantic.md).
#include <benchmark/benchmark.h>

#include <random>

#include "router/cache/question_index.h"
#include "router/offline/fit_classifier.h"

namespace pointsman {
namespace {

constexpr const char kText[] = "What can I do if my card still hasn't arrived after 2 weeks?";

std::shared_ptr<const cache::QuestionMatcher> Matcher() {
  static const auto kMatcher = [] {
    auto classifier = classifier::Classifier::Load(
        std::filesystem::path(POINTSMAN_SOURCE_DIR) / "models/classifier.pmc", std::nullopt);
    v1::QuestionMatcher settings;
    for (const double weight : {1.0, 0.7, 0.0, 0.0}) settings.add_weights(weight);
    settings.set_max_bytes(2048);
    return std::make_shared<const cache::QuestionMatcher>(*std::move(classifier), std::move(settings));
  }();
  return kMatcher;
}

// Vectors, guards and answers at random: what they say does not change the cost. 77 answers, as banking77 has.
cache::MatchQuestion RandomQuestion(std::mt19937& random) {
  cache::MatchQuestion question;
  question.vector.resize(Matcher()->classifier().dimensions());
  for (std::int8_t& value : question.vector) value = static_cast<std::int8_t>(random() % 255) - 127;
  question.scale = 0.001F;
  for (std::size_t i = 0; i < question.answers.size(); ++i)
    question.answers[i] = static_cast<std::uint16_t>(random() % 77);
  question.probabilities = {0.9F, 0.05F, 0.01F, 0.01F};
  return question;
}

void BM_QuestionRead(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Matcher()->Read(kText));
}
BENCHMARK(BM_QuestionRead);

// One tenant and system prompt: all questions in one group.
void BM_QuestionFind(benchmark::State& state) {
  std::mt19937 random(1);
  cache::QuestionIndex index(Matcher(), static_cast<std::size_t>(2 * state.range(0)), std::chrono::hours(1));
  const cache::Key group{1, 2, 3};
  const Clock::time_point now = Clock::now();
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    cache::Key key{};
    std::memcpy(key.data(), &i, sizeof i);
    index.Add(group, RandomQuestion(random), key, key, now);
  }
  std::vector<cache::MatchQuestion> asked;
  for (int i = 0; i < 256; ++i) asked.push_back(RandomQuestion(random));
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(index.Find(group, asked[next++ % asked.size()], 0.99, now));
  state.counters["remembered"] = static_cast<double>(index.size());
}
BENCHMARK(BM_QuestionFind)->Arg(1000)->Arg(10'000)->Arg(100'000);

// As many tenants as there are thousands of questions.
void BM_QuestionFindOfManyTenants(benchmark::State& state) {
  std::mt19937 random(1);
  cache::QuestionIndex index(Matcher(), static_cast<std::size_t>(2 * state.range(0)), std::chrono::hours(1));
  const auto group = [](std::int64_t tenant) {
    cache::Key key{};
    const std::uint64_t spread = static_cast<std::uint64_t>(tenant) * 0x9E3779B97F4A7C15ULL;
    std::memcpy(key.data(), &spread, sizeof spread);
    std::memcpy(key.data() + 24, &spread, sizeof spread);
    return key;
  };
  const Clock::time_point now = Clock::now();
  const std::int64_t tenants = state.range(0) / 1000;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    cache::Key key{};
    std::memcpy(key.data(), &i, sizeof i);
    index.Add(group(i % tenants), RandomQuestion(random), key, key, now);
  }
  std::vector<cache::MatchQuestion> asked;
  for (int i = 0; i < 256; ++i) asked.push_back(RandomQuestion(random));
  std::int64_t next = 0;
  for (auto _ : state) {
    const auto at = static_cast<std::size_t>(next) % asked.size();
    benchmark::DoNotOptimize(index.Find(group(next % tenants), asked[at], 0.99, now));
    ++next;
  }
  state.counters["remembered"] = static_cast<double>(index.size());
}
BENCHMARK(BM_QuestionFindOfManyTenants)->Arg(1000)->Arg(10'000)->Arg(100'000);

void BM_QuestionAdd(benchmark::State& state) {
  std::mt19937 random(1);
  cache::QuestionIndex index(Matcher(), 100'000, std::chrono::hours(1));
  const cache::MatchQuestion question = RandomQuestion(random);
  const Clock::time_point now = Clock::now();
  std::uint64_t i = 0;
  for (auto _ : state) {
    cache::Key key{};
    ++i;
    std::memcpy(key.data(), &i, sizeof i);
    index.Add({}, question, key, key, now);
  }
}
BENCHMARK(BM_QuestionAdd);

}  // namespace
}  // namespace pointsman
