#include "router/offline/ridge.h"

#include <algorithm>
#include <array>

namespace pointsman::offline {
namespace {

constexpr std::size_t kMaxSteps = 30;
constexpr double kTolerance = 1e-3;  // of the residual's norm against that of X'Y: beyond it predictions stand still
constexpr std::size_t kLanes = 8;    // targets of one block: a cache line of floats is two of them

struct Lane {
  float v[kLanes] = {};
};

// One block of targets: the state of conjugate gradients, [column] lanes.
class Solver {
 public:
  Solver(const SparseRows& x, std::span<const std::uint32_t> rows)
      : x_(x),
        rows_(rows),
        weights_(x.columns),
        residual_(x.columns),
        direction_(x.columns),
        image_(x.columns),
        goal_(x.columns) {}

  void SetGoal(std::span<const float> y, std::size_t targets, std::size_t first, std::size_t count) {
    std::fill(goal_.begin(), goal_.end(), Lane());
    for (const std::uint32_t row : rows_) {
      Lane lane;
      for (std::size_t t = 0; t < count; ++t) lane.v[t] = y[row * targets + first + t];
      Spread(row, lane, goal_);
    }
    goal_norm_ = Dot(goal_, goal_);
  }

  void Solve(float penalty) {
    Apply(weights_, penalty);
    for (std::size_t i = 0; i < goal_.size(); ++i) {
      for (std::size_t t = 0; t < kLanes; ++t) residual_[i].v[t] = goal_[i].v[t] - image_[i].v[t];
    }
    direction_ = residual_;
    std::array<double, kLanes> norm = Dot(residual_, residual_);
    for (std::size_t step = 0; step < kMaxSteps && !Done(norm); ++step) {
      Apply(direction_, penalty);
      const std::array<double, kLanes> curvature = Dot(direction_, image_);
      Lane alpha;
      for (std::size_t t = 0; t < kLanes; ++t)
        alpha.v[t] = Open(norm, t) ? static_cast<float>(norm[t] / curvature[t]) : 0;
      for (std::size_t i = 0; i < goal_.size(); ++i) {
        for (std::size_t t = 0; t < kLanes; ++t) {
          weights_[i].v[t] += alpha.v[t] * direction_[i].v[t];
          residual_[i].v[t] -= alpha.v[t] * image_[i].v[t];
        }
      }
      const std::array<double, kLanes> next = Dot(residual_, residual_);
      Lane beta;
      for (std::size_t t = 0; t < kLanes; ++t) beta.v[t] = Open(norm, t) ? static_cast<float>(next[t] / norm[t]) : 0;
      for (std::size_t i = 0; i < goal_.size(); ++i) {
        for (std::size_t t = 0; t < kLanes; ++t) {
          direction_[i].v[t] = residual_[i].v[t] + beta.v[t] * direction_[i].v[t];
        }
      }
      norm = next;
    }
  }

  const std::vector<Lane>& weights() const { return weights_; }

 private:
  bool Open(const std::array<double, kLanes>& norm, std::size_t t) const {
    return norm[t] > kTolerance * kTolerance * goal_norm_[t];
  }
  bool Done(const std::array<double, kLanes>& norm) const {
    for (std::size_t t = 0; t < kLanes; ++t) {
      if (Open(norm, t)) return false;
    }
    return true;
  }
  void Spread(std::uint32_t row, const Lane& lane, std::vector<Lane>& into) const {
    for (std::size_t i = x_.begin[row]; i < x_.begin[row + 1]; ++i) {
      Lane& to = into[x_.column[i]];
      for (std::size_t t = 0; t < kLanes; ++t) to.v[t] += x_.value[i] * lane.v[t];
    }
  }
  // image_ = (X'X + penalty) v
  void Apply(const std::vector<Lane>& v, float penalty) {
    for (std::size_t i = 0; i < v.size(); ++i) {
      for (std::size_t t = 0; t < kLanes; ++t) image_[i].v[t] = penalty * v[i].v[t];
    }
    for (const std::uint32_t row : rows_) {
      Lane sum;
      for (std::size_t i = x_.begin[row]; i < x_.begin[row + 1]; ++i) {
        const Lane& from = v[x_.column[i]];
        for (std::size_t t = 0; t < kLanes; ++t) sum.v[t] += x_.value[i] * from.v[t];
      }
      Spread(row, sum, image_);
    }
  }
  static std::array<double, kLanes> Dot(const std::vector<Lane>& a, const std::vector<Lane>& b) {
    std::array<double, kLanes> sums{};
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t t = 0; t < kLanes; ++t) sums[t] += a[i].v[t] * b[i].v[t];
    }
    return sums;
  }

  const SparseRows& x_;
  std::span<const std::uint32_t> rows_;
  std::vector<Lane> weights_, residual_, direction_, image_, goal_;
  std::array<double, kLanes> goal_norm_{};
};

}  // namespace

std::vector<RidgeWeights> FitRidge(const SparseRows& x, std::span<const std::uint32_t> rows, std::span<const float> y,
                                   std::size_t targets, std::span<const double> penalties) {
  std::vector<RidgeWeights> fits(penalties.size());
  for (RidgeWeights& fit : fits) {
    fit.targets = targets;
    fit.weight.resize(x.columns * targets);
  }
  for (std::size_t first = 0; first < targets; first += kLanes) {
    const std::size_t count = std::min(kLanes, targets - first);
    Solver solver(x, rows);
    solver.SetGoal(y, targets, first, count);
    for (std::size_t p = 0; p < penalties.size(); ++p) {
      solver.Solve(static_cast<float>(penalties[p]));
      for (std::size_t c = 0; c < x.columns; ++c) {
        for (std::size_t t = 0; t < count; ++t) fits[p].weight[c * targets + first + t] = solver.weights()[c].v[t];
      }
    }
  }
  return fits;
}

void AddProduct(const SparseRows& x, std::size_t row, const RidgeWeights& weights, std::span<double> sums) {
  for (std::size_t i = x.begin[row]; i < x.begin[row + 1]; ++i) {
    const float* w = &weights.weight[x.column[i] * weights.targets];
    for (std::size_t t = 0; t < weights.targets; ++t) sums[t] += static_cast<double>(x.value[i]) * w[t];
  }
}

}  // namespace pointsman::offline
