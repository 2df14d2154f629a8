#include "router/offline/distil.h"

#define EIGEN_MPL2_ONLY  // NOTICE
#include <Eigen/Core>
#include <cmath>
#include <numeric>
#include <utility>

#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

constexpr float kLastRate = 0.1F;      // of the first step's
constexpr std::size_t kReport = 1024;  // steps

}  // namespace

void Distil(const TokenLists& texts, std::span<const float> targets, const DistilOptions& options,
            std::span<float> vectors, const std::function<void(double)>& progress) {
  using Vector = Eigen::VectorXf;
  const auto dimensions = static_cast<Eigen::Index>(options.dimensions);
  const auto vector_of = [&](std::uint32_t token) {
    return Eigen::Map<Vector>(vectors.data() + token * options.dimensions, dimensions);
  };
  std::vector<std::size_t> order(texts.texts());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<float> squares(vectors.size() / options.dimensions);  // of the gradients a token has had
  SplitMix random(options.seed);
  const auto steps = static_cast<double>(options.epochs) * static_cast<double>(order.size());
  std::size_t step = 0;
  Vector sum(dimensions), gradient(dimensions);
  for (unsigned epoch = 0; epoch < options.epochs; ++epoch) {
    for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[random.Below(left)]);
    for (const std::size_t text : order) {
      const double share = static_cast<double>(step++) / steps;
      if (progress && step % kReport == 0) progress(share);
      sum.setZero();
      for (const std::uint32_t token : texts.Text(text)) sum += vector_of(token);
      const float length = sum.norm() + 1e-9F;  // vectors may begin as zeros
      const Eigen::Map<const Vector> target(targets.data() + text * options.dimensions, dimensions);
      const float cosine = target.dot(sum) / length;
      gradient = cosine / length * sum - target;
      const float square = gradient.squaredNorm() / static_cast<float>(options.dimensions);
      const float rate = options.learning_rate * std::pow(kLastRate, static_cast<float>(share));
      for (const std::uint32_t token : texts.Text(text)) {
        squares[token] += square;
        vector_of(token) -= rate / std::sqrt(squares[token] + 1e-10F) * gradient;
      }
    }
  }
}

}  // namespace pointsman::offline
