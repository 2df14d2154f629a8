// router/classifier/contradiction.h: whether the parts of one text are about different things.
//
// Words of another field in front of or after a question misroute it: a linear model adds up what it reads. The parts
// of such a text contradict each other, those of an honest one seldom do (docs/classifier.md has the figures).
#pragma once

#include <cstddef>
#include <string_view>

#include "router/classifier/classifier.h"

namespace pointsman::classifier {

inline constexpr std::size_t kContradictionBytes = 128;  // shorter texts have parts too small to say anything

// The text cut at spaces into three parts of about one length, or, when it is longer than `max_bytes`, its first and
// last max_bytes / 2 bytes. For parts i and j with likeliest categories a and b, a != b,
//   contradiction = max over i, j of -log max(p_i(b), p_j(a))
// how little the two believe each other; 0 when all have one likeliest category, at most about 21. Any thread.
double Contradiction(const Classifier& classifier, std::string_view text, std::size_t max_bytes);

}  // namespace pointsman::classifier
