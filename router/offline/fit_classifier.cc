#include "router/offline/fit_classifier.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "router/classifier/artifact.h"
#include "router/classifier/contradiction.h"
#include "router/classifier/default_artifact.h"
#include "router/classifier/ensemble.h"
#include "router/classifier/features.h"
#include "router/classifier/linear.h"
#include "router/offline/cluster.h"
#include "router/offline/label_rows.h"
#include "router/offline/weigh_views.h"
#include "router/offline/whiten.h"

namespace pointsman::offline {
namespace {

using classifier::Neighbours;

constexpr double kOfOnePiece = 0.98;     // share of the longer rows that shall not count as mixed
constexpr std::size_t kLongTexts = 100;  // fewer tell nothing of that
constexpr float kTakenWeight = 1;        // of a text that got its label by a vote, against 1 of a labelled one

std::uint64_t HashOf(std::string_view text, std::uint64_t factor) {
  std::uint64_t hash = classifier::internal::kFnvStart;
  for (const char c : text) hash = classifier::internal::FnvStep(hash, c);
  return (hash ^ (hash >> 32)) * factor;
}

// What all rows have in common: their folds, vectors and neighbours.
struct Prepared {
  std::vector<unsigned> fold;  // of a row
  std::vector<float> vectors;  // [row][dimensions]; empty without an embedding
  std::vector<std::uint8_t> labels;
  std::vector<float> unlabelled;             // [text][dimensions]
  std::optional<LabelVoters> voters;         // when there are unlabelled texts
  std::optional<v1::Neighbours> neighbours;  // of all rows and no other, when there are no unlabelled texts
  std::vector<std::uint32_t> place;          // of a row among these neighbours
};

// Unlabelled texts that were given a label.
struct Taken {
  std::vector<Example> examples;
  std::vector<float> vectors;  // [example][dimensions]
};

v1::Neighbours MakeNeighbours(std::span<const float> vectors, std::span<const std::uint8_t> labels,
                              const ClassifierOptions& options, std::vector<std::uint32_t>& order) {
  ClusteredNeighbours clustered = Cluster(vectors, options.embedding->dimensions(), labels, options.linear.seed);
  clustered.model.mutable_sharpness()->Assign(options.sharpness.begin(), options.sharpness.end());
  order = std::move(clustered.order);
  return std::move(clustered.model);
}

Prepared Prepare(std::span<const Example> examples, const ClassifierOptions& options) {
  Prepared prepared;
  for (const Example& example : examples) prepared.fold.push_back(FoldOf(example.text, options.folds));
  if (options.embedding == nullptr) return prepared;
  const classifier::StaticEmbedding embedding(*options.embedding);
  const std::size_t dimensions = embedding.dimensions();
  const auto embed = [&](std::string_view text, std::vector<float>& vectors) {
    vectors.resize(vectors.size() + dimensions);
    const std::span<float> vector(&vectors[vectors.size() - dimensions], dimensions);
    classifier::EmbedText(embedding, text, options.linear.max_bytes, vector);
  };
  for (const Example& example : examples) {
    embed(example.text, prepared.vectors);
    prepared.labels.push_back(static_cast<std::uint8_t>(example.label));
  }
  for (const std::string_view text : options.unlabelled) embed(text, prepared.unlabelled);
  if (!options.unlabelled.empty()) {
    prepared.voters.emplace(prepared.vectors, prepared.labels, prepared.unlabelled, dimensions);
    return prepared;
  }
  std::vector<std::uint32_t> order;
  prepared.neighbours = MakeNeighbours(prepared.vectors, prepared.labels, options, order);
  prepared.place.resize(examples.size());
  for (std::uint32_t at = 0; at < order.size(); ++at) prepared.place[order[at]] = at;
  return prepared;
}

// By the rows of all folds but `without`; by all, when there is no such fold.
Taken LabelByVote(const ClassifierOptions& options, const Prepared& prepared, unsigned without) {
  Taken taken;
  if (!prepared.voters) return taken;
  std::vector<std::uint8_t> excluded;
  for (const unsigned fold : prepared.fold) excluded.push_back(fold == without ? 1 : 0);
  const std::vector<LabelVote> votes = prepared.voters->Vote(excluded);
  const std::size_t dimensions = options.embedding->dimensions();
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (!(votes[i].share > 0 && votes[i].share >= options.unlabelled_confidence)) continue;
    taken.examples.push_back({options.unlabelled[i], votes[i].label, kTakenWeight});
    const auto vector = prepared.unlabelled.begin() + static_cast<std::ptrdiff_t>(i * dimensions);
    taken.vectors.insert(taken.vectors.end(), vector, vector + static_cast<std::ptrdiff_t>(dimensions));
  }
  return taken;
}

// The labelled rows of all folds but `without`, and the texts that were taken.
v1::Neighbours NeighboursWithTaken(const ClassifierOptions& options, const Prepared& prepared, const Taken& taken,
                                   unsigned without) {
  const std::size_t dimensions = options.embedding->dimensions();
  std::vector<float> vectors;
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 0; i < prepared.labels.size(); ++i) {
    if (prepared.fold[i] == without) continue;
    const auto vector = prepared.vectors.begin() + static_cast<std::ptrdiff_t>(i * dimensions);
    vectors.insert(vectors.end(), vector, vector + static_cast<std::ptrdiff_t>(dimensions));
    labels.push_back(prepared.labels[i]);
  }
  vectors.insert(vectors.end(), taken.vectors.begin(), taken.vectors.end());
  for (const Example& example : taken.examples) labels.push_back(static_cast<std::uint8_t>(example.label));
  std::vector<std::uint32_t> ignored;
  return MakeNeighbours(vectors, labels, options, ignored);
}

// Out-of-fold predictions of every view, and what novelty is made of.
struct OutOfFold {
  std::vector<View> views;
  std::vector<double> linear_entropy, nearest;
  std::vector<double> contradiction = {};  // of the longer texts
};

void PredictFold(std::span<const Example> examples, const std::vector<std::string>& categories,
                 const ClassifierOptions& options, const Prepared& prepared, unsigned fold,
                 const std::function<void(double)>& progress, OutOfFold& out) {
  const Taken taken = LabelByVote(options, prepared, fold);
  std::vector<Example> others;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (prepared.fold[i] != fold) others.push_back(examples[i]);
  }
  others.insert(others.end(), taken.examples.begin(), taken.examples.end());
  const classifier::LinearModel linear(FitSoftmax(others, categories, options.linear, progress), "", std::nullopt);
  const std::size_t count = categories.size();
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (prepared.fold[i] != fold) continue;
    const policies::Evidence evidence = linear.Classify(examples[i].text);
    out.linear_entropy[i] = evidence.entropy;
    if (examples[i].text.size() >= classifier::kContradictionBytes) {
      out.contradiction.push_back(classifier::Contradiction(linear, examples[i].text, options.linear.max_bytes));
    }
    for (std::size_t c = 0; c < count; ++c) {
      out.views[0][i * count + c] = std::log(std::max(evidence.probabilities[c], 1e-9F));
    }
  }
  if (options.embedding == nullptr) return;
  // The rows of all folds in one set of clusters, or those of the other folds in clusters of their own.
  const Neighbours neighbours(
      prepared.neighbours ? *prepared.neighbours : NeighboursWithTaken(options, prepared, taken, fold), count);
  const std::size_t dimensions = options.embedding->dimensions();
  std::vector<std::uint8_t> excluded;
  if (prepared.neighbours) {
    excluded.resize(examples.size());
    for (std::size_t i = 0; i < examples.size(); ++i) excluded[prepared.place[i]] = prepared.fold[i] == fold ? 1 : 0;
  }
  std::vector<float> shares(neighbours.views() * count);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (prepared.fold[i] != fold) continue;
    out.nearest[i] = neighbours.LogShares({&prepared.vectors[i * dimensions], dimensions}, shares, excluded);
    for (std::size_t v = 0; v < neighbours.views(); ++v) {
      std::copy_n(&shares[v * count], count, &out.views[v + 1][i * count]);
    }
  }
}

double Deviation(const std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / n);
}

std::vector<Prediction> Weighed(const std::vector<View>& views, const std::vector<float>& weights,
                                std::span<const Example> examples, std::size_t count) {
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    policies::Evidence evidence;
    evidence.probabilities.assign(count, 0.0F);
    for (std::size_t v = 0; v < weights.size(); ++v) {
      for (std::size_t c = 0; c < count; ++c) evidence.probabilities[c] += weights[v] * views[v][i * count + c];
    }
    classifier::Normalise(evidence);
    predictions.push_back({examples[i].label, std::move(evidence.probabilities), evidence.entropy});
  }
  return predictions;
}

// One step up, so that the row which set a threshold stays at or under it after rounding to float.
float RoundedUp(double value) {
  const auto rounded = static_cast<float>(value);
  return std::nextafter(rounded, rounded + 1);
}

void SetNovelty(const OutOfFold& out, const Prepared& prepared, std::size_t categories, double coverage,
                v1::Ensemble& ensemble) {
  const std::size_t dimensions = prepared.vectors.size() / prepared.labels.size();
  const Whitening whitening = Whiten(prepared.vectors, dimensions, prepared.labels, categories);
  ensemble.mutable_whitening()->Assign(whitening.matrix.begin(), whitening.matrix.end());
  ensemble.mutable_means()->Assign(whitening.means.begin(), whitening.means.end());
  std::vector<double> distance;
  for (std::size_t i = 0; i < out.nearest.size(); ++i) {
    const std::span<const float> vector(&prepared.vectors[i * dimensions], dimensions);
    distance.push_back(classifier::NearestMean(whitening.matrix, whitening.means, vector));
  }
  // All parts count alike: each in units of its own deviation over the rows.
  const double per_entropy = 1 / std::max(Deviation(out.linear_entropy), 1e-3);
  const double per_nearest = 1 / std::max(Deviation(out.nearest), 1e-3);
  const double per_distance = 1 / std::max(Deviation(distance), 1e-3);
  std::vector<double> novelty;
  for (std::size_t i = 0; i < out.nearest.size(); ++i) {
    novelty.push_back(per_entropy * out.linear_entropy[i] - per_nearest * out.nearest[i] + per_distance * distance[i]);
  }
  if (out.contradiction.size() >= kLongTexts) {
    ensemble.set_contradiction_threshold(RoundedUp(ValueAtCoverage(out.contradiction, kOfOnePiece)));
  }
  ensemble.set_novelty_entropy(static_cast<float>(per_entropy));
  ensemble.set_novelty_nearest(static_cast<float>(per_nearest));
  ensemble.set_novelty_distance(static_cast<float>(per_distance));
  ensemble.set_novelty_threshold(RoundedUp(ValueAtCoverage(std::move(novelty), coverage)));
}

Result<void> Check(std::span<const Example> examples, const std::vector<std::string>& categories,
                   const ClassifierOptions& options) {
  if (categories.size() < 2 || categories.size() > classifier::kMaxCategories) {
    return InvalidArgument("rows", std::to_string(categories.size()) + " categories; 2 to 256 can be served");
  }
  if (!options.unlabelled.empty() && options.embedding == nullptr) {
    return InvalidArgument("unlabelled",
                           "unlabelled rows need token vectors (--embedding is none, or the shipped "
                           "classifier is missing)");
  }
  if (!(options.unlabelled_confidence >= 0 && options.unlabelled_confidence <= 1)) {
    return InvalidArgument("unlabelled_confidence", "--unlabelled-confidence is not in [0, 1]");
  }
  if (options.folds < 2 || options.folds > 20) return InvalidArgument("folds", "--folds is not 2 to 20");
  std::vector<std::size_t> rows(options.folds);
  for (const Example& example : examples) ++rows[FoldOf(example.text, options.folds)];
  if (*std::min_element(rows.begin(), rows.end()) == 0) {
    return InvalidArgument("rows", std::to_string(examples.size()) + " rows are too few for " +
                                       std::to_string(options.folds) + " folds (--folds)");
  }
  return {};
}

}  // namespace

unsigned FoldOf(std::string_view text, unsigned folds) {
  return static_cast<unsigned>((HashOf(text, 0x9E3779B97F4A7C15ULL) >> 33) % folds);
}

bool HeldOut(std::string_view text, double share) {
  return static_cast<double>(HashOf(text, 0xD6E8FEB86659FD93ULL) >> 11) * 0x1p-53 < share;
}

Result<FittedClassifier> FitClassifier(std::span<const Example> examples, const std::vector<std::string>& categories,
                                       const ClassifierOptions& options, const std::function<void(double)>& progress) {
  if (auto checked = Check(examples, categories, options); !checked) return checked.error();
  const std::size_t count = categories.size();
  const Prepared prepared = Prepare(examples, options);
  const std::size_t views = options.embedding == nullptr ? 1 : 1 + options.sharpness.size();
  OutOfFold out{std::vector<View>(views, View(examples.size() * count)), std::vector<double>(examples.size()),
                std::vector<double>(examples.size())};
  const auto part = [&](unsigned done) {
    return [&progress, done, all = options.folds + 1](double share) {
      if (progress) progress((done + share) / all);
    };
  };
  for (unsigned fold = 0; fold < options.folds; ++fold) {
    PredictFold(examples, categories, options, prepared, fold, part(fold), out);
  }

  std::vector<std::uint32_t> truth;
  for (const Example& example : examples) truth.push_back(example.label);
  const std::vector<float> weights = WeighViews(out.views, count, truth);
  FittedClassifier fitted;
  fitted.out_of_fold = Weighed(out.views, weights, examples, count);
  fitted.uncalibrated = Weighed({out.views[0]}, {1.0F}, examples, count);

  v1::Artifact& artifact = fitted.artifact;
  artifact.set_version(classifier::kArtifactVersion);
  v1::LinearClassifier& linear = *artifact.mutable_classifier();
  const Taken taken = LabelByVote(options, prepared, options.folds);
  fitted.taken.resize(count);
  for (const Example& example : taken.examples) ++fitted.taken[example.label];
  std::vector<Example> all(examples.begin(), examples.end());
  all.insert(all.end(), taken.examples.begin(), taken.examples.end());
  linear = FitSoftmax(all, categories, options.linear, part(options.folds));
  linear.set_entropy_threshold(RoundedUp(EntropyAtCoverage(fitted.out_of_fold, options.coverage)));
  if (options.embedding == nullptr) {
    linear.set_temperature(1 / std::max(weights[0], 1e-3F));
    return fitted;
  }
  *artifact.mutable_embedding() = *options.embedding;
  *artifact.mutable_neighbours() =
      prepared.neighbours ? *prepared.neighbours : NeighboursWithTaken(options, prepared, taken, options.folds);
  artifact.mutable_ensemble()->mutable_weights()->Assign(weights.begin(), weights.end());
  SetNovelty(out, prepared, count, options.coverage, *artifact.mutable_ensemble());
  return fitted;
}

std::shared_ptr<const classifier::Classifier> Served(const v1::Artifact& artifact) {
  if (artifact.has_ensemble()) return std::make_shared<classifier::EnsembleModel>(artifact, "", std::nullopt);
  return std::make_shared<classifier::LinearModel>(artifact.classifier(), "", std::nullopt);
}

Result<std::shared_ptr<const v1::StaticEmbedding>> ReadEmbedding(const std::filesystem::path& file) {
  auto read = classifier::ReadParts(file);
  if (!read) return std::move(read).error();
  const v1::StaticEmbedding& embedding = read->artifact.embedding();
  const std::string flaw = read->artifact.has_embedding() ? classifier::Flaw(embedding) : "it has no embedding";
  if (!flaw.empty()) return InvalidArgument("embedding", file.string() + ": " + flaw);
  return std::make_shared<const v1::StaticEmbedding>(std::move(*read->artifact.mutable_embedding()));
}

std::shared_ptr<const v1::StaticEmbedding> DefaultEmbedding() {
  auto read = ReadEmbedding(classifier::DefaultArtifact());
  return read ? *std::move(read) : nullptr;
}

}  // namespace pointsman::offline
