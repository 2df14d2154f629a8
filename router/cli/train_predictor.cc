#include "router/cli/train_predictor.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "router/cli/embedding_option.h"
#include "router/cli/progress_bar.h"
#include "router/offline/train_predictor.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman train predictor --rows outcomes.jsonl.gz --experts small,large --out models/quality.pmp\n"
    "where a line is {\"prompt\": \"...\", \"category\": \"law\", \"scores\": {\"small\": 0, \"large\": 1}}.\n"
    "Then name the file in the configuration: policies: {best: {score: predictor, artifact: models/quality.pmp}}";

struct Flags {
  offline::TrainPredictorOptions options;
  std::string range, embedding;
  bool json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman train predictor: %s\n", error.message.c_str());
  return 1;
}

int Run(Flags& flags) {
  const auto range = offline::ParseHashRange(flags.range);
  if (!range) return Fail(range.error());
  flags.options.range = *range;
  auto embedding = ChosenEmbedding(flags.embedding);
  if (!embedding) return Fail(embedding.error());
  flags.options.fit.embedding = *std::move(embedding);
  ProgressBar bar;
  flags.options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::TrainPredictor(flags.options);
  bar.Clear();
  if (!report) return Fail(report.error());
  const std::string text = flags.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterTrainPredictor(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("predictor", "learn each expert's expected quality from scored rows");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::TrainPredictorOptions& o = flags->options;
  command->add_option("--rows", o.rows, "JSON lines or CSV, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--out", o.out, "the artifact to write")->required();
  command->add_option("--experts", o.experts, "names in the rows, A,B,...; default: all of the first row")
      ->delimiter(',');
  command->add_option("--text", o.text_field,
                      "field with the text; default: prompt, question, instruction, text or turns (the first turn)");
  command->add_option("--label", o.label_field,
                      "field with the row's topic; default: domain, task or category, when there is one");
  AddEmbeddingOption(*command, "words and statistics alone", flags->embedding);
  command->add_option("--h", flags->range, "LO:HI: only rows with LO <= int(h[:8], 16) % 100 < HI");
  command->add_option("--source", o.source, "name of the rows' source, recorded in the artifact");
  command->add_option("--licence", o.licence, "its SPDX identifier, likewise");
  command->add_flag("--json", flags->json, "the report as JSON on standard output");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
