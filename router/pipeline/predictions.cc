#include "router/pipeline/predictions.h"

#include <algorithm>
#include <limits>
#include <map>

namespace pointsman::pipeline {
namespace {

using Models = std::map<std::filesystem::path, std::shared_ptr<const classifier::Predictor>>;

std::size_t ColumnOf(const classifier::Predictor& model, const std::string& expert) {
  const auto found = std::find(model.experts().begin(), model.experts().end(), expert);
  return found == model.experts().end() ? kUnknown : static_cast<std::size_t>(found - model.experts().begin());
}

// What is wrong with the policy's use of the model; "" when nothing is.
void CheckUse(const config::Config& config, const config::Predicted& rule, const classifier::Predictor& model,
              const std::string& path, std::vector<config::Problem>& problems) {
  std::string lacking;
  for (const std::string& expert : model.experts()) {
    if (config.FindExpert(expert) == nullptr) lacking += (lacking.empty() ? "" : ", ") + expert;
  }
  if (!lacking.empty()) {
    problems.push_back(config.ProblemAt(path + ".artifact",
                                        "it predicts experts that the configuration lacks: " + lacking +
                                            " (add them, or train it with --experts and the names that are here)"));
  }
  if (rule.pair) {
    for (const auto& [key, expert] : {std::pair(".weak", rule.pair->weak), {".strong", rule.pair->strong}}) {
      const std::string& name = config.experts[expert].name;
      if (ColumnOf(model, name) == kUnknown) {
        problems.push_back(config.ProblemAt(path + key, "the predictor artifact does not know " + name));
      }
    }
  }
  if (rule.lambda <= 0) return;
  const bool price = rule.cost == config::Cost::kPrice;
  for (const config::Expert& expert : config.experts) {
    if (ColumnOf(model, expert.name) == kUnknown ||
        (price ? expert.price.has_value() : expert.parameters.has_value())) {
      continue;
    }
    problems.push_back(config.ProblemAt(path + ".lambda", "weighs " + std::string(price ? "prices" : "parameters") +
                                                              ", and expert " + expert.name + " has no " +
                                                              (price ? "price" : "parameters")));
  }
}

}  // namespace

std::vector<PolicyPredictor> LoadPredictors(const config::Config& config, std::vector<config::Problem>& problems) {
  const std::size_t before = problems.size();
  std::vector<PolicyPredictor> predictors(config.policies.size());
  Models models;
  for (std::size_t p = 0; p < config.policies.size(); ++p) {
    const auto* rule = std::get_if<config::Predicted>(&config.policies[p].score);
    if (rule == nullptr) continue;
    const std::string path = "policies." + config.policies[p].name;
    std::shared_ptr<const classifier::Predictor>& model = models[rule->artifact];
    if (model == nullptr) {
      auto loaded = classifier::Predictor::Load(rule->artifact);
      if (!loaded) {
        problems.push_back(config.ProblemAt(path + ".artifact", loaded.error().message));
        continue;
      }
      model = *std::move(loaded);
    }
    CheckUse(config, *rule, *model, path, problems);
    predictors[p].model = model;
    for (const config::Expert& expert : config.experts) {
      predictors[p].column.push_back(ColumnOf(*model, expert.name));
    }
    if (rule->pair && problems.size() == before) {
      const auto column = [&](std::size_t expert) { return ColumnOf(*model, config.experts[expert].name); };
      predictors[p].gain_threshold =
          model->GainThreshold(column(rule->pair->weak), column(rule->pair->strong), rule->pair->strong_share);
    }
  }
  if (problems.size() > before) return {};
  return predictors;
}

void Predict(const PolicyPredictor& predictor, std::string_view text, policies::Evidence& evidence) {
  const std::vector<float> quality = predictor.model->Predict(text);
  evidence.quality.clear();
  for (const std::size_t column : predictor.column) {
    evidence.quality.push_back(column == kUnknown ? std::numeric_limits<float>::quiet_NaN() : quality[column]);
  }
  evidence.gain_threshold = predictor.gain_threshold;
}

}  // namespace pointsman::pipeline
