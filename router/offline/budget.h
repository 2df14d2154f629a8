// router/offline/budget.h: a choice for each request that keeps a mean cost, request by request.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace pointsman::offline {

// The option of the largest value - weight * cost among those that cost at most `most`; the cheaper one of equals, the
// cheapest of all where none costs so little. `values` and `cost` are of one length, at least 1.
std::size_t BestFor(std::span<const float> values, const std::vector<double>& cost, double weight, double most);

// Chooses for one request after the other so that after each the mean cost is at most `budget`, if the cheapest option
// costs no more than that: an option that would break it is not taken. So that this is rare, the weight of the costs is
// steered by what was spent: weight_t = weight exp(kGain (spent_t / budget - t + kReserve)), an integral controller
// whose rest is a reserve of kReserve requests' budgets (ours; of the kind of arXiv 2512.13996, which holds a mean
// number of experts). Only costs of choices that were made are used: it can run on live traffic. One thread.
class BudgetPacer {
 public:
  static constexpr double kGain = 0.05, kReserve = 10;

  BudgetPacer(double budget, double weight) : budget_(budget), weight_(weight) {}
  std::size_t Choose(std::span<const float> values, const std::vector<double>& cost);
  double spent() const { return spent_; }

 private:
  const double budget_, weight_;
  double spent_ = 0;
  std::size_t requests_ = 0;
};

}  // namespace pointsman::offline
