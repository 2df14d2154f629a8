#include "router/offline/train_embedding.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "router/classifier/artifact.h"
#include "router/classifier/ensemble.h"
#include "router/classifier/fold.h"
#include "router/classifier/static_embedding.h"
#include "router/offline/distil.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/principal_components.h"
#include "router/offline/token_pairs.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kReadBytes = 1024;  // of a text: about as much as the encoder reads, so that both see the same
constexpr double kHoldout = 0.02;
constexpr std::size_t kMinPairs = 2;       // occurrences of a pair
constexpr double kFrequencyWeight = 1e-3;  // a of Arora, Liang and Ma
constexpr std::size_t kMostPairs = 1'000'000;

Result<void> Check(const TrainEmbeddingOptions& options) {
  const std::size_t d = options.dimensions;
  if (options.texts.empty()) return InvalidArgument("texts", "no file of texts was named (--texts FILE)");
  if (d < 8 || d > classifier::kMaxDimensions || d % 8 != 0) {
    return InvalidArgument("dimensions", "--dimensions is not a multiple of 8, 8 to 512");
  }
  if (options.pairs > kMostPairs) return InvalidArgument("pairs", "--pairs is not 0 to 1000000");
  if (options.epochs < 1 || options.epochs > 1000) return InvalidArgument("epochs", "--epochs is not 1 to 1000");
  if (!(options.learning_rate > 0 && options.learning_rate <= 1)) {
    return InvalidArgument("learning_rate", "--learning-rate is not over 0 and up to 1");
  }
  if (options.out.empty()) return InvalidArgument("out", "no output file (--out FILE)");
  return {};
}

// What is read of a text; no character is cut in two.
std::string_view Front(std::string_view text) {
  if (text.size() <= kReadBytes) return text;
  std::size_t end = kReadBytes;
  while (end > kReadBytes - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// The distinct texts of all files, in order.
Result<std::vector<std::string>> ReadTexts(const TrainEmbeddingOptions& options, TrainEmbeddingReport& report) {
  std::vector<std::string> texts;
  std::unordered_set<std::string> seen;
  for (const TextFile& file : options.texts) {
    RowOptions one;
    one.files = {file.file};
    one.text_field = file.field;
    one.label_field = "";
    one.source_field = options.source_field;
    one.source_optional = true;
    one.drop_sources = options.drop_sources;
    one.skip_bad = options.skip_bad;
    auto rows = ReadRows(one, [&](double share) {
      if (options.progress) options.progress("reading " + file.file.filename().string(), share);
    });
    if (!rows) return std::move(rows).error();
    report.dropped += rows->dropped;
    report.duplicates += rows->duplicates;
    report.bad += rows->bad;
    report.bad_examples.insert(report.bad_examples.end(), rows->bad_examples.begin(), rows->bad_examples.end());
    for (Row& row : rows->rows) {
      const std::string_view front = Front(row.text);
      if (!seen.insert(std::string(front)).second) {
        ++report.duplicates;
      } else {
        texts.emplace_back(front);
      }
    }
  }
  return texts;
}

// Those that train, then those that are held out.
struct Split {
  std::vector<std::string_view> texts;
  std::size_t train = 0;
};

Split Divide(const std::vector<std::string>& texts) {
  Split split;
  for (const std::string& text : texts) {
    if (!HeldOut(text, kHoldout)) split.texts.push_back(text);
  }
  split.train = split.texts.size();
  for (const std::string& text : texts) {
    if (HeldOut(text, kHoldout)) split.texts.push_back(text);
  }
  return split;
}

// Before the texts are embedded, which takes minutes.
Result<void> CheckPieces(const TrainEmbeddingOptions& options, const EmbeddedPieces& pieces) {
  if (pieces.pieces.empty() || pieces.vectors.size() != pieces.pieces.size()) {
    return Internal("the encoder has no vocabulary, or not a vector for each piece");
  }
  const std::size_t size = pieces.vectors.front().size();
  if (size < options.dimensions) {
    return InvalidArgument("dimensions", "--dimensions " + std::to_string(options.dimensions) +
                                             " is more than the encoder's vectors have: " + std::to_string(size));
  }
  return {};
}

bool AllOfSize(const std::vector<std::vector<float>>& vectors, std::size_t size) {
  return std::all_of(vectors.begin(), vectors.end(), [size](const auto& vector) { return vector.size() == size; });
}

// Targets: [text][dimensions], of length 1.
std::vector<float> Targets(const PrincipalComponents& components, const std::vector<std::vector<float>>& vectors) {
  const std::size_t dimensions = components.components();
  std::vector<float> targets(vectors.size() * dimensions);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const std::span<float> target(&targets[i * dimensions], dimensions);
    components.Project(vectors[i], target);
    float squares = 1e-20F;
    for (const float value : target) squares += value * value;
    for (float& value : target) value /= std::sqrt(squares);
  }
  return targets;
}

// The vocabulary and its pairs, with zeros for vectors.
v1::StaticEmbedding Empty(const TrainEmbeddingOptions& options, const EmbeddedPieces& pieces,
                          std::span<const std::string_view> texts) {
  v1::StaticEmbedding embedding;
  embedding.set_dimensions(static_cast<std::uint32_t>(options.dimensions));
  for (const std::string& piece : pieces.pieces) *embedding.mutable_vocabulary() += piece + "\n";
  const classifier::WordPieces word_pieces(pieces.pieces);
  const std::vector<std::uint64_t> pairs = FrequentPairs(word_pieces, texts, options.pairs, kMinPairs);
  embedding.mutable_pairs()->Assign(pairs.begin(), pairs.end());
  const std::size_t tokens = pieces.pieces.size() + pairs.size();
  embedding.mutable_vectors()->assign(tokens * options.dimensions, '\0');
  embedding.mutable_scales()->Resize(static_cast<int>(tokens), 0.0F);
  return embedding;
}

TokenLists Tokens(const classifier::StaticEmbedding& embedding, std::span<const std::string_view> texts) {
  TokenLists lists;
  std::string storage;
  for (const std::string_view text : texts) {
    embedding.Tokens(classifier::Fold(text, storage), [&](std::uint32_t token) { lists.tokens.push_back(token); });
    lists.begin.push_back(lists.tokens.size());
  }
  return lists;
}

// Where the token vectors begin: [token][dimensions].
std::vector<float> Start(const PrincipalComponents& components, const EmbeddedPieces& pieces, const TokenLists& lists,
                         std::size_t tokens) {
  const std::size_t dimensions = components.components(), count = pieces.pieces.size();
  PrincipalComponents centred = components;  // the mean of the pieces is far from that of the texts
  std::fill(centred.mean.begin(), centred.mean.end(), 0.0);
  for (const std::vector<float>& vector : pieces.vectors) {
    for (std::size_t i = 0; i < vector.size(); ++i) centred.mean[i] += vector[i] / static_cast<double>(count);
  }
  std::vector<float> start(tokens * dimensions);
  double lengths = 0;
  for (std::size_t t = 0; t < count; ++t) {
    const std::span<float> vector(&start[t * dimensions], dimensions);
    centred.Project(pieces.vectors[t], vector);
    lengths += std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
  }
  std::vector<double> occurrences(tokens);
  double all = 0;
  for (const std::uint32_t token : lists.tokens) {
    if (token >= count) continue;
    ++occurrences[token];
    ++all;
  }
  for (std::size_t t = 0; t < count; ++t) {
    const double weight = kFrequencyWeight / (kFrequencyWeight + occurrences[t] / std::max(all, 1.0));
    const auto scale = static_cast<float>(weight * static_cast<double>(count) / std::max(lengths, 1e-20));
    for (std::size_t d = 0; d < dimensions; ++d) start[t * dimensions + d] *= scale;
  }
  return start;
}

void Quantise(std::span<const float> vectors, v1::StaticEmbedding& embedding) {
  const std::size_t dimensions = embedding.dimensions();
  std::string& bytes = *embedding.mutable_vectors();
  for (std::size_t t = 0; t < vectors.size() / dimensions; ++t) {
    const float* const vector = &vectors[t * dimensions];
    float largest = 1e-9F;
    for (std::size_t d = 0; d < dimensions; ++d) largest = std::max(largest, std::abs(vector[d]));
    for (std::size_t d = 0; d < dimensions; ++d) {
      bytes[t * dimensions + d] = static_cast<char>(static_cast<std::int8_t>(std::lround(vector[d] * 127 / largest)));
    }
    embedding.set_scales(static_cast<int>(t), largest / 127);
  }
}

double MeanCosine(const v1::StaticEmbedding& embedding, std::span<const std::string_view> texts,
                  std::span<const float> targets) {
  const classifier::StaticEmbedding reader(embedding);
  std::vector<float> vector(reader.dimensions());
  double sum = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    classifier::EmbedText(reader, texts[i], kReadBytes, vector);
    sum += std::inner_product(vector.begin(), vector.end(), targets.data() + i * vector.size(), 0.0);
  }
  return texts.empty() ? 0 : sum / static_cast<double>(texts.size());
}

}  // namespace

Result<TrainEmbeddingReport> TrainEmbedding(const TrainEmbeddingOptions& options) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  const Clock::time_point begin = Clock::now();
  if (auto checked = Check(options); !checked) return checked.error();
  const auto stage = [&](std::string_view name) {
    return [&options, name](double share) {
      if (options.progress) options.progress(name, share);
    };
  };
  TrainEmbeddingReport report;
  auto read = ReadTexts(options, report);
  if (!read) return std::move(read).error();
  const Split split = Divide(*read);
  const std::span<const std::string_view> all(split.texts), train = all.first(split.train),
                                                            held_out = all.subspan(split.train);
  if (train.size() <= options.dimensions) {
    return InvalidArgument("texts", std::to_string(train.size()) + " distinct texts to train with are too few for " +
                                        std::to_string(options.dimensions) +
                                        " dimensions (more texts, or --dimensions)");
  }

  const Clock::time_point embedding_begin = Clock::now();
  auto pieces = options.embed_pieces(stage("embedding the vocabulary"));
  if (!pieces) return std::move(pieces).error();
  if (auto checked = CheckPieces(options, *pieces); !checked) return checked.error();
  auto embedded = options.embed_texts(all, stage("embedding the texts"));
  if (!embedded) return std::move(embedded).error();
  report.encoder_seconds = seconds(embedding_begin);
  const std::size_t size = pieces->vectors.front().size();
  if (embedded->vectors.size() != all.size() || !AllOfSize(embedded->vectors, size) ||
      !AllOfSize(pieces->vectors, size)) {
    return Internal("the encoder's vectors are not all there, or not all of one size");
  }

  std::vector<const std::vector<float>*> rows;
  for (std::size_t i = 0; i < train.size(); ++i) rows.push_back(&embedded->vectors[i]);
  const PrincipalComponents components = FindPrincipalComponents(rows, options.dimensions);
  const std::vector<float> targets = Targets(components, embedded->vectors);
  embedded->vectors.clear();

  v1::Artifact artifact;
  v1::StaticEmbedding& embedding = *artifact.mutable_embedding();
  embedding = Empty(options, *pieces, train);
  const TokenLists lists = Tokens(classifier::StaticEmbedding(embedding), train);
  std::vector<float> vectors = Start(components, *pieces, lists, static_cast<std::size_t>(embedding.scales_size()));
  DistilOptions distil;
  distil.dimensions = options.dimensions;
  distil.epochs = options.epochs;
  distil.learning_rate = options.learning_rate;
  distil.seed = options.seed;
  Distil(lists, std::span(targets).first(train.size() * options.dimensions), distil, vectors, stage("distilling"));
  Quantise(vectors, embedding);
  embedding.mutable_teacher()->set_name(embedded->encoder);
  embedding.mutable_teacher()->set_licence(options.licence);
  embedding.mutable_teacher()->set_rows(static_cast<std::uint32_t>(train.size()));
  artifact.set_version(classifier::kArtifactVersion);
  artifact.set_created_by(std::string("pointsman ") + kVersion);
  artifact.set_seed(options.seed);
  if (const std::string flaw = classifier::Flaw(embedding); !flaw.empty()) {
    return Internal("the distilled vectors cannot be used: " + flaw);
  }
  auto written = classifier::WriteArtifact(options.out, artifact);
  if (!written) return std::move(written).error();

  report.encoder = embedded->encoder;
  report.texts = train.size();
  report.held_out = held_out.size();
  report.truncated = embedded->truncated;
  report.dimensions = options.dimensions;
  report.pieces = pieces->pieces.size();
  report.pairs = static_cast<std::size_t>(embedding.pairs_size());
  report.kept = components.kept;
  report.cosine = MeanCosine(embedding, held_out, std::span(targets).subspan(train.size() * options.dimensions));
  report.out = options.out;
  report.bytes = std::filesystem::file_size(options.out);
  report.checksum = *std::move(written);
  report.seconds = seconds(begin);
  return report;
}

}  // namespace pointsman::offline
