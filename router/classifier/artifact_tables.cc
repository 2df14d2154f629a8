#include "router/classifier/artifact_tables.h"

#include <vector>

#include "router/classifier/wire_fields.h"

namespace pointsman::classifier {
namespace {

// A field that is taken out of a message.
struct Wanted {
  std::uint32_t number;
  Table* table;
};

// A message inside the artifact, and its tables.
struct Part {
  std::uint32_t number;
  Table* whole;
  std::vector<Wanted> tables;
};

// `message` without the fields that are wanted, which are put into their tables.
std::optional<std::string> TakeOut(std::string_view message, const std::shared_ptr<const void>& owner,
                                   const std::vector<Wanted>& wanted) {
  const auto fields = WireFields(message);
  if (!fields) return std::nullopt;
  std::string rest;
  for (const WireField& field : *fields) {
    Table* table = nullptr;
    for (const Wanted& one : wanted) {
      if (field.delimited && field.number == one.number) table = one.table;
    }
    if (table == nullptr) {
      rest += field.whole;
    } else if (table->bytes().data() != nullptr) {
      return std::nullopt;
    } else {
      *table = Table(field.value, owner);
    }
  }
  return rest;
}

}  // namespace

std::optional<SplitArtifact> SplitTables(std::string_view message, const std::shared_ptr<const void>& owner) {
  SplitArtifact split;
  Table classifier, neighbours;
  const std::vector<Part> parts = {
      {v1::Artifact::kClassifierFieldNumber,
       &classifier,
       {{v1::LinearClassifier::kIdfFieldNumber, &split.tables.idf},
        {v1::LinearClassifier::kWeightsFieldNumber, &split.tables.weights}}},
      {v1::Artifact::kEmbeddingFieldNumber,
       &split.embedding,
       {{v1::StaticEmbedding::kVectorsFieldNumber, &split.tables.vectors}}},
      {v1::Artifact::kNeighboursFieldNumber,
       &neighbours,
       {{v1::Neighbours::kVectorsFieldNumber, &split.tables.neighbours}}},
  };
  std::vector<Wanted> messages;
  for (const Part& part : parts) messages.push_back({part.number, part.whole});
  std::optional<std::string> rest = TakeOut(message, owner, messages);
  if (!rest) return std::nullopt;
  for (const Part& part : parts) {
    if (part.whole->bytes().data() == nullptr) continue;
    const std::optional<std::string> inside = TakeOut(part.whole->bytes(), owner, part.tables);
    if (!inside) return std::nullopt;
    AppendField(part.number, *inside, *rest);
  }
  split.rest = *std::move(rest);
  return split;
}

ArtifactTables CopyTables(const v1::Artifact& artifact) {
  return {Table::Copy(artifact.classifier().idf()), Table::Copy(artifact.classifier().weights()),
          Table::Copy(artifact.embedding().vectors()), Table::Copy(artifact.neighbours().vectors())};
}

}  // namespace pointsman::classifier
