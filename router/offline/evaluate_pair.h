// router/offline/evaluate_pair.h: routing between a weak and a strong expert (RouteLLM, arXiv 2406.18665), learnt on
// some rows and measured on others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/fit_predictor.h"
#include "router/offline/pair_curve.h"
#include "router/offline/pair_rows.h"

namespace pointsman::offline {

struct EvaluatePairOptions {
  std::vector<std::filesystem::path> train, test;
  std::vector<std::string> weak, strong;  // names in the rows; a side's quality is the mean over those a row has
  std::string text_field, label_field;    // ScoredOptions; test rows need no label
  std::optional<HashRange> train_range, test_range;
  std::uint32_t train_rows = 0;  // draw so many of the training rows; 0 = all
  std::uint64_t seed = 1;        // of that draw
  std::uint32_t resamples = 1000;
  PredictorOptions fit;
  std::function<void(std::string_view, double)> progress;  // may be empty
};

struct PairReport {
  std::vector<std::string> weak, strong;
  std::size_t n = 0, train_n = 0;
  std::uint64_t contaminated = 0, train_contaminated = 0;  // rows left out
  std::size_t shared = 0;                                  // test rows whose text is a training row's
  double weak_quality = 0, strong_quality = 0, oracle_quality = 0;
  PairFigures figures;
  double oracle_apgr = 0;
  PairSpreads spreads;
  std::vector<CurvePoint> curve;  // exact, of all test rows
  std::vector<StackWeight> stack;
  double train_seconds = 0, predict_microseconds = 0;  // wall clock; the latter a text
};

// Errors: those of the rows; test rows whose strong expert is no better than the weak one have no gap to recover.
// Blocking.
Result<PairReport> EvaluatePair(const EvaluatePairOptions& options);

std::string PairReportJson(const PairReport& report);
std::string PairReportText(const PairReport& report);

}  // namespace pointsman::offline
