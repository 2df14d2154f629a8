#include "router/pipeline/policy_files.h"

#include <cstdio>

#include "router/classifier/default_artifact.h"

namespace pointsman::pipeline {
namespace {

std::filesystem::path Artifact(const config::Config& config) {
  return config.classifier.artifact.empty() ? classifier::DefaultArtifact() : config.classifier.artifact;
}

std::vector<PolicyGates> LoadGates(const config::Config& config, std::vector<config::Problem>& problems) {
  std::vector<PolicyGates> all(config.policies.size());
  for (std::size_t p = 0; p < config.policies.size(); ++p) {
    const auto* score = std::get_if<config::Gates>(&config.policies[p].score);
    if (score == nullptr) continue;
    const std::string path = "policies." + config.policies[p].name;
    std::optional<classifier::GateForm> form = classifier::GateForm::kEnsemble;
    if (!score->form.empty()) form = classifier::GateFormOf(score->form);
    if (!form) {
      std::string names;
      for (const classifier::GateForm known : classifier::kGateForms) {
        names += (names.empty() ? "" : ", ") + std::string(Name(known));
      }
      problems.push_back(config.ProblemAt(path + ".form", "is no form of a gate (" + names + ")"));
      continue;
    }
    std::vector<classifier::GateFile> files;
    for (const auto& [expert, file] : score->files) {
      files.push_back({config.experts[expert].name, file});
      all[p].experts.push_back(expert);
    }
    auto gates = classifier::ExpertGates::Load(files, Artifact(config), *form);
    if (!gates) {
      problems.push_back(config.ProblemAt(path + ".gates", gates.error().message));
      continue;
    }
    all[p].gates = *std::move(gates);
  }
  return all;
}

std::vector<std::shared_ptr<const classifier::StoredAnswers>> LoadAnswers(const config::Config& config,
                                                                          std::vector<config::Problem>& problems) {
  std::vector<std::shared_ptr<const classifier::StoredAnswers>> all(config.experts.size());
  for (std::size_t e = 0; e < config.experts.size(); ++e) {
    const config::ZeroCostBackend* reply = config.experts[e].zero_cost();
    if (reply == nullptr || reply->kind != config::ZeroCost::kCopy) continue;
    auto answers = classifier::StoredAnswers::Load(reply->answers, Artifact(config));
    if (!answers) {
      problems.push_back(
          config.ProblemAt("experts." + config.experts[e].name + ".zero_cost.answers", answers.error().message));
      continue;
    }
    all[e] = *std::move(answers);
  }
  return all;
}

std::vector<PolicyMatcher> LoadMatchers(const config::Config& config, std::vector<config::Problem>& problems) {
  std::vector<PolicyMatcher> all(config.policies.size());
  for (std::size_t p = 0; p < config.policies.size(); ++p) {
    const std::optional<config::SemanticCache>& semantic = config.policies[p].cache.semantic;
    if (!semantic) continue;
    const std::string path = "policies." + config.policies[p].name + ".cache.semantic";
    auto matcher = cache::QuestionMatcher::Load(semantic->matcher);
    if (!matcher) {
      problems.push_back(config.ProblemAt(path + ".matcher", matcher.error().message));
      continue;
    }
    const auto point = (*matcher)->PointFor(semantic->precision);
    if (!point) {
      char text[160];
      std::snprintf(
          text, sizeof text,
          "its matches are right in at most %.4f of the cases, with 95 %% confidence (ask for less, tune it on "
          "more rows, or remove semantic: the cache is exact then)",
          (*matcher)->BestPrecision());
      problems.push_back(config.ProblemAt(path + ".precision", semantic->matcher.string() + ": " + text));
      continue;
    }
    all[p] = {*std::move(matcher), point->threshold()};
  }
  return all;
}

}  // namespace

PolicyFiles LoadPolicyFiles(const config::Config& config, std::vector<config::Problem>& problems) {
  PolicyFiles files;
  files.predictors = LoadPredictors(config, problems);
  files.gates = LoadGates(config, problems);
  files.cascades = LoadCascadeGates(config, problems);
  files.answers = LoadAnswers(config, problems);
  files.matchers = LoadMatchers(config, problems);
  for (const auto& stages : files.cascades) {
    for (const StageGate& stage : stages) files.checksums += stage.checksum;
  }
  return files;
}

}  // namespace pointsman::pipeline
