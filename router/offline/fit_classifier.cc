#include "router/offline/fit_classifier.h"

#include "router/classifier/artifact.h"
#include "router/classifier/features.h"
#include "router/classifier/linear.h"
#include "router/offline/metrics.h"

namespace pointsman::offline {

bool HeldOut(std::string_view text, double share) {
  std::uint64_t hash = classifier::internal::kFnvStart;
  for (const char c : text) hash = classifier::internal::FnvStep(hash, c);
  hash = (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15ULL;
  return static_cast<double>(hash >> 11) * 0x1p-53 < share;
}

Result<std::shared_ptr<const classifier::Classifier>> FitCalibrated(std::span<const Example> examples,
                                                                    const std::vector<std::string>& categories,
                                                                    const FitOptions& options, double holdout,
                                                                    const std::function<void(double)>& progress) {
  if (categories.size() < 2 || categories.size() > classifier::kMaxCategories) {
    return InvalidArgument("rows", std::to_string(categories.size()) + " categories; 2 to 256 can be served");
  }
  std::vector<Example> fitted, held_out;
  for (const Example& example : examples) (HeldOut(example.text, holdout) ? held_out : fitted).push_back(example);
  if (fitted.empty() || held_out.empty()) {
    return InvalidArgument("rows", std::to_string(examples.size()) + " rows are too few to hold some out");
  }
  const auto half = [&](double from) {
    return [&progress, from](double share) {
      if (progress) progress(from + share / 2);
    };
  };
  const classifier::LinearModel measured(FitSoftmax(fitted, categories, options, half(0)), "", std::nullopt);
  std::vector<Prediction> predictions;
  for (const Example& example : held_out) {
    policies::Evidence evidence = measured.Classify(example.text);
    predictions.push_back({example.label, std::move(evidence.probabilities), evidence.entropy});
  }
  v1::LinearClassifier model = FitSoftmax(examples, categories, options, half(0.5));
  model.set_temperature(static_cast<float>(FitTemperature(predictions)));
  return std::shared_ptr<const classifier::Classifier>(
      std::make_shared<classifier::LinearModel>(model, "", std::nullopt));
}

}  // namespace pointsman::offline
