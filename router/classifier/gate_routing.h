// router/classifier/gate_routing.h: from gate logits to experts and their weights (PHATGOOSE, arXiv 2402.05859, figure
// 2, where it is done for each token and module; here once for a request). The exact rule is that of the authors' code,
// r-three/phatgoose, src/models/addons/moe.py.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace pointsman::classifier {

// values <- (values - mean) / standard deviation, over the values (the paper's LayerNorm without an affine part, of
// embedding and gate). Values that are all the same become 0.
void Standardise(std::span<float> values);

// (a . b) / sqrt(d), d the length of both, at least 1. Of standardised vectors that is sqrt(d) times their cosine.
float ScaledProduct(std::span<const float> a, std::span<const float> b);

// values <- exp(values / temperature), of sum 1. `temperature` > 0 (the paper's is 1); at least one value.
void Softmax(std::span<float> values, double temperature);

struct ChosenExpert {
  std::size_t expert;  // index into the weights
  float weight;
};

// The k largest of `weights` (at least 0), largest first, of equals the lower index first, each divided by their sum +
// 1e-6, as the paper's code does (normalize_topk). k is 2 in the paper; of fewer weights all are taken.
std::vector<ChosenExpert> TopK(std::span<const float> weights, std::size_t k);

}  // namespace pointsman::classifier
