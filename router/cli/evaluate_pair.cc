// router/cli/evaluate_pair.cc: `pointsman evaluate pair`.
#include "router/offline/evaluate_pair.h"

#include <cstdio>
#include <memory>
#include <string>

#include "router/cli/embedding_option.h"
#include "router/cli/evaluate.h"
#include "router/cli/progress_bar.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman evaluate pair --train outcomes.jsonl.gz --train-h 0:50 --test outcomes.jsonl.gz --test-h 50:100 "
    "--json\n"
    "where a line is {\"prompt\": \"...\", \"domain\": \"law\", \"weak_correct\": 0, \"strong_correct\": 1}, or has\n"
    "scores: {EXPERT: number or [a number a turn]}, with --weak EXPERT,... --strong EXPERT,...\n"
    "APGR is the area under the share of the quality gap recovered against the share of strong calls (random: 0.5),\n"
    "CPT50 the share of strong calls that recovers half of the gap. docs/predictor.md says more.";

struct Flags {
  offline::EvaluatePairOptions options;
  std::string train_h, test_h, embedding;
  bool json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman evaluate pair: %s\n", error.message.c_str());
  return 1;
}

int Run(Flags& flags) {
  offline::EvaluatePairOptions& options = flags.options;
  const auto train = offline::ParseHashRange(flags.train_h), test = offline::ParseHashRange(flags.test_h);
  if (!train) return Fail(train.error());
  if (!test) return Fail(test.error());
  options.train_range = *train;
  options.test_range = *test;
  auto embedding = ChosenEmbedding(flags.embedding);
  if (!embedding) return Fail(embedding.error());
  options.fit.embedding = *std::move(embedding);
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::EvaluatePair(options);
  bar.Clear();
  if (!report) return Fail(report.error());
  const std::string text = flags.json ? offline::PairReportJson(*report) + "\n" : offline::PairReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

void AddOptions(CLI::App& command, Flags& flags) {
  offline::EvaluatePairOptions& o = flags.options;
  command.add_option("--train", o.train, "rows to learn from; repeatable")->required()->check(CLI::ExistingFile);
  command.add_option("--test", o.test, "rows to measure on; repeatable")->required()->check(CLI::ExistingFile);
  command.add_option("--train-h", flags.train_h, "LO:HI: only training rows with LO <= int(h[:8], 16) % 100 < HI");
  command.add_option("--test-h", flags.test_h, "LO:HI: likewise, of the test rows");
  command.add_option("--train-rows", o.train_rows, "draw so many of the training rows; default: all")
      ->check(CLI::PositiveNumber);
  command.add_option("--seed", o.seed, "of that draw and of the bootstrap")->capture_default_str();
  command.add_option("--weak", o.weak, "names of the weak side, A,B,...; a row counts those that it has")
      ->delimiter(',');
  command.add_option("--strong", o.strong, "names of the strong side")->delimiter(',');
  command.add_option("--text", o.text_field,
                     "field with the text; default: prompt, question, instruction, text or turns (the first turn)");
  command.add_option("--label", o.label_field,
                     "field with the training row's topic; default: domain, task or category, when there is one");
  AddEmbeddingOption(command, "words and statistics alone", flags.embedding);
  command.add_option("--resamples", o.resamples, "of the bootstrap")
      ->capture_default_str()
      ->check(CLI::Range(10, 100000));
  command.add_flag("--json", flags.json, "one JSON object on standard output");
}

}  // namespace

void RegisterEvaluatePair(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("pair", "routing between a weak and a strong expert: APGR, CPT");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  AddOptions(*command, *flags);
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
