// router/offline/softmax.h: fits a linear softmax to hashed features and makes int8 weights of it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pointsman/v1/artifact.pb.h"

namespace pointsman::offline {

struct FitOptions {
  std::uint32_t bucket_bits = 16;    // buckets a feature group = 2^bucket_bits; 8 to 22
  std::uint32_t max_bytes = 2048;    // of a text; 64 to 8192
  std::uint32_t min_texts = 2;       // a bucket that fewer texts have is left out
  std::uint32_t epochs = 15;         // passes over the texts
  double learning_rate = 0.3;        // of the first step; > 0
  double last_learning_rate = 0.03;  // of the last one; between them it falls geometrically
  double dropout = 0.3;              // share of features left out at each step, [0, 1)
  double balance = 0;  // a row of a category with n rows weighs n^-balance (mean 1): 0 = as they come, 1 = equal
  std::uint64_t seed = 1;
};

struct Example {
  std::string_view text;
  std::uint32_t label;
  float weight = 1;  // of its loss, besides that of its category; > 0
};

// Fits `categories.size()` classes. Adagrad (Duchi et al. 2011, fig. 1, diagonal) on the cross-entropy, one example a
// step, one thread: equal options, examples and program give equal bytes. The result has temperature 1 and threshold
// ln C; the caller calibrates it. Memory: about 6 bytes a distinct feature of a text, plus 8 bytes a weight.
// `progress` gets the share done.
v1::LinearClassifier FitSoftmax(std::span<const Example> examples, const std::vector<std::string>& categories,
                                const FitOptions& options, const std::function<void(double)>& progress);

}  // namespace pointsman::offline
