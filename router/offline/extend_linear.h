// router/offline/extend_linear.h: new columns for a fitted linear softmax, from few texts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pointsman/v1/artifact.pb.h"

namespace pointsman::offline {

struct WeightedText {
  std::string_view text;
  std::uint32_t category;  // of the model after the names were added
  double weight;           // > 0
  bool fresh;              // a row to learn from; the others only hold what the model knew
};

struct ExtendOptions {
  std::size_t old_texts = 1;    // that the model was fitted on
  double ridge = 0.01;          // lambda of the weights' penalty
  std::uint32_t min_texts = 2;  // a bucket that the model never saw is read from now on, if as many fresh texts have it
};

// Appends a column for each of `names` and fits these columns, and those of the categories of fresh texts, on `texts`;
// every other column stays as it is:
//   sum of weight * -ln p(category) + ridge / 2 * |change of the weights|^2  ->  min,
// a multinomial logistic regression with the other columns' logits as offsets, convex, whose prior is the column as it
// was (zero for a new one). Only weights of features that fresh texts have can change: 20 texts cannot say more. The
// texts that are not fresh are taken to be words without a form (rehearsal.h): each also gets features of the fresh
// texts at random, with the frequency that they had in the model's own training, which its idf tells. Without these a
// column would take for its own what all texts have. `model` has no Flaw(); deterministic, one thread.
void ExtendLinear(std::span<const WeightedText> texts, std::span<const std::string> names, const ExtendOptions& options,
                  v1::LinearClassifier& model);

}  // namespace pointsman::offline
