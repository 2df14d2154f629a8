// router/offline/tune_cache.h: `pointsman cache tune`: questions with their answers -> a matcher of questions for the
// semantic cache, and how good it is (docs/cache-semantic.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/match_rows.h"
#include "router/offline/rows.h"

namespace pointsman::offline {

struct TuneCacheOptions {
  RowOptions rows;                              // questions; their label is which answer serves them
  std::vector<std::filesystem::path> distinct;  // questions no two of which have the same answer (rows.text_field)
  ClassifierOptions fit;                        // its folds count twice: for the classifier and for the matcher
  std::filesystem::path out;
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; called in the calling thread
};

// One way to match, and what it does.
struct MatchVariant {
  std::string name;
  std::vector<v1::MatchPoint> curve;  // by falling threshold
};

// What a guard alone does to pairs that would match without it.
struct GuardFigures {
  cache::Guard guard;
  std::size_t wrong = 0, right = 0;  // matches that it forbids, of either kind
};

struct TuneCacheReport {
  std::size_t rows = 0, answers = 0, distinct = 0;
  std::size_t readable = 0;  // questions that may be matched at all
  std::uint64_t duplicates = 0, bad = 0;
  std::vector<std::string> bad_examples;
  std::vector<MatchVariant> variants;  // the matcher itself first
  std::vector<GuardFigures> guards;
  std::vector<double> weights;
  std::uint32_t max_bytes = 0;
  std::filesystem::path out;
  std::uint64_t bytes = 0;
  std::string checksum;
};

// Fits the classifier of the answers, and the matcher on questions that were held out from it, fold by fold. Blocking,
// one thread. Errors: those of the rows and of FitClassifier; no embedding; no pair of the same answer that is near.
Result<TuneCacheReport> TuneCache(const TuneCacheOptions& options);

struct EvaluateCacheOptions {
  std::filesystem::path artifact;
  RowOptions rows;  // that the artifact has not seen
  std::vector<std::filesystem::path> distinct;
  double precision = 0.99;
  std::function<void(std::string_view stage, double share)> progress;
};

// The rows are stored and asked by halves, either way around.
struct EvaluateCacheReport {
  std::size_t rows = 0, distinct = 0;
  double precision = 0, threshold = 0;  // wanted, and what the artifact says of it
  struct Line {
    std::string name;
    std::size_t asked = 0, matched = 0, right = 0;
  };
  std::vector<Line> lines;             // at that threshold: with guards, without; the distinct rows by themselves
  std::vector<MatchVariant> variants;  // whole curves of the labelled rows
  std::vector<std::string> wrong;      // some wrong matches: "asked | stored"
};
Result<EvaluateCacheReport> EvaluateCache(const EvaluateCacheOptions& options);

std::string ReportText(const TuneCacheReport& report);
std::string ReportJson(const TuneCacheReport& report);
std::string ReportText(const EvaluateCacheReport& report);
std::string ReportJson(const EvaluateCacheReport& report);

}  // namespace pointsman::offline
