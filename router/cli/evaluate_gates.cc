// router/cli/evaluate_gates.cc: `pointsman evaluate gates`.
#include "router/offline/evaluate_gates.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "router/classifier/default_artifact.h"
#include "router/cli/embedding_option.h"
#include "router/cli/evaluate.h"
#include "router/cli/progress_bar.h"
#include "router/offline/evaluate_carry.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Examples:\n"
    "  pointsman evaluate gates --rows seen.jsonl.gz --test unseen.jsonl.gz --text prompt --label domain \\\n"
    "      --pool everything.jsonl.gz --pool-text body\n"
    "trains a gate for each label and compares its forms with one classifier of all rows;\n"
    "  pointsman evaluate gates --gates lawyer.pmg,doctor.pmg --rows unseen.jsonl.gz --text prompt --label expert\n"
    "measures gates that exist, and fits their temperature;\n"
    "  pointsman evaluate gates --gates lawyer.pmg,doctor.pmg --rows talks.jsonl --turns turns --label expert \\\n"
    "      --carry 0,0.3,0.5,0.8\n"
    "says how often the expert changes between the turns of a conversation. docs/policies/gates.md says what the "
    "figures mean.";

struct Flags {
  offline::RowOptions rows, test, pool;
  std::vector<std::filesystem::path> gates;
  std::string range, test_range, embedding, turns, form = "ensemble";
  std::vector<double> carries = offline::CarryOptions().carries;
  std::vector<std::string> drop;
  std::uint64_t seed = 1;
  bool skip_bad = false, json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman evaluate gates: %s\n", error.message.c_str());
  return 1;
}

Result<offline::GatesEvaluation> Trained(const Flags& flags, std::function<void(std::string_view, double)> progress) {
  offline::EvaluateTrainedGatesOptions options;
  options.rows = flags.rows;
  options.test = flags.test;
  options.pool = flags.pool;
  options.seed = flags.seed;
  options.progress = std::move(progress);
  auto embedding = ChosenEmbedding(flags.embedding);
  if (!embedding) return std::move(embedding).error();
  options.embedding = *std::move(embedding);
  return offline::EvaluateTrainedGates(options);
}

Result<offline::GatesEvaluation> OfFiles(const Flags& flags, std::function<void(std::string_view, double)> progress) {
  offline::EvaluateGateFilesOptions options;
  options.gates = flags.gates;
  options.classifier = flags.embedding.empty() ? classifier::DefaultArtifact() : std::filesystem::path(flags.embedding);
  options.rows = flags.rows;
  options.progress = std::move(progress);
  return offline::EvaluateGateFiles(options);
}

int Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

int Carry(const Flags& flags, const std::optional<offline::HashRange>& range) {
  offline::CarryOptions options;
  options.gates = flags.gates;
  options.classifier = flags.embedding.empty() ? classifier::DefaultArtifact() : std::filesystem::path(flags.embedding);
  const auto form = classifier::GateFormOf(flags.form);
  if (!form) return Fail(InvalidArgument("form", "--form " + flags.form + " is no form (docs/policies/gates.md)"));
  options.form = *form;
  options.rows = flags.rows.files;
  options.range = range;
  options.turns_field = flags.turns;
  options.label_field = flags.rows.label_field;
  options.carries = flags.carries;
  const auto evaluation = offline::EvaluateCarry(options);
  if (!evaluation) return Fail(evaluation.error());
  return Print(flags.json ? offline::CarryJson(*evaluation) + "\n" : offline::CarryText(*evaluation));
}

int Run(Flags& flags) {
  const auto range = offline::ParseHashRange(flags.range), test_range = offline::ParseHashRange(flags.test_range);
  if (!range) return Fail(range.error());
  if (!test_range) return Fail(test_range.error());
  if (!flags.turns.empty()) return Carry(flags, *range);
  if (flags.gates.empty() && flags.test.files.empty()) {
    return Fail(InvalidArgument("gates", "name --test to train gates and measure them, or --gates to measure some"));
  }
  if (flags.gates.empty() && flags.pool.files.empty()) {
    const std::filesystem::path pool = classifier::DefaultPool();
    if (!std::filesystem::exists(pool))
      return Fail(InvalidArgument("pool", pool.string() + " is missing: name --pool"));
    flags.pool.files = {pool};
  }
  flags.rows.range = *range;
  flags.test.range = *test_range;
  flags.test.text_field = flags.rows.text_field;
  flags.test.label_field = flags.rows.label_field;
  flags.pool.label_field.clear();
  flags.rows.drop_labels = flags.test.drop_labels = {flags.drop.begin(), flags.drop.end()};
  flags.rows.skip_bad = flags.test.skip_bad = flags.pool.skip_bad = flags.skip_bad;
  ProgressBar bar;
  const auto progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto evaluation = flags.gates.empty() ? Trained(flags, progress) : OfFiles(flags, progress);
  bar.Clear();
  if (!evaluation) return Fail(evaluation.error());
  return Print(flags.json ? offline::EvaluationJson(*evaluation) + "\n" : offline::EvaluationText(*evaluation));
}

}  // namespace

void RegisterEvaluateGates(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("gates", "experts' gates: how often the right expert is found");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  command
      ->add_option("--rows", flags->rows.files, "labelled rows: of training, or with --gates to measure on; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--text", flags->rows.text_field, "field with the text")->capture_default_str();
  command->add_option("--label", flags->rows.label_field, "field with the expert (or what stands for it)")
      ->capture_default_str();
  command->add_option("--drop", flags->drop, "label whose rows are left out; repeatable");
  command->add_option("--h", flags->range, "LO:HI: only rows with LO <= int(h[:8], 16) % 100 < HI");
  CLI::Option* gates = command->add_option("--gates", flags->gates, "files of `pointsman train gate`, A,B,...");
  gates->delimiter(',')->check(CLI::ExistingFile);
  CLI::Option* turns = command->add_option("--turns", flags->turns,
                                           "field with a list of a conversation's turns: measure what is carried");
  turns->needs(gates);
  command->add_option("--carry", flags->carries, "C,...: how much of the earlier turns' scores stays")
      ->delimiter(',')
      ->capture_default_str()
      ->needs(turns);
  command->add_option("--form", flags->form, "of the gates, with --turns")->capture_default_str()->needs(turns);
  CLI::Option* test = command->add_option("--test", flags->test.files, "rows to measure on; repeatable");
  test->check(CLI::ExistingFile)->excludes(gates);
  command->add_option("--test-h", flags->test_range, "as --h, of the test rows")->needs(test);
  CLI::Option* pool = command->add_option("--pool", flags->pool.files,
                                          "texts that are no expert's; repeatable; default: the 371 that come with the "
                                          "program");
  pool->check(CLI::ExistingFile)->excludes(gates);
  command->add_option("--pool-text", flags->pool.text_field, "field with the text of the pool's rows")
      ->capture_default_str()
      ->needs(pool);
  AddEmbeddingOption(*command, "refused, gates need them", flags->embedding);
  command->add_option("--seed", flags->seed, "of the draws, the clusters and the joint classifier")
      ->capture_default_str()
      ->excludes(gates);
  command->add_flag("--skip-bad", flags->skip_bad, "leave bad rows out and count them, instead of failing");
  command->add_flag("--json", flags->json, "one JSON object on stdout");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
