#include "router/cli/train_cascade.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "router/cli/cascade_options.h"
#include "router/cli/progress_bar.h"
#include "router/offline/train_cascade.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman train cascade --rows answers.jsonl --weak small --strong large --kind gain --out models/gate.pmg\n"
    "where a line has the weak answer's distribution, as `pointsman evaluate answers` writes it or as\n"
    "{\"probs\": [0.7, 0.1, 0.1, 0.1], \"domain\": \"law\", \"small_correct\": 1, \"large_correct\": 1}.\n"
    "Then name the file in the configuration: run: cascade, cascade: {expert: large, gate: models/gate.pmg,\n"
    "strong_share: 0.3}. docs/policies/cascade.md says more.";

struct Flags {
  offline::TrainCascadeOptions options;
  CascadeFlags cascade;
  std::string kind = "gain", range;
  bool json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman train cascade: %s\n", error.message.c_str());
  return 1;
}

int Run(Flags& flags) {
  offline::TrainCascadeOptions& options = flags.options;
  const auto range = offline::ParseHashRange(flags.range);
  if (!range) return Fail(range.error());
  options.rows.range = *range;
  options.kind = *gate::KindNamed(flags.kind);
  if (const auto applied = Apply(flags.cascade, options.rows); !applied) return Fail(applied.error());
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::TrainCascade(options);
  bar.Clear();
  if (!report) return Fail(report.error());
  const std::string text = flags.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterTrainCascade(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("cascade", "fit when a weak expert's answer is kept");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::TrainCascadeOptions& o = flags->options;
  command->add_option("--rows", o.rows.files, "JSON lines, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--out", o.out, "the gate to write")->required();
  command
      ->add_option("--kind", flags->kind,
                   "gain: what the strong expert's answer would be better by; logistic, mlp: whether the weak one's is "
                   "right")
      ->capture_default_str()
      ->check(CLI::IsMember({"logistic", "mlp", "gain"}));
  AddCascadeOptions(*command, o.rows, flags->cascade);
  command->add_option("--tokens", o.tokens, "N,M,...: tokens of the weak answer to read, the best is kept; 0 = all")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--cost-ratio", o.cost_ratio, "cost of a whole weak answer over that of a strong one")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--cost-weight", o.cost_weight,
                   "quality that a strong answer's cost is worth; default: the difference of the mean qualities")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--wait-weight", o.wait_weight, "quality that waiting for one more weak token is worth")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--h", flags->range, "LO:HI: only rows with LO <= int(h[:8], 16) % 100 < HI");
  command->add_option("--source", o.source, "name of the rows' source, recorded in the file");
  command->add_option("--licence", o.licence, "its SPDX identifier, likewise");
  command->add_flag("--json", flags->json, "the report as JSON on standard output");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
