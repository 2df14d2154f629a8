// policies/select/mass_controller.h: holds the mean size of top-p sets at a target by moving the mass p.
//
// A proportional-integral controller, as in Sparsity-Controllable Dynamic Top-p MoE (arXiv 2512.13996, abstract); the
// gains and the window are ours. Operators know what they want to pay ("1.3 experts a request"), not which p that is,
// and the same p costs more when the traffic gets harder.
#pragma once

#include <cstddef>

namespace pointsman::select {

// The controller's state, kept by whoever asks policies. Plain data, one thread at a time.
class MassController {
 public:
  // `target` experts a request, >= 1; `mass` in (0, 1] is where it begins.
  MassController(double target, double mass) : target_(target), mean_(target), integral_(mass), mass_(mass) {}

  // p for the next request, in [kLeast, 1].
  double mass() const { return mass_; }

  // What the last request's set had: `size` experts.
  void Observe(std::size_t size);

  double mean() const { return mean_; }  // size, over about the last kWindow requests

  static constexpr double kWindow = 200;  // requests
  static constexpr double kLeast = 0.02;

 private:
  double target_, mean_, integral_, mass_;
};

}  // namespace pointsman::select
