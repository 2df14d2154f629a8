// router/classifier/artifact_tables.h: the large tables of an artifact (artifact.proto), apart from the rest of it.
//
// They are nine tenths of the file and their bytes are used as they are, so nobody needs protobuf to copy them: a bytes
// field lies in one piece in the serialised message.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pointsman/v1/artifact.pb.h"
#include "router/classifier/table.h"

namespace pointsman::classifier {

struct ArtifactTables {
  Table idf, weights;  // of the classifier
  Table vectors;       // of the embedding
  Table neighbours;    // vectors of the neighbours
};

struct SplitArtifact {
  std::string rest;       // the message without the tables
  ArtifactTables tables;  // where they lie in the message
  Table embedding;        // the whole message inside; no bytes when there is none
};

// `message` is a serialised Artifact, in what `owner` keeps alive. None when it is not well-formed, or has a table or
// one of the messages with tables twice (no writer does that).
std::optional<SplitArtifact> SplitTables(std::string_view message, const std::shared_ptr<const void>& owner);

// The tables of an artifact in memory: copies.
ArtifactTables CopyTables(const v1::Artifact& artifact);

}  // namespace pointsman::classifier
