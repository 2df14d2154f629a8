#include "router/cli/train.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "router/cli/embedding_option.h"
#include "router/cli/progress_bar.h"
#include "router/cli/train_cascade.h"
#include "router/cli/train_category.h"
#include "router/cli/train_embedding.h"
#include "router/cli/train_gate.h"
#include "router/cli/train_predictor.h"
#include "router/offline/train_classifier.h"
#include "router/offline/train_encoder.h"
#ifdef POINTSMAN_LOCAL_ENGINE
#include "backends/engine/llama/encode_texts.h"
#endif

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman train classifier --rows tickets.jsonl.gz --text body --label team --out models/teams.pmc \\\n"
    "      --rename hw=hardware --drop spam\n"
    "where tickets.jsonl.gz has lines like {\"body\": \"my screen stays black\", \"team\": \"hw\"}.\n"
    "Then name the file in the configuration: classifier: {artifact: models/teams.pmc}";

// "name=value" options as a map.
class Pairs : public CLI::Validator {
 public:
  Pairs() {
    name_ = "NAME=VALUE";
    func_ = [](const std::string& text) {
      const auto equals = text.find('=');
      const bool good = equals != std::string::npos && equals > 0 && equals + 1 < text.size();
      return good ? std::string() : "\"" + text + "\" is not NAME=VALUE";
    };
  }
  static std::map<std::string, std::string> Map(const std::vector<std::string>& texts) {
    std::map<std::string, std::string> map;
    for (const std::string& text : texts) map[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
    return map;
  }
};

struct Flags {
  offline::TrainOptions options;
  std::vector<std::string> rename, drop, drop_source, licence;
  std::string embedding, html;
  bool json = false;
};

bool WriteText(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  return static_cast<bool>(out);
}

int Run(Flags& flags) {
  offline::TrainOptions& options = flags.options;
  options.rows.rename = Pairs::Map(flags.rename);
  options.rows.drop_labels = {flags.drop.begin(), flags.drop.end()};
  options.rows.drop_sources = {flags.drop_source.begin(), flags.drop_source.end()};
  options.licences = Pairs::Map(flags.licence);
  auto embedding = ChosenEmbedding(flags.embedding);
  if (!embedding) {
    std::fprintf(stderr, "pointsman train classifier: %s\n", embedding.error().message.c_str());
    return 1;
  }
  options.fit.embedding = *std::move(embedding);
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::TrainClassifier(options);
  bar.Clear();
  if (!report) {
    std::fprintf(stderr, "pointsman train classifier: %s\n", report.error().message.c_str());
    return 1;
  }
  const std::string text = flags.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  if (flags.html.empty() || WriteText(flags.html, offline::TrainPage(*report))) return 0;
  std::fprintf(stderr, "pointsman train classifier: %s: the page cannot be written\n", flags.html.c_str());
  return 1;
}

void AddRowOptions(CLI::App& command, Flags& flags) {
  offline::RowOptions& rows = flags.options.rows;
  command.add_option("--rows", rows.files, "JSON lines, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command.add_option("--text", rows.text_field, "field with the text")->capture_default_str();
  command.add_option("--label", rows.label_field, "field with the category")->capture_default_str();
  auto* source = command.add_option("--source", rows.source_field, "field with the name of the row's source");
  command.add_option("--rename", flags.rename, "OLD=NEW: another name for a label; repeatable")->check(Pairs());
  command.add_option("--drop", flags.drop, "label (before renaming) whose rows are left out; repeatable");
  command.add_option("--drop-source", flags.drop_source, "source whose rows are left out; repeatable")->needs(source);
  command.add_option("--licence", flags.licence, "SOURCE=SPDX: recorded in the artifact; repeatable")
      ->check(Pairs())
      ->needs(source);
  command.add_flag("--skip-bad", rows.skip_bad, "leave bad rows out and count them, instead of failing");
}

void AddFitOptions(CLI::App& command, Flags& flags) {
  offline::TrainOptions& options = flags.options;
  command.add_option("--folds", options.fit.folds, "parts of the rows that are predicted without themselves")
      ->capture_default_str();
  AddEmbeddingOption(command, "n-grams alone", flags.embedding);
  command.add_option("--coverage", options.fit.coverage, "share of rows that shall be certain; sets the thresholds")
      ->capture_default_str();
  command.add_option("--seed", options.fit.linear.seed, "of the order of rows and of dropout")->capture_default_str();
  command.add_option("--epochs", options.fit.linear.epochs, "passes over the rows")->capture_default_str();
  command.add_option("--balance", options.fit.linear.balance, "0: rows weigh the same; 1: categories do")
      ->capture_default_str();
  command.add_option("--dropout", options.fit.linear.dropout, "share of features left out at a step")
      ->capture_default_str();
  command.add_option("--learning-rate", options.fit.linear.learning_rate, "of the first step")->capture_default_str();
  command.add_option("--last-learning-rate", options.fit.linear.last_learning_rate, "of the last step")
      ->capture_default_str();
  command
      .add_option("--bucket-bits", options.fit.linear.bucket_bits,
                  "log2 of the buckets of each of the 3 feature groups")
      ->capture_default_str();
  command.add_option("--max-bytes", options.fit.linear.max_bytes, "bytes of a text that are read")
      ->capture_default_str();
}

#ifdef POINTSMAN_LOCAL_ENGINE
constexpr const char kEncoderExample[] =
    "Example:\n"
    "  pointsman train encoder --rows tickets.jsonl.gz --text body --label team --classifier models/teams.pmc \\\n"
    "      --encoder build/models/all-minilm-l6-v2-f16.gguf --out models/teams-encoder.pmh\n"
    "Give the rows, --rename and --drop as for the classifier. Then name the file in the configuration:\n"
    "  classifier: {artifact: models/teams.pmc, encoder: {model: minilm, head: models/teams-encoder.pmh}}";

struct EncoderFlags {
  Flags rows;  // only its options of rows
  offline::TrainEncoderOptions options;
  std::string encoder;
  unsigned threads = 0;
};

int RunEncoder(EncoderFlags& flags) {
  offline::TrainEncoderOptions& options = flags.options;
  options.rows = flags.rows.options.rows;
  options.rows.rename = Pairs::Map(flags.rows.rename);
  options.rows.drop_labels = {flags.rows.drop.begin(), flags.rows.drop.end()};
  options.rows.drop_sources = {flags.rows.drop_source.begin(), flags.rows.drop_source.end()};
  options.licences = Pairs::Map(flags.rows.licence);
  options.embed = [&flags](std::span<const std::string_view> texts,
                           const std::function<void(double)>& progress) -> Result<offline::EmbeddedTexts> {
    Result<engine::EncodedTexts> encoded = engine::EncodeTexts(flags.encoder, texts, flags.threads, progress);
    if (!encoded) return std::move(encoded).error();
    return offline::EmbeddedTexts{std::move(encoded->model), std::move(encoded->vectors), encoded->truncated};
  };
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::TrainEncoder(options);
  bar.Clear();
  if (!report) {
    std::fprintf(stderr, "pointsman train encoder: %s\n", report.error().message.c_str());
    return 1;
  }
  const std::string text = flags.rows.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

void AddEncoder(CLI::App& train, int& exit_code) {
  CLI::App* command =
      train.add_subcommand("encoder", "make the head of the encoder lane, a classifier's second opinion");
  command->footer(kEncoderExample);
  const auto flags = std::make_shared<EncoderFlags>();
  AddRowOptions(*command, flags->rows);
  command->add_option("--classifier", flags->options.classifier, "the classifier's artifact")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--encoder", flags->encoder, "GGUF file of a sentence encoder")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--out", flags->options.out, "the head to write")->required();
  command->add_option("--holdout", flags->options.holdout, "share of rows that fit the combination")
      ->capture_default_str();
  command->add_option("--seed", flags->options.seed, "of the fast lane that is fitted on the way")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "compute threads of the encoder; 0 = all cores")
      ->capture_default_str();
  command->add_flag("--json", flags->rows.json, "the report as JSON on stdout");
  command->callback([flags, &exit_code] { exit_code = RunEncoder(*flags); });
}
#endif

}  // namespace

void RegisterTrain(CLI::App& app, int& exit_code) {
  CLI::App* train = app.add_subcommand("train", "make artifacts from labelled rows");
  train->require_subcommand(1);
  RegisterTrainPredictor(*train, exit_code);
  RegisterTrainEmbedding(*train, exit_code);
  RegisterTrainCategory(*train, exit_code);
  RegisterTrainGate(*train, exit_code);
  RegisterTrainCascade(*train, exit_code);
  CLI::App* command = train->add_subcommand("classifier", "make a category classifier, and report how good it is");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  AddRowOptions(*command, *flags);
  command->add_option("--out", flags->options.out, "the artifact to write")->required();
  AddFitOptions(*command, *flags);
  CLI::Option* unlabelled = command->add_option("--unlabelled", flags->options.unlabelled,
                                                "rows with a text and no label, which the nearest labelled rows label; "
                                                "repeatable");
  unlabelled->check(CLI::ExistingFile);
  command
      ->add_option("--unlabelled-confidence", flags->options.fit.unlabelled_confidence,
                   "share of the votes from which such a row joins the training")
      ->needs(unlabelled)
      ->capture_default_str();
  command->add_option("--html", flags->html, "a page with the report's tables and plots to write");
  command->add_flag("--json", flags->json, "the report as JSON on stdout");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
#ifdef POINTSMAN_LOCAL_ENGINE
  AddEncoder(*train, exit_code);
#endif
}

}  // namespace pointsman::cli
