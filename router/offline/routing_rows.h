// router/offline/routing_rows.h: the rows that routing is learnt from and those that it is measured on, and what a
// classifier says of them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"
#include "router/offline/experts_file.h"
#include "router/offline/outcomes.h"
#include "router/offline/posteriors.h"
#include "router/offline/questions.h"

namespace pointsman::offline {

struct RoutingOptions {
  std::filesystem::path experts;  // experts_file.h; "" = all in the training rows, without sizes
  std::filesystem::path train, test;
  std::optional<HashRange> train_range, test_range;
  std::filesystem::path questions, test_questions;  // "" = of the outcome files; test_questions "" = `questions`
  QuestionText text = QuestionText::kQuestionAndOptions;
  bool gold = false;                                     // do not classify: take the category that the test row names
  bool answers = false;                                  // keep what the experts answered (outcomes.h)
  std::shared_ptr<const v1::StaticEmbedding> embedding;  // of the classifiers; null: n-grams alone
};

struct RoutingRows {
  std::vector<ExpertFacts> facts;  // in the order of the outcomes' experts; empty without an experts file
  Outcomes train, test;            // complete rows; their experts are the same
  std::vector<std::string> train_text, test_text;  // empty with `gold`
  std::vector<double> cost;  // by expert: active parameters in billions, else the price; 0 where neither is known
  bool has_active = false, has_price = false;  // whether the experts file gives them, for all experts
  bool gold = false;                           // asked for, or there are no texts, or one category
};

// Errors: those of the files; rows that are in both sets (the same id); ranges of `h` that overlap where both sets are
// one file; a question without text. Blocking.
Result<RoutingRows> ReadRoutingRows(const RoutingOptions& options);

// The rows' distributions over the training rows' categories: posteriors.h, or with `gold` the named category alone (a
// test row's category that the training rows do not have is spread as the training rows are). Blocking.
Result<Posteriors> FitPosteriors(const RoutingOptions& options, const RoutingRows& rows,
                                 const std::function<void(double)>& progress);

// How often the likeliest category is the named one, over the test rows whose category the training rows have; unset
// without any.
std::optional<double> CategoryAccuracy(const RoutingRows& rows, const Posteriors& posteriors);

}  // namespace pointsman::offline
