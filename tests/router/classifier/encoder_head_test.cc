#include "router/classifier/encoder_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "tests/support/encoder_head.h"
#include "tests/support/temp_dir.h"

namespace pointsman::classifier {
namespace {

using testing_support::SmallHead;
using testing_support::Unit;

policies::Evidence Fast(const std::vector<std::string>& categories, std::vector<float> p) {
  policies::Evidence fast;
  fast.categories = categories;
  fast.probabilities = std::move(p);
  fast.entropy_threshold = 0.5;
  fast.bytes_total = 7;
  return fast;
}

TEST(EncoderHead, ConfidenceIsThatOfItsGate) {
  const EncoderHead served(SmallHead(), "", std::nullopt);  // whose gate reads the lead over the second
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_NEAR(served.Confidence(Fast(names, {0.2F, 0.5F, 0.3F})), 0.2, 1e-6);
  EXPECT_NEAR(served.Confidence(Fast(names, {0.5F, 0.5F, 0.0F})), 0, 1e-6);
  EXPECT_NEAR(served.Confidence(Fast(names, {0, 0, 1})), 1, 1e-6);
}

TEST(EncoderHead, ItsGateMayReadTheCategories) {
  v1::EncoderHead head = SmallHead();
  for (const char* name : {"a", "b", "c"}) head.mutable_gate()->add_categories(name);
  for (const double weight : {0.0, 0.3, -0.3}) head.mutable_gate()->add_category_weights(weight);
  for (int i = 0; i < 3; ++i) head.mutable_gate()->add_category_slopes(0);
  ASSERT_EQ(Flaw(head), "");
  const EncoderHead served(head, "", std::nullopt);
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_NEAR(served.Confidence(Fast(names, {0.1F, 0.7F, 0.2F})), 0.5 - 0.7 * 0.3 + 0.2 * 0.3, 1e-6);
  EXPECT_NEAR(served.Confidence(Fast(names, {0.1F, 0.2F, 0.7F})), 0.5 - 0.2 * 0.3 + 0.7 * 0.3, 1e-6);
}

// The formula of the header, computed step by step.
TEST(EncoderHead, PreciseEvidenceMeetsDirectComputation) {
  const v1::EncoderHead head = SmallHead();
  const EncoderHead served(head, "sum", std::nullopt);
  const std::vector<std::string> names(head.categories().begin(), head.categories().end());
  const std::vector<float> e = Unit({1, 2, 0, -1, 0.5, 0, 0, 0.25});
  const policies::Evidence fast = Fast(names, {0.6F, 0.3F, 0.1F});
  const auto precise = served.PreciseEvidence(fast, e);
  ASSERT_TRUE(precise.ok());

  std::vector<double> linear(3), votes(3, 0.0), expected(3);
  double sum = 0;
  for (int c = 0; c < 3; ++c) {
    linear[c] = head.bias(c);
    for (int d = 0; d < 8; ++d) linear[c] += head.weights(c * 8 + d) * e[d];
    sum += std::exp(linear[c]);
  }
  for (double& value : linear) value -= std::log(sum);
  // All rows' cosines, in float; the two nearest vote.
  std::vector<std::pair<double, std::uint32_t>> rows;
  for (int r = 0; r < head.neighbour_scales_size(); ++r) {
    double cosine = 0;
    for (int d = 0; d < 8; ++d) {
      cosine += static_cast<std::int8_t>(head.neighbours()[r * 8 + d]) * head.neighbour_scales(r) * e[d];
    }
    rows.emplace_back(cosine, head.neighbour_categories(r));
  }
  std::sort(rows.rbegin(), rows.rend());
  double total = 0;
  for (int r = 0; r < 2; ++r) {
    votes[rows[r].second] += std::exp(head.sharpness() * rows[r].first);
    total += std::exp(head.sharpness() * rows[r].first);
  }
  double normaliser = 0;
  for (int c = 0; c < 3; ++c) {
    const double vote = std::log(0.98 * votes[c] / total + 0.02 / 3);
    expected[c] = std::exp((head.fast_weight() * std::log(fast.probabilities[c]) + head.linear_weight() * linear[c] +
                            head.neighbour_weight() * vote) /
                           head.temperature());
    normaliser += expected[c];
  }
  double entropy = 0, mass = 0;
  for (int c = 0; c < 3; ++c) {
    const double p = expected[c] / normaliser;
    EXPECT_NEAR(precise->probabilities[c], p, 0.01) << c;  // the query's int8 values
    entropy -= p * std::log(p);
    mass += precise->probabilities[c];
  }
  EXPECT_NEAR(mass, 1, 1e-5);
  EXPECT_NEAR(precise->entropy, entropy, 0.02);
  EXPECT_EQ(precise->likeliest,
            static_cast<std::size_t>(std::max_element(expected.begin(), expected.end()) - expected.begin()));
  EXPECT_FLOAT_EQ(static_cast<float>(precise->entropy_threshold), head.entropy_threshold());
  EXPECT_EQ(precise->uncertain, precise->entropy > precise->entropy_threshold);
  EXPECT_EQ(precise->bytes_total, 7u);
}

TEST(EncoderHead, TheFastLaneAloneIsTheFastLane) {
  v1::EncoderHead head = SmallHead();
  head.set_fast_weight(1);
  head.set_linear_weight(0);
  head.set_neighbour_weight(0);
  head.set_temperature(1);
  const EncoderHead served(head, "", 0.25);
  const std::vector<std::string> names(head.categories().begin(), head.categories().end());
  const auto precise = served.PreciseEvidence(Fast(names, {0.7F, 0.3F, 0}), Unit({0, 0, 0, 0, 0, 0, 0, 1}));
  ASSERT_TRUE(precise.ok());
  EXPECT_NEAR(precise->probabilities[0], 0.7, 1e-5);
  EXPECT_NEAR(precise->probabilities[1], 0.3, 1e-5);
  EXPECT_EQ(precise->entropy_threshold, 0.25);
  EXPECT_TRUE(precise->uncertain);
}

TEST(EncoderHead, RefusesOtherCategoriesAndDimensions) {
  const v1::EncoderHead head = SmallHead();
  const EncoderHead served(head, "", std::nullopt);
  const std::vector<std::string> names = {"a", "b"};
  EXPECT_FALSE(served.PreciseEvidence(Fast(names, {0.5F, 0.5F}), Unit({1, 0, 0, 0, 0, 0, 0, 0})));
  const std::vector<std::string> three = {"a", "b", "c"};
  EXPECT_FALSE(served.PreciseEvidence(Fast(three, {0.5F, 0.5F, 0}), Unit({1, 0, 0})));
}

TEST(EncoderHead, ThresholdForShareReadsTheCurve) {
  const EncoderHead served(SmallHead(), "", std::nullopt);  // i % of the rows are under i / 100
  EXPECT_NEAR(served.ThresholdForShare(0.2), 0.2, 1e-6);
  EXPECT_NEAR(served.ThresholdForShare(0.205), 0.2, 1e-6);
  EXPECT_NEAR(served.ThresholdForShare(0), 0, 1e-6);
  EXPECT_GT(served.ThresholdForShare(1), 1);
}

TEST(EncoderHead, AFileComesBackAndDamageIsFound) {
  const testing::TempDir folder;
  const auto file = folder.path() / "head.pmh";
  const auto written = WriteEncoderHead(file, SmallHead());
  ASSERT_TRUE(written.ok()) << written.error().message;
  const auto read = EncoderHead::Load(file, std::nullopt);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ((*read)->checksum(), *written);
  EXPECT_EQ((*read)->encoder(), "small-encoder");
  EXPECT_EQ((*read)->categories().size(), 3u);

  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const auto refused = [&](const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    const auto result = EncoderHead::Load(file, std::nullopt);
    return result.ok() ? "" : result.error().message;
  };
  EXPECT_NE(refused(bytes.substr(0, bytes.size() / 2)).find("cut or damaged"), std::string::npos);
  std::string flipped = bytes;
  flipped[bytes.size() / 2] ^= 1;
  EXPECT_NE(refused(flipped).find("checksum mismatch"), std::string::npos);
  EXPECT_NE(refused("PMARTIF1" + bytes.substr(8)).find("does not begin with PMENCHD1"), std::string::npos);
  EXPECT_NE(refused("PMENCHD9" + bytes.substr(8)).find("another version"), std::string::npos);
  EXPECT_NE(refused("").find("it is empty"), std::string::npos);
  std::filesystem::remove(file);
  const auto missing = EncoderHead::Load(file, std::nullopt);
  EXPECT_NE(missing.error().message.find("pointsman train encoder"), std::string::npos) << missing.error().message;
}

TEST(EncoderHead, FlawsAreNamed) {
  const auto flaw = [](auto change) {
    v1::EncoderHead head = SmallHead();
    change(head);
    return Flaw(head);
  };
  EXPECT_EQ(flaw([](v1::EncoderHead&) {}), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.set_temperature(0); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.mutable_weights()->RemoveLast(); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.mutable_neighbours()->pop_back(); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.set_neighbour_categories(0, 3); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.set_nearest(0); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.mutable_gate()->set_weights(0, NAN); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.mutable_gate()->set_source("top_k"); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.clear_gate(); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.set_bias(0, NAN); }), "");
  EXPECT_NE(flaw([](v1::EncoderHead& h) { h.set_categories(0, "b"); }), "");
}

}  // namespace
}  // namespace pointsman::classifier
