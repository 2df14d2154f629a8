#include "router/pipeline/snapshot.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "policies/score/category_map.h"

namespace pointsman::pipeline {
namespace {

constexpr char kNoCategory[] = "none";

// FNV-1a; a fingerprint for people and cache keys, not a defence.
std::uint64_t Mix(std::uint64_t hash, std::string_view text) {
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
  return hash;
}

// What tells the local models' files apart: their sizes and the SHA-256 of their ends. The beginning names the model
// and its tensors, the end holds weights; to read all would take as long as loading them. A file that cannot be read is
// the engine's to report.
std::string ModelsOf(const config::Config& config) {
  constexpr std::streamoff kPiece = 1 << 20;
  std::string models, piece(kPiece, '\0');
  for (const config::Model& model : config.engine.models) {
    std::ifstream file(model.file, std::ios::binary | std::ios::ate);
    const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : 0;
    models += model.name + ' ' + std::to_string(size) + ' ' + std::to_string(model.context) + ' ' +
              std::to_string(model.chat_template.size()) + ' ' + model.chat_template;
    for (const std::streamoff from : {std::streamoff{0}, std::max<std::streamoff>(0, size - kPiece)}) {
      file.seekg(from);
      file.read(piece.data(), kPiece);
      unsigned char sum[SHA256_DIGEST_LENGTH];
      SHA256(reinterpret_cast<const unsigned char*>(piece.data()), static_cast<std::size_t>(file.gcount()), sum);
      models.append(reinterpret_cast<const char*>(sum), sizeof sum);
      file.clear();
    }
  }
  return models;
}

}  // namespace

std::size_t Snapshot::CategoryIndex(std::string_view category) const {
  auto it = std::find(names.categories.begin(), names.categories.end(), category.empty() ? kNoCategory : category);
  return it == names.categories.end() ? 0 : static_cast<std::size_t>(it - names.categories.begin());
}

std::shared_ptr<const Snapshot> MakeSnapshot(std::shared_ptr<const config::Config> config,
                                             std::shared_ptr<const classifier::Classifier> classifier,
                                             PolicyFiles files, std::string_view encoder_head) {
  auto snapshot = std::make_shared<Snapshot>();
  std::string artifacts(encoder_head);
  snapshot->names.categories = {kNoCategory, score::kGeneral};
  if (classifier) {
    artifacts += classifier->checksum();
    for (const std::string& category : classifier->categories()) {
      if (category != score::kGeneral) snapshot->names.categories.push_back(category);
    }
  }
  for (const PolicyPredictor& predictor : files.predictors) {
    if (predictor.model != nullptr) artifacts += predictor.model->checksum();
  }
  artifacts += files.checksums;
  snapshot->version = Mix(config->fingerprint, artifacts);
  snapshot->answers = Mix(Mix(config->answers_fingerprint, artifacts), ModelsOf(*config));
  for (const auto& answers : files.answers) snapshot->copies = snapshot->copies || answers != nullptr;
  snapshot->files = std::move(files);
  for (const config::Policy& policy : config->policies) snapshot->names.policies.push_back(policy.name);
  for (const config::Expert& expert : config->experts) snapshot->names.experts.push_back(expert.name);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(snapshot->version));
  snapshot->version_text = text;
  snapshot->config = std::move(config);
  snapshot->classifier = std::move(classifier);
  return snapshot;
}

}  // namespace pointsman::pipeline
