#include "policies/select/mass_controller.h"

#include <algorithm>

namespace pointsman::select {
namespace {

// Sets grow by about 3 experts per unit of p where it matters (docs/policies/top-p.md). The integral alone is then a
// first-order lag of 1 / (0.002 * 3), some 170 requests, which leaves p a deviation of about 0.02 by chance; the
// proportional part answers what the window's mean still lacks.
constexpr double kProportional = 0.05;
constexpr double kIntegral = 0.4 / MassController::kWindow;

}  // namespace

void MassController::Observe(std::size_t size) {
  mean_ += (static_cast<double>(size) - mean_) / kWindow;
  integral_ += kIntegral * (target_ - static_cast<double>(size));
  integral_ = std::clamp(integral_, kLeast, 1.0);  // no wind-up while the cap or a single expert holds the size
  mass_ = std::clamp(integral_ + kProportional * (target_ - mean_), kLeast, 1.0);
}

}  // namespace pointsman::select
