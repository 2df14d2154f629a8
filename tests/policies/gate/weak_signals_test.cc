#include "policies/gate/weak_signals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/policies/gate/random_distribution.h"

namespace pointsman::gate {
namespace {

double Of(const SignalValues& values, Signal signal) { return values[static_cast<std::size_t>(signal)]; }

TEST(WeakSignals, GivesMeansAndLeastValuesOfTheVocabularysDispersions) {
  WeakSignals signals;
  signals.Add({std::log(0.9), 0.8, 0.7, {}});
  signals.Add({std::log(0.4), 0.2, 0.3, {}});
  ASSERT_EQ(signals.source(), SignalSource::kVocabulary);
  const SignalValues values = *signals.Values(SignalSource::kVocabulary);
  EXPECT_DOUBLE_EQ(Of(values, Signal::kVariance), 0.5);
  EXPECT_DOUBLE_EQ(Of(values, Signal::kEntropy), 0.5);
  EXPECT_DOUBLE_EQ(Of(values, Signal::kMinVariance), 0.2);
  EXPECT_DOUBLE_EQ(Of(values, Signal::kMinEntropy), 0.3);
  EXPECT_NEAR(Of(values, Signal::kProbability), 0.6, 1e-12);
  EXPECT_NEAR(Of(values, Signal::kMinProbability), 0.4, 1e-12);
  EXPECT_NEAR(Of(values, Signal::kMaxProbability), 0.65, 1e-12);
  EXPECT_NEAR(Of(values, Signal::kMargin), (0.8 + 0) / 2, 1e-12);
}

TEST(WeakSignals, ReadsTheFirstTokensOnly) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int i = 0; i < 1000; ++i) {
    const std::size_t limit = 1 + random() % 20, length = random() % 40;
    WeakSignals limited(limit), whole;
    for (std::size_t t = 0; t < length; ++t) {
      const TokenSignal token{std::log(uniform(random)), uniform(random), uniform(random), {}};
      limited.Add(token);
      if (t < limit) whole.Add(token);
    }
    ASSERT_EQ(limited.tokens(), std::min(limit, length));
    ASSERT_EQ(limited.complete(), length >= limit);
    ASSERT_EQ(limited.Values(SignalSource::kVocabulary), whole.Values(SignalSource::kVocabulary));
    ASSERT_FALSE(whole.complete());
    whole.End();
    ASSERT_TRUE(whole.complete());
  }
}

TEST(WeakSignals, OneTokenWithoutVocabularyMakesTheTopListTheSource) {
  const std::vector<double> top = {std::log(0.7), std::log(0.2)};
  WeakSignals signals;
  signals.Add({top[0], 0.9, 0.9, top});
  EXPECT_EQ(signals.source(), SignalSource::kVocabulary);
  signals.Add({top[1], std::nullopt, std::nullopt, top});
  EXPECT_EQ(signals.source(), SignalSource::kTopK);
  EXPECT_FALSE(signals.Values(SignalSource::kVocabulary));
  const SignalValues values = *signals.Values(SignalSource::kTopK);
  const Dispersions expected = *DispersionsOfTop(top);
  EXPECT_NEAR(Of(values, Signal::kVariance), expected.variance, 1e-12);
  EXPECT_NEAR(Of(values, Signal::kEntropy), expected.entropy, 1e-12);
  EXPECT_NEAR(Of(values, Signal::kMaxProbability), 0.7, 1e-12);
  EXPECT_NEAR(Of(values, Signal::kMargin), 0.5, 1e-12);
  EXPECT_NEAR(Of(values, Signal::kProbability), std::sqrt(0.14), 1e-12);
}

TEST(WeakSignals, OptionsAndVotesGoBeforeTokens) {
  WeakSignals signals;
  EXPECT_EQ(signals.source(), SignalSource::kNone);
  for (std::size_t s = 0; s < kSignalSources; ++s) EXPECT_FALSE(signals.Values(static_cast<SignalSource>(s))) << s;
  signals.Add({-1, 0.1, 0.1, {}});
  const std::vector<double> options = {0.7, 0.1, 0.1, 0.1};
  signals.SetOptions(options);
  ASSERT_EQ(signals.source(), SignalSource::kOptions);
  const SignalValues values = *signals.Values(SignalSource::kOptions);
  const Dispersions expected = DispersionsOf(options);
  EXPECT_EQ(Of(values, Signal::kVariance), expected.variance);
  EXPECT_EQ(Of(values, Signal::kMinVariance), expected.variance);
  EXPECT_EQ(Of(values, Signal::kEntropy), expected.entropy);
  EXPECT_EQ(Of(values, Signal::kMargin), expected.margin);
  EXPECT_EQ(Of(values, Signal::kMinProbability), 0.7);
  signals.SetVotes(std::vector<double>{0.8, 0.2}, 5);
  ASSERT_EQ(signals.source(), SignalSource::kAgreement);
  EXPECT_EQ(Of(*signals.Values(SignalSource::kAgreement), Signal::kMaxProbability), 0.8);
  EXPECT_EQ(Of(*signals.Values(SignalSource::kAgreement), Signal::kVariance),
            DispersionsOf(std::vector<double>{0.8, 0.2}, 5).variance);
  EXPECT_TRUE(signals.Values(SignalSource::kVocabulary));
}

TEST(WeakSignals, VotesAreUniformWhenAllDifferAndCertainWhenAllAgree) {
  for (std::size_t m = 2; m < 20; ++m) {
    WeakSignals differ, agree;
    differ.SetVotes(std::vector<double>(m, 1 / static_cast<double>(m)), m);
    agree.SetVotes(std::vector<double>{1}, m);
    EXPECT_NEAR(Of(*differ.Values(SignalSource::kAgreement), Signal::kVariance), 0, 1e-9);
    EXPECT_NEAR(Of(*differ.Values(SignalSource::kAgreement), Signal::kEntropy), 0, 1e-9);
    EXPECT_EQ(Of(*agree.Values(SignalSource::kAgreement), Signal::kVariance), 1);
    EXPECT_EQ(Of(*agree.Values(SignalSource::kAgreement), Signal::kEntropy), 1);
  }
}

TEST(WeakSignals, OneSampleAndOneOptionSayNothing) {
  WeakSignals signals;
  signals.SetVotes(std::vector<double>{1}, 1);
  signals.SetOptions(std::vector<double>{1});
  EXPECT_EQ(signals.source(), SignalSource::kNone);
}

TEST(WeakSignals, BadNumbersDoNotSpread) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  WeakSignals signals;
  signals.Add({nan, 2, -1, {}});
  signals.Add({-infinity, 0.5, 0.5, {}});
  signals.Add({infinity, 0.5, 0.5, {}});
  for (const SignalSource source : {SignalSource::kVocabulary, SignalSource::kTopK}) {
    const SignalValues values = *signals.Values(source);
    for (const double value : values) {
      EXPECT_GE(value, 0);
      EXPECT_LE(value, 1);
    }
  }
}

TEST(WeakSignals, NamesAreFoundAgain) {
  for (std::size_t s = 0; s < kSignals; ++s) {
    EXPECT_EQ(SignalNamed(Name(static_cast<Signal>(s))), static_cast<Signal>(s));
  }
  for (std::size_t s = 0; s < kSignalSources; ++s) {
    EXPECT_EQ(SourceNamed(Name(static_cast<SignalSource>(s))), static_cast<SignalSource>(s));
  }
  EXPECT_FALSE(SignalNamed("luck"));
  EXPECT_FALSE(SourceNamed(""));
}

}  // namespace
}  // namespace pointsman::gate
