#include "router/cli/embedding_option.h"

#include "router/offline/fit_classifier.h"

namespace pointsman::cli {

void AddEmbeddingOption(CLI::App& command, const std::string& without, std::string& flag) {
  command.add_option(
      "--embedding", flag,
      "artifact whose token vectors are used; \"none\": " + without + "; default: the shipped classifier's");
}

Result<std::shared_ptr<const v1::StaticEmbedding>> ChosenEmbedding(const std::string& flag) {
  if (flag.empty()) return offline::DefaultEmbedding();
  if (flag == "none") return std::shared_ptr<const v1::StaticEmbedding>();
  return offline::ReadEmbedding(flag);
}

}  // namespace pointsman::cli
