#include "router/offline/score_predictor.h"

#include <algorithm>

#include "router/offline/text_form.h"
#include "router/offline/text_similarity.h"
#include "router/offline/values.h"

namespace pointsman::offline {
namespace {

constexpr double kRidge = 15;
constexpr float kCategoryWeight = 2, kFormWeight = 0.3F;

float Dot(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void ExpectedValue(const Values& values, std::span<const float> posterior, std::span<float> scores) {
  for (std::size_t m = 0; m < scores.size(); ++m) {
    double sum = 0;
    for (std::size_t c = 0; c < posterior.size(); ++c) sum += posterior[c] * values.value[c][m];
    scores[m] = static_cast<float>(sum);
  }
}

// Row indices outside `fold`, and inside it; fold kCrossFitFolds = everything outside.
std::vector<std::size_t> Outside(std::size_t rows, std::size_t fold) {
  std::vector<std::size_t> outside;
  for (std::size_t i = 0; i < rows; ++i) {
    if (i % kCrossFitFolds != fold) outside.push_back(i);
  }
  return outside;
}

// What the kernel compares of a request besides its wording.
struct Features {
  std::span<const float> posterior;
  FormFeatures form;
};

// The kernel of one request with all that were learnt; `cosines` becomes it.
void Combine(const std::vector<Features>& learnt, const Features& mine, std::vector<float>& cosines) {
  for (std::size_t k = 0; k < learnt.size(); ++k) {
    cosines[k] = (kCategoryWeight + cosines[k]) * Dot(mine.posterior, learnt[k].posterior) +
                 kFormWeight / kFormFeatures * Dot(mine.form, learnt[k].form);
  }
}

}  // namespace

PredictedScores PredictByMap(const Outcomes& train, const Posteriors& posteriors) {
  const std::size_t rows = train.rows.size(), experts = train.experts.size();
  PredictedScores scores{Matrix(rows, experts), Matrix(posteriors.test.rows, experts)};
  for (std::size_t fold = 0; fold <= kCrossFitFolds; ++fold) {
    const Values values = EstimateValues(train, Outside(rows, fold));
    if (fold == kCrossFitFolds) {
      for (std::size_t i = 0; i < scores.test.rows; ++i) {
        ExpectedValue(values, posteriors.test.Row(i), scores.test.Row(i));
      }
    } else {
      for (std::size_t i = fold; i < rows; i += kCrossFitFolds) {
        ExpectedValue(values, posteriors.train.Row(i), scores.train.Row(i));
      }
    }
  }
  return scores;
}

PredictedScores PredictByKernel(const Outcomes& train, const Posteriors& posteriors,
                                const std::vector<std::string_view>& train_texts,
                                const std::vector<std::string_view>& test_texts,
                                const std::function<void(double)>& progress) {
  const std::size_t rows = train.rows.size(), experts = train.experts.size();
  const auto report = [&progress](double share) {
    if (progress) progress(share);
  };
  std::vector<std::size_t> learnt;
  const std::size_t used = std::min(rows, kMaxKernelRows);
  for (std::size_t k = 0; k < used; ++k) learnt.push_back(k * rows / used);
  std::vector<std::string_view> texts;
  for (const std::size_t i : learnt) texts.push_back(train_texts[i]);
  const TextSimilarity similarity(texts);
  const FormScale form(texts);
  std::vector<Features> features;
  for (std::size_t k = 0; k < used; ++k) features.push_back({posteriors.train.Row(learnt[k]), form(texts[k])});

  Matrix kernel(used, used), targets(used, experts);
  double level = 0;
  for (std::size_t k = 0; k < used; ++k) {
    if (k % 256 == 0) report(0.3 * static_cast<double>(k) / static_cast<double>(used));
    std::vector<float> line = similarity.CosinesOf(k);
    Combine(features, features[k], line);
    std::copy(line.begin(), line.end(), kernel.Row(k).begin());
    const std::vector<float>& scores = train.rows[learnt[k]].scores;
    double mean = 0;
    for (const float s : scores) mean += s / static_cast<double>(experts);
    level += mean / static_cast<double>(used);
    for (std::size_t m = 0; m < experts; ++m) targets.Row(k)[m] = scores[m] - static_cast<float>(mean);
  }

  PredictedScores predicted{Matrix(rows, experts), Matrix(test_texts.size(), experts)};
  const auto predict = [&](const KernelFit& fit, std::vector<float> line, const Features& mine, std::span<float> out) {
    Combine(features, mine, line);
    const std::vector<double> values = PredictKernelRidge(fit, line);
    for (std::size_t m = 0; m < experts; ++m) out[m] = static_cast<float>(values[m] + level);
  };
  for (std::size_t fold = 0; fold <= kCrossFitFolds; ++fold) {
    report(0.3 + 0.7 * static_cast<double>(fold) / (kCrossFitFolds + 1));
    std::vector<std::size_t> fitted;  // positions in `learnt`
    for (std::size_t k = 0; k < used; ++k) {
      if (learnt[k] % kCrossFitFolds != fold) fitted.push_back(k);
    }
    const KernelFit fit = FitKernelRidge(kernel, targets, fitted, kRidge);
    if (fold == kCrossFitFolds) {
      for (std::size_t i = 0; i < test_texts.size(); ++i) {
        const Features mine{posteriors.test.Row(i), form(test_texts[i])};
        predict(fit, similarity.Cosines(test_texts[i]), mine, predicted.test.Row(i));
      }
    } else {
      for (std::size_t i = fold; i < rows; i += kCrossFitFolds) {
        const Features mine{posteriors.train.Row(i), form(train_texts[i])};
        predict(fit, similarity.Cosines(train_texts[i]), mine, predicted.train.Row(i));
      }
    }
  }
  return predicted;
}

}  // namespace pointsman::offline
