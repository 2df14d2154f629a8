#include "router/offline/integer_program.h"

#include <coin/Cbc_C_Interface.h>
#include <coin/Clp_C_Interface.h>

#include <memory>
#include <string>

namespace pointsman::offline {

IntegerProgram::IntegerProgram(std::size_t columns)
    : objective(columns, 0), upper(columns, 1), integer(columns, true), entries_(columns) {}

void IntegerProgram::AddRow(double lower, double upper_limit) {
  lower_.push_back(lower);
  row_upper_.push_back(upper_limit);
}

void IntegerProgram::Set(std::size_t column, double value) {
  entries_[column].push_back({static_cast<int>(lower_.size()) - 1, value});
}

template <class Function, class Solver>
void IntegerProgram::Load(Function load, Solver* solver) const {
  std::vector<CoinBigIndex> start = {0};
  std::vector<int> index;
  std::vector<double> value;
  for (const auto& column : entries_) {
    for (const auto& [row, coefficient] : column) {
      index.push_back(row);
      value.push_back(coefficient);
    }
    start.push_back(static_cast<CoinBigIndex>(index.size()));
  }
  const std::vector<double> zero(entries_.size(), 0);
  load(solver, static_cast<int>(entries_.size()), static_cast<int>(lower_.size()), start.data(), index.data(),
       value.data(), zero.data(), upper.data(), objective.data(), lower_.data(), row_upper_.data());
}

std::optional<IntegerProgram::Solution> IntegerProgram::Maximise(double seconds, Failure& failure) const {
  const std::unique_ptr<Cbc_Model, void (*)(Cbc_Model*)> model(Cbc_newModel(), Cbc_deleteModel);
  Cbc_setLogLevel(model.get(), 0);
  Load(Cbc_loadProblem, model.get());
  for (std::size_t i = 0; i < integer.size(); ++i) {
    if (integer[i]) Cbc_setInteger(model.get(), static_cast<int>(i));
  }
  Cbc_setObjSense(model.get(), -1);
  Cbc_setParameter(model.get(), "logLevel", "0");
  Cbc_setParameter(model.get(), "increment", "1e-9");  // the default passes over improvements under 1e-5
  Cbc_setParameter(model.get(), "ratioGap", "0");
  Cbc_setParameter(model.get(), "allowableGap", "0");
  Cbc_setParameter(model.get(), "seconds", std::to_string(seconds).c_str());
  Cbc_solve(model.get());
  const double* found = Cbc_bestSolution(model.get());
  if (found == nullptr) {
    failure = Cbc_isProvenInfeasible(model.get()) ? Failure::kInfeasible : Failure::kTime;
    return std::nullopt;
  }
  failure = Failure::kNone;
  return Solution{{found, found + entries_.size()},
                  Cbc_getBestPossibleObjValue(model.get()),
                  Cbc_isProvenOptimal(model.get()) != 0};
}

std::vector<double> IntegerProgram::Multipliers() const {
  const std::unique_ptr<Clp_Simplex, void (*)(Clp_Simplex*)> model(Clp_newModel(), Clp_deleteModel);
  Clp_setLogLevel(model.get(), 0);
  Load(Clp_loadProblem, model.get());
  Clp_setOptimizationDirection(model.get(), -1);
  if (Clp_initialSolve(model.get()) != 0) return {};
  const double* dual = Clp_dualRowSolution(model.get());
  return {dual, dual + lower_.size()};
}

}  // namespace pointsman::offline
