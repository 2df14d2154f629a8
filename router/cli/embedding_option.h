// router/cli/embedding_option.h: the option --embedding of commands that read token vectors.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "pointsman/v1/artifact.pb.h"

namespace pointsman::cli {

// `without` says what is left when it is "none". `flag` must outlive the parse.
void AddEmbeddingOption(CLI::App& command, const std::string& without, std::string& flag);

// The token vectors that `flag` names: "" those of the shipped classifier, "none" null.
Result<std::shared_ptr<const v1::StaticEmbedding>> ChosenEmbedding(const std::string& flag);

}  // namespace pointsman::cli
