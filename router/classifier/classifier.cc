#include "router/classifier/classifier.h"

#include <cmath>

#include "router/classifier/artifact.h"
#include "router/classifier/ensemble.h"
#include "router/classifier/linear.h"

namespace pointsman::classifier {

Result<std::shared_ptr<const Classifier>> Classifier::Load(const std::filesystem::path& file,
                                                           std::optional<double> entropy_threshold) {
  if (entropy_threshold && !(*entropy_threshold >= 0)) {
    return InvalidArgument("entropy_threshold", "the entropy threshold is not 0 or more nats");
  }
  auto read = MapArtifact(file);
  if (!read) return std::move(read).error();
  const ArtifactTables& tables = read->tables;
  if (read->artifact.has_ensemble()) {
    return std::shared_ptr<const Classifier>(
        std::make_shared<EnsembleModel>(read->artifact, tables, std::move(read->checksum), entropy_threshold));
  }
  return std::shared_ptr<const Classifier>(std::make_shared<LinearModel>(
      read->artifact.classifier(), tables.idf, tables.weights, std::move(read->checksum), entropy_threshold));
}

}  // namespace pointsman::classifier
