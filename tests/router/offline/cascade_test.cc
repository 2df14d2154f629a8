// The way of a gate from rows to file to figures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <fstream>

#include "router/classifier/cascade_file.h"
#include "router/offline/answer_row.h"
#include "router/offline/binary_metrics.h"
#include "router/offline/early_decision.h"
#include "router/offline/evaluate_cascade.h"
#include "router/offline/fit_cascade.h"
#include "router/offline/train_cascade.h"
#include "tests/support/cascade_rows.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::pointsman::testing::CascadeLines;
using ::testing::HasSubstr;

struct CascadeTest : ::testing::Test {
  ::pointsman::testing::TempDir dir;

  std::filesystem::path File(const std::string& name, const std::string& text) {
    std::ofstream(dir.path() / name) << text;
    return dir.path() / name;
  }
  CascadeRowOptions Rows(const std::string& text) {
    CascadeRowOptions options;
    options.files = {File("rows.jsonl", text)};
    options.weak = "small";
    options.strong = "large";
    return options;
  }
  std::string RowError(const std::string& line) { return ReadCascadeRows(Rows(line)).error().message; }
};

TEST_F(CascadeTest, RowErrorsNameThePlaceAndWhatIsWrong) {
  EXPECT_THAT(RowError(R"({"probs":[0.5,0.1],"small_correct":1,"large_correct":1})"),
              ::testing::AllOf(HasSubstr("rows.jsonl:1"), HasSubstr("sums to")));
  EXPECT_THAT(RowError(R"({"probs":[1],"small_correct":1,"large_correct":1})"), HasSubstr("two numbers"));
  EXPECT_THAT(RowError(R"({"tokens":[{"variance":1}],"small_correct":1,"large_correct":1})"), HasSubstr("logprob"));
  EXPECT_THAT(RowError(R"({"tokens":[{"logprob":-1,"variance":3}],"small_correct":1,"large_correct":1})"),
              HasSubstr("[0, 1]"));
  EXPECT_THAT(RowError(R"({"probs":[0.5,0.5],"small_correct":1})"), HasSubstr("strong"));
  EXPECT_THAT(RowError(R"({"prompt":"x","small_correct":1,"large_correct":1})"), HasSubstr("evaluate answers"));
}

TEST_F(CascadeTest, RowsGiveTheGateWhatItWouldSee) {
  const auto rows = ReadCascadeRows(
      Rows(R"({"tokens":[{"logprob":-0.1,"variance":0.9,"entropy":0.8},{"logprob":-2,"variance":0.1,"entropy":0.2}],)"
           R"("small_correct":1,"large_correct":0})"));
  ASSERT_TRUE(rows) << rows.error().message;
  const gate::WeakSignals first = SignalsOf(rows->rows[0], 1), all = SignalsOf(rows->rows[0], 0);
  EXPECT_EQ(first.tokens(), 1U);
  EXPECT_FALSE(first.ended());
  EXPECT_TRUE(all.ended());
  EXPECT_EQ((*all.Values(gate::SignalSource::kVocabulary))[0], 0.5);
}

TEST_F(CascadeTest, TheFittedLogisticIsCalibratedAndMonotone) {
  const auto rows = ReadCascadeRows(Rows(CascadeLines(3000)));
  for (const gate::GateKind kind : {gate::GateKind::kLogistic, gate::GateKind::kMlp}) {
    const auto fit = FitGate(*rows, {kind, 0, true});
    ASSERT_TRUE(fit) << fit.error().message;
    EXPECT_EQ(Flaw(fit->gate), "");  // finds coefficients below 0
    std::vector<double> right;
    for (const CascadeRow& row : rows->rows) right.push_back(row.weak);
    EXPECT_LT(CalibrationError(fit->confidence, right), 0.05);
    EXPECT_GT(Auroc(fit->confidence, right), 0.65);
  }
}

TEST_F(CascadeTest, TheGainKnowsWhereTheStrongExpertIsBetter) {
  const auto rows = ReadCascadeRows(Rows(CascadeLines(3000)));
  const auto fit = FitGate(*rows, {gate::GateKind::kGain, 0, true});
  ASSERT_TRUE(fit);
  const auto law = std::find(fit->gate.categories.begin(), fit->gate.categories.end(), "law");
  ASSERT_NE(law, fit->gate.categories.end());
  double gain[2] = {0, 0};  // of an unsure answer in art, in law
  for (std::size_t r = 0; r < rows->rows.size(); ++r) {
    if (rows->rows[r].probs[0] > 0.5) continue;
    gain[rows->rows[r].categories[static_cast<std::size_t>(law - fit->gate.categories.begin())] > 0.5] += fit->gain[r];
  }
  EXPECT_GT(gain[1], gain[0]);
}

TEST_F(CascadeTest, TheGainWithoutCategoriesReadsTheAnswerAlone) {
  // Rows with their categories left unread, and rows that have none: the same gate.
  std::string lines = CascadeLines(3000), bare = lines;
  for (const std::string domain : {"law", "art"}) {
    const std::string field = R"("domain":")" + domain + R"(",)";
    for (std::size_t at; (at = bare.find(field)) != std::string::npos;) bare.erase(at, field.size());
  }
  const auto rows = ReadCascadeRows(Rows(lines));
  const auto unread = FitGate(*rows, {gate::GateKind::kGain, 0, false});
  const auto without_rows = ReadCascadeRows(Rows(bare));
  ASSERT_TRUE(without_rows) << without_rows.error().message;
  const auto without = FitGate(*without_rows, {gate::GateKind::kGain, 0, true});
  ASSERT_TRUE(unread);
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_TRUE(unread->gate.categories.empty());
  EXPECT_TRUE(without->gate.categories.empty());
  EXPECT_EQ(unread->gain, without->gain);
  // The weak answer's certainty says where the strong expert gains: less where it is sure.
  double sum[2] = {0, 0}, count[2] = {0, 0}, gained[2] = {0, 0};  // by whether the expected gain is small
  std::vector<double> sorted = without->gain;
  std::nth_element(sorted.begin(), sorted.begin() + 1500, sorted.end());
  for (std::size_t r = 0; r < without_rows->rows.size(); ++r) {
    const CascadeRow& row = without_rows->rows[r];
    const bool small = without->gain[r] < sorted[1500];
    sum[small] += row.probs[0], gained[small] += row.strong - row.weak, ++count[small];
  }
  EXPECT_GT(sum[1] / count[1], sum[0] / count[0] + 0.1);
  EXPECT_GT(gained[0] / count[0], gained[1] / count[1] + 0.1);
  // The command's way, from such rows to a file that is served.
  TrainCascadeOptions options;
  options.rows = Rows(bare);
  options.kind = gate::GateKind::kGain;
  options.out = dir.path() / "gain.pmg";
  const auto report = TrainCascade(options);
  ASSERT_TRUE(report) << report.error().message;
  const auto loaded = classifier::LoadCascade(options.out);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->gate.kind, gate::GateKind::kGain);
  EXPECT_TRUE(loaded->gate.categories.empty());
  EXPECT_EQ(report->candidates[report->chosen].ece, 0);  // a gain is no probability
}

TEST_F(CascadeTest, RefusesRowsThatTeachNothing) {
  auto rows = *ReadCascadeRows(Rows(CascadeLines(100)));
  for (CascadeRow& row : rows.rows) row.weak = 1;
  EXPECT_THAT(FitGate(rows, {gate::GateKind::kLogistic, 0, true}).error().message, HasSubstr("all right"));
  rows.rows.resize(10);
  EXPECT_THAT(FitGate(rows, {}).error().message, HasSubstr("50 rows"));
}

TEST(OperatingPoints, KeepTheirPromiseOnTheirOwnRows) {
  std::mt19937 random(1);
  std::vector<double> c, weak, strong;
  for (int i = 0; i < 997; ++i) {
    c.push_back(static_cast<double>(random() % 40) / 40);  // many are equal
    weak.push_back(static_cast<double>(random() % 2));
    strong.push_back(static_cast<double>(random() % 2));
  }
  for (const gate::OperatingPoint& point : OperatingPoints(c, weak, strong)) {
    double escalated = 0, quality = 0, drawn = 0;
    for (std::size_t i = 0; i < c.size(); ++i) {
      const bool keep = gate::KeepByThreshold(c[i], point.threshold);
      escalated += keep ? 0 : 1;
      quality += keep ? weak[i] : strong[i];
      drawn += gate::Shifted(c[i], point.shift);
    }
    ASSERT_NEAR(escalated / 997, point.strong_share, 1e-9);
    ASSERT_NEAR(quality / 997, point.quality, 1e-9);
    if (point.strong_share > 0.05 && point.strong_share < 0.95) {
      ASSERT_NEAR(1 - drawn / 997, point.strong_share, 1e-3);
    }
  }
}

TEST(BinaryMetrics, AreThoseOfHandMadeTables) {
  const std::vector<double> scores = {0.1, 0.4, 0.4, 0.9}, right = {0, 0, 1, 1};
  EXPECT_DOUBLE_EQ(Auroc(scores, right), 3.5 / 4);
  EXPECT_DOUBLE_EQ(Auroc(scores, std::vector<double>(4, 1)), 0.5);
  EXPECT_NEAR(CalibrationError(std::vector<double>{0.9, 0.9}, std::vector<double>{1, 0}), 0.4, 1e-12);
}

TEST_F(CascadeTest, AGateComesBackFromItsFile) {
  TrainCascadeOptions options;
  options.rows = Rows(CascadeLines(500));
  for (const gate::GateKind kind : {gate::GateKind::kLogistic, gate::GateKind::kMlp, gate::GateKind::kGain}) {
    options.kind = kind;
    options.out = dir.path() / "gate.pmg";
    const auto report = TrainCascade(options);
    ASSERT_TRUE(report) << report.error().message;
    const auto loaded = classifier::LoadCascade(options.out);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->checksum, report->checksum);
    EXPECT_EQ(loaded->gate.weak, "small");
    const std::vector<std::string> names = {"art", "law"};
    policies::Evidence evidence;
    evidence.categories = names;
    evidence.probabilities = {0.2F, 0.8F};
    gate::WeakSignals signals;
    signals.SetOptions(std::vector<double>{0.6, 0.3, 0.1});
    EXPECT_EQ(Confidence(loaded->gate, signals, &evidence), Confidence(report->gate, signals, &evidence));
    EXPECT_THAT(ReportText(*report), HasSubstr("strong_share 0.3"));
    EXPECT_EQ(boost::json::parse(ReportJson(*report)).at("rows").to_number<int>(), 500);
  }
}

TEST_F(CascadeTest, AFileWithAFlawIsRefusedByName) {
  TrainCascadeOptions options;
  options.rows = Rows(CascadeLines(300));
  options.kind = gate::GateKind::kLogistic;
  options.out = dir.path() / "gate.pmg";
  auto report = TrainCascade(options);
  ASSERT_TRUE(report);
  const auto refused = [&](auto change) {
    v1::CascadeArtifact artifact;
    artifact.set_version(classifier::kCascadeVersion);
    *artifact.mutable_gate() = classifier::ToProto(report->gate);
    change(artifact);
    EXPECT_TRUE(classifier::WriteCascade(options.out, artifact));
    return classifier::LoadCascade(options.out).error().message;
  };
  EXPECT_THAT(refused([](auto& a) { a.mutable_gate()->set_weights(0, -1); }),
              ::testing::AllOf(HasSubstr("gate.pmg"), HasSubstr("negative")));
  EXPECT_THAT(refused([](auto& a) { a.mutable_gate()->set_bias(NAN); }), HasSubstr("finite"));
  EXPECT_THAT(refused([](auto& a) { a.mutable_gate()->set_kind("luck"); }), HasSubstr("train it anew"));
  EXPECT_THAT(refused([](auto& a) { a.mutable_gate()->set_inputs(0, "luck"); }), HasSubstr("unknown signal"));
  EXPECT_THAT(refused([](auto& a) { a.set_version(9); }), HasSubstr("format 9"));
  File("gate.pmg", "PMPREDI1 something else");
  EXPECT_THAT(classifier::LoadCascade(options.out).error().message, HasSubstr("gate.pmg"));
  EXPECT_FALSE(classifier::LoadCascade(dir.path() / "none.pmg"));
}

TEST_F(CascadeTest, EvaluatesOnRowsThatItDidNotFit) {
  EvaluateCascadeOptions options;
  options.train = options.test = Rows(CascadeLines(1200));
  options.train.range = HashRange{0, 60};
  options.test.range = HashRange{60, 100};
  options.resamples = 50;
  const auto report = EvaluateCascade(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->train_rows + report->rows, 1200U);
  ASSERT_EQ(report->methods.size(), 8U);
  EXPECT_EQ(report->methods.back().name, "gain with categories");
  EXPECT_GT(report->methods.back().figures.apgr, report->methods.front().figures.apgr);
  for (const CascadeMethod& method : report->methods) {
    EXPECT_NEAR(method.stochastic.simulated_cost, method.stochastic.expected_cost, 0.02) << method.name;
    EXPECT_NEAR(method.stochastic.expected_cost, 0.1 + 1 - method.stochastic.mean_confidence, 1e-9);
    EXPECT_NEAR(method.quality.front(), report->weak_quality, 1e-9);
    EXPECT_NEAR(method.quality.back(), report->strong_quality, 1e-9);
    ASSERT_TRUE(method.mixture);
    EXPECT_LE(method.mixture->low, method.mixture->high);
  }
  EXPECT_THAT(CascadeReportText(*report), HasSubstr("gain with categories"));
  EXPECT_THAT(CascadePage(*report), HasSubstr("<svg"));
  EXPECT_EQ(boost::json::parse(CascadeReportJson(*report)).at("methods").as_array().size(), 8U);
}

TEST_F(CascadeTest, ADecisionAfterAllTokensIsTheWholeAnswers) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::string lines;
  for (int i = 0; i < 60; ++i) {
    lines += R"({"tokens":[)";
    for (int t = 0; t < 20; ++t) {
      lines += (t > 0 ? "," : "") +
               ("{\"logprob\":" + std::to_string(std::log(uniform(random))) + ",\"variance\":" +
                std::to_string(uniform(random)) + ",\"entropy\":" + std::to_string(uniform(random))) +
               "}";
    }
    lines += "]}\n";
  }
  EarlyDecisionOptions options;
  options.rows = Rows(lines);
  options.tokens = {2, 20};
  const auto report = EvaluateEarlyDecision(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mean_tokens, 20);
  for (const EarlyDecisionRow& row : report->table) {
    if (row.tokens == 20) {
      EXPECT_NEAR(row.agreement, 1, 1e-9);
      EXPECT_NEAR(row.settled, 1, 1e-9);
      EXPECT_NEAR(row.saved, 0, 1e-9);
    } else {
      EXPECT_LT(row.agreement, 1);
      EXPECT_NEAR(row.saved, 0.9 * row.strong_share, 1e-9);
    }
  }
  EXPECT_THAT(EarlyDecisionText(*report), HasSubstr("settled"));
}

TEST(AnswerRow, HasTheAnswerItsTokensAndWhetherItIsRight) {
  GivenAnswer answer;
  answer.response.mutable_message()->add_parts()->set_text("B. this");
  answer.response.set_finish_reason(v1::FINISH_REASON_STOP);
  v1::TokenLogprob& token = *answer.response.add_logprobs();
  token.set_logprob(-0.2);
  token.set_variance_dispersion(0.7);
  v1::TopToken& top = *token.add_top();
  top.set_token("B");
  top.set_logprob(std::log(0.8));
  answer.sampled_texts = {"The answer is A", "B"};
  const boost::json::object row =
      AnswerRow({{"prompt", "Which?\nA. x\nB. y"}, {"answer", "B"}}, answer, {"small", "prompt", "answer"});
  EXPECT_EQ(row.at("small_correct").to_number<int>(), 1);
  EXPECT_EQ(row.at("extracted").as_string(), "B");
  EXPECT_EQ(row.at("answers"), (boost::json::array{"A", "B"}));
  EXPECT_EQ(row.at("probs").as_array().at(1).to_number<double>(), 1);
  EXPECT_EQ(row.at("tokens").at(0).at("variance").to_number<double>(), 0.7);
  EXPECT_FALSE(row.at("tokens").at(0).as_object().contains("entropy"));
}

}  // namespace
}  // namespace pointsman::offline
