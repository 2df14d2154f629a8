// router/offline/train_embedding.h: texts and a sentence encoder -> token vectors for classifiers (static_embedding.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "router/offline/train_encoder.h"

namespace pointsman::offline {

struct EmbeddedPieces {
  std::vector<std::string> pieces;          // WordPiece vocabulary: "law", "##ing"; "" = not to be used
  std::vector<std::vector<float>> vectors;  // of length 1; of each piece as the only one of a text
};

// The encoder's vocabulary; the engine's EncodeVocabulary, or a test's own.
using EmbedPieces = std::function<Result<EmbeddedPieces>(const std::function<void(double)>& progress)>;

struct TextFile {
  std::filesystem::path file;  // JSON lines, plain or gzip
  std::string field = "text";  // that has the text
};

struct TrainEmbeddingOptions {
  std::vector<TextFile> texts;
  std::string source_field;  // "" = none; rows may lack it
  std::set<std::string> drop_sources;
  bool skip_bad = false;
  EmbedPieces embed_pieces;
  EmbedTexts embed_texts;
  std::string licence = "NOASSERTION";  // SPDX identifier of the encoder, recorded in the artifact
  std::size_t dimensions = 128;         // of a token's vector; a multiple of 8, 8 to 512, at most the encoder's
  std::size_t pairs = 32768;            // of neighbouring pieces that get a vector, at most; 0 to 1,000,000
  unsigned epochs = 16;                 // 1 to 1000
  float learning_rate = 0.01F;          // over 0 and up to 1
  std::uint64_t seed = 1;
  std::filesystem::path out;
  std::function<void(std::string_view stage, double share)> progress;  // may be empty; called in the calling thread
};

struct TrainEmbeddingReport {
  std::string encoder;
  std::size_t texts = 0, held_out = 0;  // held out: 2 %, by a hash of the text; not among `texts`
  std::size_t truncated = 0;            // texts of which the encoder read the beginning only
  std::uint64_t dropped = 0, duplicates = 0, bad = 0;
  std::vector<std::string> bad_examples;
  std::size_t dimensions = 0, pieces = 0, pairs = 0;
  double kept = 0;             // share of the variance of the encoder's vectors that lies in the dimensions
  double cosine = 0;           // mean over the held-out texts: the artifact's vector with the encoder's, as projected
  double encoder_seconds = 0;  // of embedding
  double seconds = 0;          // of everything
  std::filesystem::path out;
  std::uint64_t bytes = 0;
  std::string checksum;
};

// The encoder's vectors of the texts, centred and projected on their principal components, are the targets; the tokens
// begin with the encoder's own vectors of the pieces, weighted a / (a + frequency) (Arora, Liang and Ma 2017, section
// 3), pairs with zeros; Distil() turns them. Of a text its first 1,024 bytes are read. Blocking, one thread but for
// embedding. Equal input, options and vectors give equal bytes. Memory: the texts; for each text the encoder's vector
// and its own, and 4 bytes a token; for each piece and pair 16 and 5 bytes a dimension; the encoder's vectors of the
// pieces. Errors say which option, file or line is wrong.
Result<TrainEmbeddingReport> TrainEmbedding(const TrainEmbeddingOptions& options);

std::string ReportText(const TrainEmbeddingReport& report);
std::string ReportJson(const TrainEmbeddingReport& report);

}  // namespace pointsman::offline
