// router/offline/rehearsal.h: texts in place of an artifact's rows, whose own texts are not at hand.
//
// Pseudorehearsal (Robins 1995): what a model has learnt is kept, when it learns more, by made-up inputs that stand for
// the old ones. Ours are made from what an artifact holds of its rows, their vectors: the words whose token vectors add
// up to the row's (matching pursuit: Mallat and Zhang 1993, section II). They are bags of words, not sentences.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pointsman/v1/artifact.pb.h"

namespace pointsman::offline {

struct RehearsalText {
  std::string text;         // words, in no order
  std::uint32_t category;   // of the row
  double weight;            // rows that it stands for; they add up to all rows
  std::uint32_t neighbour;  // place of the row among the artifact's neighbours
};

// Texts for `count` rows of the artifact (all, when it has fewer): half are those nearest to one of `vectors`
// (row-major [n][D], length 1), which a new category would be mistaken for first, the others drawn at random by `seed`.
// `length` is that of the sum of a usual text's token vectors. The artifact has an embedding, neighbours and no Flaw().
// One thread, deterministic; about a millisecond a text.
std::vector<RehearsalText> Rehearse(const v1::Artifact& artifact, std::span<const float> vectors, float length,
                                    std::size_t count, std::uint64_t seed);

}  // namespace pointsman::offline
