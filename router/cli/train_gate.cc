#include "router/cli/train_gate.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "router/classifier/default_artifact.h"
#include "router/cli/embedding_option.h"
#include "router/cli/progress_bar.h"
#include "router/offline/train_gate.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman train gate --expert lawyer --rows legal.jsonl.gz --text prompt --pool everything.jsonl.gz \\\n"
    "      --pool-text body --out models/lawyer.pmg\n"
    "Reads nothing of other experts, and no other gate changes. Then name the file in the configuration:\n"
    "  policies: {experts: {score: gates, gates: {lawyer: models/lawyer.pmg, ...}}}";

struct Flags {
  offline::TrainGateOptions options;
  std::string where, range, embedding;
  bool skip_bad = false, json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman train gate: %s\n", error.message.c_str());
  return 1;
}

int Run(Flags& flags) {
  offline::TrainGateOptions& options = flags.options;
  const auto range = offline::ParseHashRange(flags.range);
  if (!range) return Fail(range.error());
  options.rows.range = *range;
  options.rows.skip_bad = options.pool.skip_bad = flags.skip_bad;
  if (const auto equals = flags.where.find('='); equals != std::string::npos) {
    options.rows.where_field = flags.where.substr(0, equals);
    options.rows.where_value = flags.where.substr(equals + 1);
  }
  auto embedding = ChosenEmbedding(flags.embedding);
  if (!embedding) return Fail(embedding.error());
  options.embedding = *std::move(embedding);
  if (options.pool.files.empty()) {
    const std::filesystem::path pool = classifier::DefaultPool();
    if (!std::filesystem::exists(pool))
      return Fail(InvalidArgument("pool", pool.string() + " is missing: name --pool"));
    options.pool.files = {pool};
  }
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::TrainGate(options);
  bar.Clear();
  if (!report) return Fail(report.error());
  const std::string text = flags.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

std::string IsFieldAndValue(const std::string& text) {
  const auto equals = text.find('=');
  const bool good = equals != std::string::npos && equals > 0 && equals + 1 < text.size();
  return good ? std::string() : "\"" + text + "\" is not FIELD=VALUE";
}

}  // namespace

void RegisterTrainGate(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("gate", "learn which requests are one expert's, from its own prompts");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::TrainGateOptions& o = flags->options;
  o.rows.label_field.clear();
  o.pool.label_field.clear();
  command->add_option("--expert", o.expert, "name of the expert in the configuration")->required();
  command->add_option("--rows", o.rows.files, "the expert's own prompts, JSON lines, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--text", o.rows.text_field, "field with the text")->capture_default_str();
  command->add_option("--where", flags->where, "FIELD=VALUE: only the rows whose field has that value")
      ->check(CLI::Validator(IsFieldAndValue, "FIELD=VALUE"));
  command->add_option("--h", flags->range, "LO:HI: only rows with LO <= int(h[:8], 16) % 100 < HI");
  CLI::Option* pool = command->add_option("--pool", o.pool.files,
                                          "texts that are no expert's, to tell the own prompts from; repeatable; "
                                          "default: the 371 that come with the program");
  pool->check(CLI::ExistingFile);
  command->add_option("--pool-text", o.pool.text_field, "field with the text of the pool's rows")
      ->capture_default_str()
      ->needs(pool);
  AddEmbeddingOption(*command, "refused, gates need them", flags->embedding);
  command->add_option("--out", o.out, "the gate's file to write")->required();
  command->add_option("--seed", o.seed, "of the draws of examples and pool, and of the clusters")
      ->capture_default_str();
  CLI::Option* source = command->add_option("--source", o.source, "name of the rows' source, recorded in the file");
  command->add_option("--licence", o.licence, "its SPDX identifier, likewise")->needs(source);
  command->add_flag("--skip-bad", flags->skip_bad, "leave bad rows out and count them, instead of failing");
  command->add_flag("--json", flags->json, "the report as JSON on stdout");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
