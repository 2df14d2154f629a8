// router/offline/add_rows.h: rows of new or known categories for a classifier whose own rows are not at hand.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pointsman/v1/artifact.pb.h"
#include "router/offline/rehearsal.h"
#include "router/offline/softmax.h"

namespace pointsman::offline {

// Made-up texts in place of the artifact's own rows, when `rows` are to be added to it. About a second.
std::vector<RehearsalText> RehearseFor(std::span<const Example> rows, const v1::Artifact& artifact);

// Adds the rows to the parts of `artifact`; `names` are the categories that it lacks, and a label is the index of a
// category once they are appended. Everything else, the calibration and the thresholds among it, stays.
//  - Neighbours: the rows join the nearest clusters (extend_neighbours.h). Where a category has fewer rows than the
//  mean
//    of the artifact's categories, its rows' votes count the root of the quotient.
//  - n-grams: the columns of the rows' categories are fitted anew against `old`, texts of RehearseFor()
//  (extend_linear.h);
//    a category of few rows counts as one of the mean number of rows.
//  - Novelty: the category's mean takes the rows in.
// `artifact` has an ensemble and no Flaw(); at least one row for each of `names`. Deterministic, one thread.
void AddRows(std::span<const Example> rows, std::span<const std::string> names, std::span<const RehearsalText> old,
             v1::Artifact& artifact);

}  // namespace pointsman::offline
