#include "router/offline/posteriors.h"

#include <algorithm>
#include <memory>

#include "router/offline/fit_classifier.h"

namespace pointsman::offline {
namespace {

constexpr double kHoldout = 0.1;

void Classify(const classifier::Classifier& classifier, std::string_view text, std::span<float> row) {
  const policies::Evidence evidence = classifier.Classify(text);
  std::copy(evidence.probabilities.begin(), evidence.probabilities.end(), row.begin());
}

}  // namespace

Result<Posteriors> CrossFitPosteriors(const std::vector<std::string_view>& train,
                                      const std::vector<std::uint32_t>& labels,
                                      const std::vector<std::string>& categories,
                                      const std::vector<std::string_view>& test,
                                      const std::function<void(double)>& progress) {
  Posteriors posteriors{Matrix(train.size(), categories.size()), Matrix(test.size(), categories.size())};
  const FitOptions options;
  for (std::size_t fold = 0; fold <= kCrossFitFolds; ++fold) {  // the last "fold" leaves nothing out
    std::vector<Example> examples;
    for (std::size_t i = 0; i < train.size(); ++i) {
      if (i % kCrossFitFolds != fold) examples.push_back({train[i], labels[i]});
    }
    const auto part = [&](double share) {
      if (progress) progress((static_cast<double>(fold) + share) / (kCrossFitFolds + 1));
    };
    auto fitted = FitCalibrated(examples, categories, options, kHoldout, part);
    if (!fitted) return std::move(fitted).error();
    if (fold == kCrossFitFolds) {
      for (std::size_t i = 0; i < test.size(); ++i) Classify(**fitted, test[i], posteriors.test.Row(i));
    } else {
      for (std::size_t i = fold; i < train.size(); i += kCrossFitFolds) {
        Classify(**fitted, train[i], posteriors.train.Row(i));
      }
    }
  }
  return posteriors;
}

}  // namespace pointsman::offline
