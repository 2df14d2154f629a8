#include "router/classifier/ngram_gates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "router/classifier/features.h"
#include "router/classifier/gate_file.h"
#include "tests/support/gates.h"

namespace pointsman::classifier {
namespace {

float Direct(const v1::ExpertGate& gate, std::string_view text) {
  long sum = 0, occurrences = 0;
  StreamFeatures(text, kGateMaxBytes, [&](const Feature& feature) {
    sum += static_cast<std::int8_t>(gate.ngrams().weights()[feature.Row(kGateBucketBits)]);
    ++occurrences;
  });
  const float norm = occurrences == 0 ? 0 : 1 / std::sqrt(static_cast<float>(occurrences));
  return static_cast<float>(sum) * norm * gate.ngrams().scale() + gate.ngrams().bias();
}

TEST(NgramGates, LogitsAreTheSumsOfTheGatesOwnTables) {
  std::vector<v1::ExpertGate> gates;
  for (std::uint64_t e = 0; e < 35; ++e) gates.push_back(pointsman::testing::RandomGate("e", 8, 1, e + 1));
  const NgramGates served(gates);
  std::vector<float> logits(gates.size());
  std::string many;
  for (int i = 0; i < 400; ++i) many += "word" + std::string(1, static_cast<char>('a' + i % 26)) + " ";
  for (const std::string& text : {std::string(), std::string("What is 12 + 30?"), many, std::string("\xFF\xFE")}) {
    served.Logits(text, logits);
    for (std::size_t e = 0; e < gates.size(); ++e) EXPECT_EQ(logits[e], Direct(gates[e], text)) << e;
  }
}

TEST(NgramGates, TheLargestWeightsOfTheLongestTextDoNotOverflow) {
  for (const char weight : {'\x7F', '\x81'}) {
    v1::ExpertGate gate = pointsman::testing::RandomGate("e", 8, 1, 1);
    gate.mutable_ngrams()->set_weights(std::string(kGateBuckets, weight));
    const NgramGates served({&gate, 1});
    float logit = 0;
    const std::string text(4 * kGateMaxBytes, 'x');
    served.Logits(text, {&logit, 1});
    EXPECT_EQ(logit, Direct(gate, text));
    EXPECT_GT(std::abs(logit), 1);
  }
}

}  // namespace
}  // namespace pointsman::classifier
