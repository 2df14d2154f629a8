// policies/score/category_map.h: composition of experts (arXiv 2412.01868): the category router tells the categories'
// probabilities, the category-to-expert map what each expert is worth in each of them.
#pragma once

#include <string_view>
#include <vector>

#include "config/config.h"
#include "policies/evidence.h"
#include "policies/plan.h"

namespace pointsman::score {

inline constexpr char kGeneral[] = "general";

struct Routed {
  std::string_view category;  // where the request is sent: the likeliest category that wants the first candidate, or
                              // `general`; points into the evidence or is kGeneral
  std::vector<policies::Candidate> candidates;  // best first; those that are excluded are not there
  const config::Experts* wanted = nullptr;      // all that could have answered, excluded or not: the category's
  bool shares = false;                          // scores are probabilities that sum to 1
};

// A request of none of the categories (foreign) or of several at once (mixed), or without evidence, goes to the experts
// of `general`; so does an uncertain one if the map says so. Any other goes by the expected worth over the categories,
//   worth(e) = sum_c p_c worth_c(e)
// With a map file worth_c(e) is what the file says, and the experts that the map uses follow in the order of their
// worth. A map that was written by hand only says who should answer: worth_c(e) is 1 for the first expert of category c
// that is not excluded and 0 for all others, so that the expert wins that is most probably the right one; its
// category's other experts follow in their order, with falling scores. Categories that the map does not name have the
// experts of `general`. Where nobody is left those of `general` are candidates.
//
// With `several` the candidates of a map written by hand are all experts by that probability of being the right one
// (`shares`); those of a list share equally.
//
// `excluded` has a value for each expert of `config`. Pure, any thread.
Routed ByCategory(const config::Config& config, const config::CategoryMap& map, const policies::Evidence* evidence,
                  const std::vector<bool>& excluded, bool several = false);

// The candidates of an ordered list that are not excluded. Rank is all that such a list says: the first scores 1, the
// others less in equal steps; with `shares` all score the same: a list does not say how much better the first one is.
std::vector<policies::Candidate> InOrder(const config::Experts& experts, const std::vector<bool>& excluded,
                                         bool shares = false);

}  // namespace pointsman::score
