#include "router/offline/posteriors.h"

#include <algorithm>
#include <memory>

#include "router/offline/fit_classifier.h"

namespace pointsman::offline {
Result<Posteriors> CrossFitPosteriors(const std::vector<std::string_view>& train,
                                      const std::vector<std::uint32_t>& labels,
                                      const std::vector<std::string>& categories,
                                      const std::vector<std::string_view>& test,
                                      const std::shared_ptr<const v1::StaticEmbedding>& embedding,
                                      const std::function<void(double)>& progress) {
  std::vector<Example> examples;
  for (std::size_t i = 0; i < train.size(); ++i) examples.push_back({train[i], labels[i]});
  ClassifierOptions options;
  options.folds = kCrossFitFolds;
  options.embedding = embedding;
  auto fitted = FitClassifier(examples, categories, options, progress);
  if (!fitted) return std::move(fitted).error();
  Posteriors posteriors{Matrix(train.size(), categories.size()), Matrix(test.size(), categories.size())};
  for (std::size_t i = 0; i < train.size(); ++i) {
    std::copy_n(fitted->out_of_fold[i].probabilities.begin(), categories.size(), posteriors.train.Row(i).begin());
  }
  const auto classifier = Served(fitted->artifact);
  for (std::size_t i = 0; i < test.size(); ++i) {
    std::copy_n(classifier->Classify(test[i]).probabilities.begin(), categories.size(), posteriors.test.Row(i).begin());
  }
  return posteriors;
}

}  // namespace pointsman::offline
