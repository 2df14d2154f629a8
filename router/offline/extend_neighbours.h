// router/offline/extend_neighbours.h: more rows for a classifier's nearest-neighbour view.
#pragma once

#include <cstdint>
#include <span>

#include "pointsman/v1/artifact.pb.h"

namespace pointsman::offline {

// Appends n rows: `vectors` row-major [n][D] of length 1, D those of `neighbours`, which has no Flaw(); labels[i] <
// 256. Each row goes to the end of the cluster whose centroid is nearest, as training does (cluster.h); centroids and
// probes stay, so that what is read for a text stays the same but for the new rows. Deterministic.
void ExtendNeighbours(std::span<const float> vectors, std::span<const std::uint8_t> labels, v1::Neighbours& neighbours);

}  // namespace pointsman::offline
