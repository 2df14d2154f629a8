// tests/support/embedding.h: a small static embedding for the rows of tests/data/topics.jsonl.
#pragma once

#include <memory>

#include "pointsman/v1/artifact.pb.h"

namespace pointsman::testing {

// 16 dimensions; the words of the rows and the letters as pieces, vectors from a hash: words alike are not near each
// other, so neighbours are rows that share words.
std::shared_ptr<const v1::StaticEmbedding> TopicEmbedding();

}  // namespace pointsman::testing
