#include "policies/gate/cascade_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/policies/gate/random_distribution.h"

namespace pointsman::gate {
namespace {

using testing::HasSubstr;
constexpr int kCases = 10000;

// 101 points: quality rises linearly from 0.5 to 0.8, the threshold is the share.
void AddCurve(CascadeGate& gate) {
  gate.weak = "small";
  gate.strong = "large";
  for (int i = 0; i <= 100; ++i) gate.curve.push_back({i / 100.0, i / 100.0, 0.5 + 0.003 * i, 1 - i / 50.0});
  gate.weak_quality = 0.5;
  gate.strong_quality = 0.8;
}

CascadeGate Logistic(double variance = 2, double entropy = 1, double bias = -1) {
  CascadeGate gate;
  gate.kind = GateKind::kLogistic;
  gate.source = SignalSource::kOptions;
  gate.inputs = {Signal::kVariance, Signal::kEntropy};
  gate.weights = {variance, entropy};
  gate.bias = bias;
  AddCurve(gate);
  return gate;
}

CascadeGate RandomMlp(std::mt19937& random) {
  std::exponential_distribution<double> positive(0.5);
  std::normal_distribution<double> normal;
  CascadeGate gate = Logistic();
  gate.kind = GateKind::kMlp;
  gate.weights.clear();
  for (int h = 0; h < 6; ++h) {
    gate.weights.push_back(positive(random));
    gate.hidden_bias.push_back(normal(random));
    for (int i = 0; i < 2; ++i) gate.hidden_weights.push_back(positive(random));
  }
  gate.bias = normal(random);
  return gate;
}

CascadeGate Gain() {
  CascadeGate gate = Logistic();
  gate.kind = GateKind::kGain;
  gate.weights = {-0.5, -0.1};
  gate.bias = 0.4;
  gate.categories = {"law", "math"};
  gate.category_weights = {0.1, -0.2};
  gate.category_slopes = {0, 0.04};
  for (int i = 0; i <= 100; ++i) gate.gain_quantiles.push_back(-0.5 + 0.01 * i);
  return gate;
}

WeakSignals Options(const std::vector<double>& p) {
  WeakSignals signals;
  signals.SetOptions(p);
  return signals;
}

TEST(CascadeGate, TheLogisticIsItsFormula) {
  const std::vector<double> p = {0.6, 0.2, 0.1, 0.1};
  const Dispersions d = DispersionsOf(p);
  EXPECT_NEAR(Confidence(Logistic(), Options(p), nullptr), 1 / (1 + std::exp(1 - 2 * d.variance - d.entropy)), 1e-12);
}

// G of C = G(D): what is more certain never has less confidence.
TEST(CascadeGate, IsMonotoneInTheDispersions) {
  std::mt19937 random(1);
  std::exponential_distribution<double> positive(0.3);
  for (int i = 0; i < kCases; ++i) {
    const CascadeGate gate = i % 2 == 0 ? RandomMlp(random) : Logistic(positive(random), positive(random), -2);
    ASSERT_EQ(Flaw(gate), "");
    std::vector<double> p = RandomDistribution(random, 2 + random() % 8);
    const double before = Confidence(gate, Options(p), nullptr);
    ASSERT_GE(before, 0);
    ASSERT_LE(before, 1);
    for (double& value : p) value = 0.7 * value + 0.3 / static_cast<double>(p.size());  // nearer to uniform
    ASSERT_LE(Confidence(gate, Options(p), nullptr), before + 1e-12);
  }
}

TEST(CascadeGate, TheGainsConfidenceIsTheShareOfRowsWithALargerGain) {
  const CascadeGate gate = Gain();
  ASSERT_EQ(Flaw(gate), "");
  const std::vector<double> p = {0.6, 0.2, 0.1, 0.1};
  const Dispersions d = DispersionsOf(p);
  const double gain = 0.4 - 0.5 * d.variance - 0.1 * d.entropy;
  EXPECT_NEAR(Confidence(gate, Options(p), nullptr), 1 - (gain + 0.5), 1e-9);
  EXPECT_EQ(Confidence(gate, Options({0.5, 0.5}), nullptr), 1 - 0.9);
}

TEST(CascadeGate, TheGainReadsTheCategories) {
  const CascadeGate gate = Gain();
  const std::vector<std::string> names = {"math", "poetry", "law"};
  policies::Evidence evidence;
  evidence.categories = names;
  evidence.probabilities = {0.5F, 0.3F, 0.2F};
  const WeakSignals signals = Options({0.5, 0.5});
  EXPECT_NEAR(Confidence(gate, signals, &evidence), 1 - (0.9 - 0.5 * (0.2 - 0.04 * 0.5) + 0.2 * 0.1), 1e-6);
}

TEST(CascadeGate, TheGainsConfidenceFallsWithTheGain) {
  CascadeGate gate = Gain();
  for (int i = 40; i <= 60; ++i) gate.gain_quantiles[static_cast<std::size_t>(i)] = 0;  // many equal rows
  gate.gain_quantiles.front() = -0.5;
  ASSERT_EQ(Flaw(gate), "");
  std::mt19937 random(2);
  double last = 2;
  for (int i = 0; i <= 1000; ++i) {
    gate.bias = -0.7 + 0.0014 * i;
    gate.weights = {0, 0};
    const double confidence = Confidence(gate, Options({0.5, 0.5}), nullptr);
    ASSERT_LE(confidence, last);
    ASSERT_GE(confidence, 0);
    ASSERT_LE(confidence, 1);
    last = confidence;
  }
  EXPECT_EQ(last, 0);
}

TEST(CascadeGate, WithoutItsSourceTheRequestEscalates) {
  WeakSignals tokens;
  tokens.Add({-0.1, 0.9, 0.9, {}});
  EXPECT_FALSE(Readable(Logistic(), tokens));
  EXPECT_EQ(Confidence(Logistic(), tokens, nullptr), 0);
  const CascadeGate variance = *SignalGate("variance");
  EXPECT_TRUE(Readable(variance, tokens));
  EXPECT_EQ(Confidence(variance, tokens, nullptr), 0.9);
  EXPECT_FALSE(Readable(variance, WeakSignals()));
  EXPECT_FALSE(Readable(*SignalGate("agreement"), tokens));
}

TEST(CascadeGate, SignalsNeedNoFile) {
  for (const char* name : {"agreement", "variance", "entropy", "min_variance", "min_entropy", "probability",
                           "min_probability", "max_probability", "margin"}) {
    const auto gate = SignalGate(name, 8);
    ASSERT_TRUE(gate.ok()) << name;
    EXPECT_EQ(Flaw(*gate), "") << name;
    EXPECT_EQ(gate->tokens, 8U);
    EXPECT_THAT(ThresholdForShare(*gate, 0.3).error().message, HasSubstr("train cascade"));
    EXPECT_THAT(ThresholdForQuality(*gate, 0.9).error().message, HasSubstr("train cascade"));
  }
  EXPECT_THAT(SignalGate("luck").error().message, HasSubstr("max_probability"));
  WeakSignals votes;
  votes.SetVotes(std::vector<double>{0.8, 0.2}, 5);
  EXPECT_EQ(Confidence(*SignalGate("agreement"), votes, nullptr), 0.8);
}

TEST(CascadeGate, ReadsThresholdsFromItsCurve) {
  const CascadeGate gate = Logistic();
  EXPECT_EQ(ThresholdForShare(gate, 0)->threshold, 0);
  EXPECT_EQ(ThresholdForShare(gate, 0.3)->threshold, 0.3);
  EXPECT_EQ(ThresholdForShare(gate, 0.305)->strong_share, 0.3);
  EXPECT_EQ(ThresholdForShare(gate, 1)->threshold, 1);
  // 0.75 of 0.8 is 0.6: 34 % and not 33 %.
  EXPECT_EQ(ThresholdForQuality(gate, 0.75)->strong_share, 0.34);
  EXPECT_EQ(ThresholdForQuality(gate, 0.5)->strong_share, 0);
  EXPECT_EQ(ThresholdForQuality(gate, 1)->strong_share, 1);
  EXPECT_FALSE(ThresholdForShare(gate, 1.1).ok());
  EXPECT_FALSE(ThresholdForQuality(gate, 0).ok());
  EXPECT_FALSE(ThresholdForShare(gate, std::nan("")).ok());
}

TEST(CascadeGate, ItsFlawsAreFound) {
  EXPECT_EQ(Flaw(Logistic()), "");
  const auto with = [](CascadeGate gate, auto change) {
    change(gate);
    return Flaw(gate);
  };
  const double nan = std::nan("");
  EXPECT_THAT(with(Logistic(), [](CascadeGate& g) { g.weights[0] = -1; }), HasSubstr("negative"));
  EXPECT_THAT(with(Logistic(), [&](CascadeGate& g) { g.bias = nan; }), HasSubstr("finite"));
  EXPECT_THAT(with(Logistic(), [](CascadeGate& g) { g.source.reset(); }), HasSubstr("source"));
  EXPECT_THAT(with(Logistic(), [](CascadeGate& g) { g.inputs.clear(); }), HasSubstr("inputs"));
  EXPECT_THAT(with(Logistic(), [](CascadeGate& g) { g.inputs[1] = g.inputs[0]; }), HasSubstr("same"));
  EXPECT_THAT(with(Logistic(), [](CascadeGate& g) { g.weights.pop_back(); }), HasSubstr("differ"));
  EXPECT_THAT(with(Logistic(), [](CascadeGate& g) { g.curve.pop_back(); }), HasSubstr("share 1"));
  EXPECT_THAT(with(Logistic(), [](CascadeGate& g) { std::swap(g.curve[3], g.curve[9]); }), HasSubstr("ascend"));
  EXPECT_THAT(with(Logistic(), [](CascadeGate& g) { g.read_share = 0; }), HasSubstr("reads"));
  EXPECT_THAT(with(Gain(), [](CascadeGate& g) { g.categories[0] = "math"; }), HasSubstr("distinct"));
  EXPECT_THAT(with(Gain(), [](CascadeGate& g) { g.gain_quantiles[7] = 3; }), HasSubstr("ascend"));
  EXPECT_THAT(with(Gain(), [](CascadeGate& g) { g.category_weights.pop_back(); }), HasSubstr("number"));
  EXPECT_EQ(Flaw(Gain()), "");  // its weights may be negative
  std::mt19937 random(3);
  EXPECT_THAT(with(RandomMlp(random), [](CascadeGate& g) { g.hidden_weights[2] = -1e-9; }), HasSubstr("negative"));
  EXPECT_THAT(with(RandomMlp(random), [](CascadeGate& g) { g.hidden_bias.pop_back(); }), HasSubstr("layers"));
}

// Section 3: the share of kept answers is E[C], so the cost is cost_weak + (1 - E[C]) cost_strong.
TEST(CascadeRules, TheDrawsShareIsTheMeanConfidence) {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> uniform(0, 1);
  double sum = 0, kept = 0;
  for (int i = 0; i < kCases; ++i) {
    const double confidence = std::pow(uniform(random), 3);
    sum += confidence;
    kept += KeepByDraw(confidence, DrawOf("request-" + std::to_string(i))) ? 1 : 0;
  }
  EXPECT_NEAR(kept / kCases, sum / kCases, 0.02);  // four standard deviations
  const double share = 1 - kept / kCases;
  EXPECT_NEAR(ExpectedCost(share, 1, 1, 10), 1 + 10 * share, 1e-12);
  EXPECT_NEAR(ExpectedCost(0.4, 0.25, 2, 10), 2 * (0.6 + 0.1) + 4, 1e-12);
}

TEST(CascadeRules, ADrawIsUniformAndTheSameForTheSameRequest) {
  std::vector<int> bins(10);
  for (int i = 0; i < kCases; ++i) {
    const std::string id = std::to_string(i);
    const double q = DrawOf(id);
    ASSERT_EQ(q, DrawOf(id));
    ASSERT_GE(q, 0);
    ASSERT_LT(q, 1);
    ++bins[static_cast<std::size_t>(q * 10)];
  }
  for (const int count : bins) EXPECT_NEAR(count, 1000, 130);  // four standard deviations
  EXPECT_FALSE(KeepByDraw(0, 0));
  EXPECT_TRUE(KeepByDraw(1, 0.999999));
}

TEST(CascadeRules, TheThresholdKeepsWhatReachesIt) {
  EXPECT_TRUE(KeepByThreshold(0.5, 0.5));
  EXPECT_FALSE(KeepByThreshold(0.5, 0.51));
  EXPECT_TRUE(KeepByThreshold(0, 0));
}

TEST(CascadeRules, AMixtureOfDistributionsIsADistribution) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int i = 0; i < kCases; ++i) {
    const std::size_t n = 2 + random() % 9;
    const std::vector<double> weak = RandomDistribution(random, n), strong = RandomDistribution(random, n);
    std::vector<double> out(n);
    const double c = uniform(random);
    Mixture(c, weak, strong, out);
    double sum = 0;
    for (std::size_t k = 0; k < n; ++k) {
      sum += out[k];
      ASSERT_LE(out[k], std::max(weak[k], strong[k]) + 1e-12);
      ASSERT_GE(out[k], std::min(weak[k], strong[k]) - 1e-12);
    }
    ASSERT_NEAR(sum, 1, 1e-9);
  }
  const std::vector<double> weak = {0.9, 0.1}, strong = {0.2, 0.8};
  std::vector<double> out(2);
  Mixture(1, weak, strong, out);
  EXPECT_EQ(out, weak);
  Mixture(0, weak, strong, out);
  EXPECT_EQ(out, strong);
}

TEST(CascadeRules, AShiftMovesTheMeanAndKeepsTheOrder) {
  EXPECT_NEAR(Shifted(0.3, 0), 0.3, 1e-12);
  EXPECT_NEAR(Shifted(0.5, std::log(3)), 0.75, 1e-12);
  EXPECT_EQ(Shifted(0, 5), 0);
  EXPECT_EQ(Shifted(1, -5), 1);
  double last = 0;
  for (int i = 1; i < 100; ++i) {
    const double shifted = Shifted(i / 100.0, -1.5);
    EXPECT_GT(shifted, last);
    last = shifted;
  }
}

}  // namespace
}  // namespace pointsman::gate
