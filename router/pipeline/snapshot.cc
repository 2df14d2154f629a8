#include "router/pipeline/snapshot.h"

#include <algorithm>
#include <cstdio>

#include "policies/score/category_map.h"

namespace pointsman::pipeline {
namespace {

constexpr char kNoCategory[] = "none";

// FNV-1a; a fingerprint for people and cache keys, not a defence.
std::uint64_t Mix(std::uint64_t hash, std::string_view text) {
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
  return hash;
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
  snapshot->version = Mix(config->fingerprint, encoder_head);
  snapshot->names.categories = {kNoCategory, score::kGeneral};
  if (classifier) {
    snapshot->version = Mix(snapshot->version, classifier->checksum());
    for (const std::string& category : classifier->categories()) {
      if (category != score::kGeneral) snapshot->names.categories.push_back(category);
    }
  }
  for (const PolicyPredictor& predictor : files.predictors) {
    if (predictor.model != nullptr) snapshot->version = Mix(snapshot->version, predictor.model->checksum());
  }
  snapshot->version = Mix(snapshot->version, files.checksums);
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
