// router/offline/evaluate_carry.h: `pointsman evaluate gates --turns`: how often gates change the expert between the
// turns of a conversation, and whether they find the right one, by how much of the earlier turns' scores stays.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "router/classifier/expert_gates.h"
#include "router/offline/bootstrap.h"
#include "router/offline/hash_range.h"

namespace pointsman::offline {

struct CarryOptions {
  std::vector<std::filesystem::path> gates;
  std::filesystem::path classifier;  // whose token vectors the gates were trained with
  classifier::GateForm form = classifier::GateForm::kEnsemble;
  std::vector<std::filesystem::path> rows;           // files of table.h
  std::optional<HashRange> range;                    // needs `h` in every row
  std::string turns_field = "turns";                 // a list of the user's texts, two at least
  std::string label_field = "label";                 // the right expert: one for all turns, or a list with one for each
  std::vector<double> carries = {0, 0.3, 0.5, 0.8};  // each in [0, 1); the first is what the others are compared with
};

// A group of later turns (the second and those after it), by one carry. Shares are in [0, 1].
struct CarryGroup {
  std::size_t turns = 0;
  double changed = 0;     // of the turns that ask another expert than the turn before
  double hit = 0;         // of those that ask the right one
  double over_first = 0;  // hit less that of the first carry, over the same turns
  Interval over_first_interval;
};

struct CarryFigures {
  double carry = 0;
  CarryGroup same;   // turns whose right expert is that of the turn before
  CarryGroup other;  // turns that need another expert
};

struct CarryEvaluation {
  std::vector<std::string> experts;
  std::size_t rows = 0;
  double first_hit = 0;  // share of first turns that ask the right expert: nothing is carried yet
  std::vector<CarryFigures> carries;
};

// Scores are those of the server (pipeline::ScoreByGates), of which the best is asked. Errors: those of the gates and
// the rows; a label that no gate has; a conversation of one turn; a carry out of range. Blocking, one thread.
Result<CarryEvaluation> EvaluateCarry(const CarryOptions& options);

std::string CarryText(const CarryEvaluation& evaluation);
std::string CarryJson(const CarryEvaluation& evaluation);

}  // namespace pointsman::offline
