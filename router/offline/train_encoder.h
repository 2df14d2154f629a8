// router/offline/train_encoder.h: labelled rows, a classifier and a sentence encoder -> the encoder lane's head.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/rows.h"

namespace pointsman::offline {

struct EmbeddedTexts {
  std::string encoder;                      // the model's name
  std::vector<std::vector<float>> vectors;  // of length 1, in the order of the texts
  std::size_t truncated = 0;                // texts of which only the beginning was read
};

// Embeds texts; the engine's EncodeTexts, or a test's own.
using EmbedTexts = std::function<Result<EmbeddedTexts>(std::span<const std::string_view> texts,
                                                       const std::function<void(double)>& progress)>;

struct TrainEncoderOptions {
  RowOptions rows;  // labels (after renaming) are categories of the classifier
  std::map<std::string, std::string> licences;
  std::filesystem::path classifier;  // the fast lane's artifact
  EmbedTexts embed;
  double holdout = 0.2;  // share of the rows that fit the combination, (0, 0.5]; chosen by a hash of the text
  std::uint64_t seed = 1;
  std::filesystem::path out;
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; called in the calling thread
};

struct SharePoint {
  double share = 0;     // of the held-out rows that are escalated, those in which the gate trusts the fast lane least
  double accuracy = 0;  // [0, 1]
};

struct TrainEncoderReport {
  std::size_t rows = 0, held_out = 0, truncated = 0, categories = 0;
  std::uint64_t dropped = 0, duplicates = 0, bad = 0;
  std::vector<std::string> bad_examples;
  std::vector<SharePoint> curve;  // 0, 5, 10, 20, 30 and 100 %
  double ece = 0;                 // of the refined answers
  double fast_weight = 0, linear_weight = 0, neighbour_weight = 0, temperature = 1;
  std::uint32_t nearest = 0;
  double sharpness = 0;
  std::filesystem::path out;
  std::uint64_t head_bytes = 0;
  std::string checksum;
};

// Blocking. The held-out rows' fast answers are those of a classifier that is fitted here, with the default options of
// `train classifier`, on the other rows: the artifact's own has seen them all. The regression and the neighbours are
// fitted without them too, and in the end on all rows, as for `train classifier`. Errors say which option or row is
// wrong.
Result<TrainEncoderReport> TrainEncoder(const TrainEncoderOptions& options);

std::string ReportText(const TrainEncoderReport& report);
std::string ReportJson(const TrainEncoderReport& report);

}  // namespace pointsman::offline
