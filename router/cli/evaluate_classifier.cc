// router/cli/evaluate_classifier.cc: `pointsman evaluate classifier`.
#include "router/offline/evaluate_classifier.h"

#include <cstdio>
#include <memory>
#include <string>

#include "router/classifier/default_artifact.h"
#include "router/cli/evaluate.h"
#include "router/cli/progress_bar.h"
#ifdef POINTSMAN_LOCAL_ENGINE
#include "backends/engine/llama/encode_texts.h"
#endif

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman evaluate classifier --artifact models/teams.pmc --rows unseen.jsonl.gz --text body --label team \\\n"
    "      --foreign smalltalk.jsonl --json\n"
    "The rows must not be those of training. docs/classifier.md says what the figures mean.";

struct Flags {
  offline::EvaluateClassifierOptions options;
  std::string encoder;
  offline::EvaluateEncoderLane lane;
  unsigned threads = 0;
  bool json = false;
};

int Run(Flags& flags) {
  offline::EvaluateClassifierOptions& options = flags.options;
  if (options.artifact.empty()) options.artifact = classifier::DefaultArtifact();
#ifdef POINTSMAN_LOCAL_ENGINE
  if (!flags.encoder.empty()) {
    flags.lane.embed = [&flags](std::span<const std::string_view> texts,
                                const std::function<void(double)>& progress) -> Result<offline::EmbeddedTexts> {
      Result<engine::EncodedTexts> encoded = engine::EncodeTexts(flags.encoder, texts, flags.threads, progress);
      if (!encoded) return std::move(encoded).error();
      return offline::EmbeddedTexts{std::move(encoded->model), std::move(encoded->vectors), encoded->truncated};
    };
    options.encoder = flags.lane;
  }
#endif
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto evaluation = offline::EvaluateClassifier(options);
  bar.Clear();
  if (!evaluation) {
    std::fprintf(stderr, "pointsman evaluate classifier: %s\n", evaluation.error().message.c_str());
    return 1;
  }
  const std::string text =
      flags.json ? offline::EvaluationJson(*evaluation) + "\n" : offline::EvaluationText(*evaluation);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterEvaluateClassifier(CLI::App& group, int& exit_code) {
  CLI::App* command =
      group.add_subcommand("classifier", "accuracy, calibration, foreign prompts and time of an artifact");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::EvaluateClassifierOptions& o = flags->options;
  command->add_option("--artifact", o.artifact, "the classifier; default: the shipped one")->check(CLI::ExistingFile);
  command->add_option("--rows", o.rows.files, "labelled rows, JSON lines, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--text", o.rows.text_field, "field with the text")->capture_default_str();
  command->add_option("--label", o.rows.label_field, "field with the category")->capture_default_str();
  auto* history = command->add_option("--history", o.rows.history_field, "field with the user's earlier turns, if any");
  auto* system = command->add_option("--system", o.rows.system_field, "field with the system prompt, if any");
  command->add_option("--history-weight", o.weights.history, "as classifier.history of the configuration")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->needs(history);
  command->add_option("--system-weight", o.weights.system, "as classifier.system of the configuration")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->needs(system);
  command->add_option("--foreign", o.foreign, "rows that belong to none of the categories; repeatable")
      ->check(CLI::ExistingFile);
#ifdef POINTSMAN_LOCAL_ENGINE
  CLI::Option* encoder = command->add_option("--encoder", flags->encoder,
                                             "GGUF file of a sentence encoder: measure the encoder lane as well");
  CLI::Option* head = command->add_option("--head", flags->lane.head, "the encoder lane's head for this artifact");
  encoder->check(CLI::ExistingFile)->needs(head);
  head->check(CLI::ExistingFile)->needs(encoder);
  command->add_option("--share", flags->lane.share, "of the rows that shall be escalated, by the head's threshold")
      ->needs(encoder)
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "compute threads of the encoder; 0 = all cores")
      ->needs(encoder)
      ->capture_default_str();
#endif
  command->add_flag("--skip-bad", o.rows.skip_bad, "leave bad rows out and count them");
  command->add_flag("--json", flags->json, "one JSON object on stdout");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
