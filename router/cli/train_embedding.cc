#include "router/cli/train_embedding.h"

#ifdef POINTSMAN_LOCAL_ENGINE
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "backends/engine/llama/encode_texts.h"
#include "router/cli/progress_bar.h"
#include "router/offline/train_embedding.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman train embedding --texts tickets.jsonl.gz --text body --texts prompts.jsonl --text prompt \\\n"
    "      --encoder build/models/all-minilm-l6-v2-f16.gguf --out models/tokens.pmc\n"
    "Then give the vectors to a classifier: pointsman train classifier --embedding models/tokens.pmc ...\n"
    "The encoder reads about 3,000 tokens a second and core. Memory: about 300 MB, and 2 KB for each text.";

struct Flags {
  offline::TrainEmbeddingOptions options;
  std::vector<std::string> files, fields, drop_source;
  std::string encoder;
  unsigned threads = 0;
  bool json = false;
};

int Fail(const std::string& message) {
  std::fprintf(stderr, "pointsman train embedding: %s\n", message.c_str());
  return 1;
}

int Run(Flags& flags) {
  offline::TrainEmbeddingOptions& options = flags.options;
  if (flags.fields.size() > 1 && flags.fields.size() != flags.files.size()) {
    return Fail("--text is given " + std::to_string(flags.fields.size()) + " times for " +
                std::to_string(flags.files.size()) + " --texts (give it once, or once for each file)");
  }
  for (std::size_t i = 0; i < flags.files.size(); ++i) {
    options.texts.push_back({flags.files[i], flags.fields[flags.fields.size() > 1 ? i : 0]});
  }
  options.drop_sources = {flags.drop_source.begin(), flags.drop_source.end()};
  options.embed_pieces = [&flags](const std::function<void(double)>& progress) -> Result<offline::EmbeddedPieces> {
    auto encoded = engine::EncodeVocabulary(flags.encoder, flags.threads, progress);
    if (!encoded) return std::move(encoded).error();
    return offline::EmbeddedPieces{std::move(encoded->pieces), std::move(encoded->vectors)};
  };
  options.embed_texts = [&flags](std::span<const std::string_view> texts,
                                 const std::function<void(double)>& progress) -> Result<offline::EmbeddedTexts> {
    auto encoded = engine::EncodeTexts(flags.encoder, texts, flags.threads, progress);
    if (!encoded) return std::move(encoded).error();
    return offline::EmbeddedTexts{std::move(encoded->model), std::move(encoded->vectors), encoded->truncated};
  };
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::TrainEmbedding(options);
  bar.Clear();
  if (!report) return Fail(report.error().message);
  const std::string text = flags.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterTrainEmbedding(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("embedding", "distil token vectors for classifiers from a sentence encoder");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::TrainEmbeddingOptions& options = flags->options;
  flags->fields = {"text"};
  command->add_option("--texts", flags->files, "JSON lines, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--text", flags->fields, "field with the text: one for all files, or one for each in turn")
      ->capture_default_str();
  auto* source = command->add_option("--source", options.source_field, "field with the name of the text's source");
  command->add_option("--drop-source", flags->drop_source, "source whose texts are left out; repeatable")
      ->needs(source);
  command->add_flag("--skip-bad", options.skip_bad, "leave bad rows out and count them, instead of failing");
  command->add_option("--encoder", flags->encoder, "GGUF file of a sentence encoder, the teacher")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--licence", options.licence, "SPDX identifier of the encoder, recorded in the artifact")
      ->capture_default_str();
  command->add_option("--out", options.out, "the artifact to write")->required();
  command->add_option("--dimensions", options.dimensions, "values of a token's vector, a multiple of 8")
      ->capture_default_str();
  command->add_option("--pairs", options.pairs, "most pairs of neighbouring pieces that get a vector")
      ->capture_default_str();
  command->add_option("--epochs", options.epochs, "passes over the texts")->capture_default_str();
  command->add_option("--learning-rate", options.learning_rate, "of the first step")->capture_default_str();
  command->add_option("--seed", options.seed, "of the order of the texts")->capture_default_str();
  command->add_option("--threads", flags->threads, "threads of the encoder; 0 = all cores; they change no value")
      ->capture_default_str();
  command->add_flag("--json", flags->json, "the report as JSON on standard output");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
#else
namespace pointsman::cli {
void RegisterTrainEmbedding(CLI::App&, int&) {}
}  // namespace pointsman::cli
#endif
