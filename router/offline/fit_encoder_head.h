// router/offline/fit_encoder_head.h: embedded, labelled rows -> the encoder lane's head.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/encoder.pb.h"
#include "policies/evidence.h"

namespace pointsman::offline {

struct EmbeddedRow {
  std::vector<float> embedding;  // D values, length 1
  std::uint32_t label;           // < C
  bool held_out;
  policies::Evidence fast;  // of held-out rows only: what a fast lane that has not seen them says
};

// Training rows that are kept as neighbours at most: bounds the scan of each refined request to a few milliseconds.
inline constexpr std::size_t kMaxNeighbours = 30'000;

// Fits on the rows that are not held out: the regression with several strengths of L2, and the neighbours; then, on
// the held-out rows, chooses the strength, the number of neighbours and their sharpness, fits weights and temperature
// by the mean -ln p(truth), and the gate: the probability that the fast lane is right, by the dispersions of its
// probabilities; then fits regression and neighbours on all rows. Fills in all but version, maker, sources, seed,
// classifier and encoder. From fewer than 50 rows held out no gate is fitted; the dispersions themselves order the
// requests. Errors: nothing held out or nothing left, a label that no fitted row has. Deterministic; one thread;
// seconds to a minute. `progress` may be empty.
Result<v1::EncoderHead> FitEncoderHead(const std::vector<EmbeddedRow>& rows, const std::vector<std::string>& categories,
                                       const std::function<void(double)>& progress);

}  // namespace pointsman::offline
