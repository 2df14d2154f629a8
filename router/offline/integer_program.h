// router/offline/integer_program.h: maximise a linear objective under linear constraints; CBC and CLP (COIN-OR) solve.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

namespace pointsman::offline {

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// Columns are variables from 0 to `upper` (1 unless changed); those that are `integer` take whole values. One thread at
// a time.
class IntegerProgram {
 public:
  explicit IntegerProgram(std::size_t columns);

  // lower <= sum of the entries that follow <= upper
  void AddRow(double lower, double upper);
  // The coefficient of a column in the row that was added last. Once for each pair.
  void Set(std::size_t column, double value);
  std::size_t rows() const { return lower_.size(); }

  struct Solution {
    std::vector<double> value;  // by column
    double bound = 0;           // nothing better than this exists
    bool optimal = false;       // proven
  };
  enum class Failure { kNone, kInfeasible, kTime };

  // The best solution found in `seconds`; none: `failure` says why.
  std::optional<Solution> Maximise(double seconds, Failure& failure) const;

  // The multiplier of each row at the optimum of the linear relaxation, as the solver has it: its sign depends on how
  // the solver turns the objective. Empty when there is no optimum.
  std::vector<double> Multipliers() const;

  std::vector<double> objective, upper;  // by column
  std::vector<bool> integer;             // by column

 private:
  template <class Function, class Solver>
  void Load(Function load, Solver* solver) const;

  struct Entry {
    int row;
    double value;
  };
  std::vector<std::vector<Entry>> entries_;  // by column
  std::vector<double> lower_, row_upper_;    // by row
};

}  // namespace pointsman::offline
