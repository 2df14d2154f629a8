// router/cli/evaluate_cascade.cc: `pointsman evaluate cascade`.
#include "router/offline/evaluate_cascade.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "router/cli/cascade_options.h"
#include "router/cli/evaluate.h"
#include "router/cli/progress_bar.h"
#include "router/offline/early_decision.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Examples:\n"
    "  pointsman evaluate cascade --train rows.jsonl.gz --train-h 0:50 --test rows.jsonl.gz --test-h 50:100 \\\n"
    "      --weak small --strong large --html cascade.html\n"
    "  pointsman evaluate cascade --generations answers.jsonl --tokens 8,16,32\n"
    "The second one asks how early a gate that reads tokens can decide. docs/policies/cascade.md says what the "
    "figures\n"
    "mean, and what the rows are.";

struct Flags {
  offline::EvaluateCascadeOptions options;
  offline::EarlyDecisionOptions early;
  CascadeFlags cascade;
  std::vector<std::size_t> tokens;
  std::string train_h, test_h, html;
  bool json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman evaluate cascade: %s\n", error.message.c_str());
  return 1;
}

int Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

int RunEarly(Flags& flags) {
  if (!flags.tokens.empty()) flags.early.tokens = flags.tokens;
  const auto report = offline::EvaluateEarlyDecision(flags.early);
  if (!report) return Fail(report.error());
  return Print(flags.json ? offline::EarlyDecisionJson(*report) + "\n" : offline::EarlyDecisionText(*report));
}

int Run(Flags& flags) {
  offline::EvaluateCascadeOptions& options = flags.options;
  const auto train = offline::ParseHashRange(flags.train_h), test = offline::ParseHashRange(flags.test_h);
  if (!train) return Fail(train.error());
  if (!test) return Fail(test.error());
  if (const auto applied = Apply(flags.cascade, options.train); !applied) return Fail(applied.error());
  std::vector<std::filesystem::path> files = std::move(options.test.files);
  options.test = options.train;
  options.test.files = std::move(files);
  options.train.range = *train;
  options.test.range = *test;
  if (flags.tokens.size() > 1) {
    return Fail(InvalidArgument("tokens", "--tokens takes one number here; several go with --generations"));
  }
  if (!flags.tokens.empty()) options.tokens = flags.tokens.front();
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::EvaluateCascade(options);
  bar.Clear();
  if (!report) return Fail(report.error());
  if (!flags.html.empty()) {
    std::ofstream page(flags.html, std::ios::binary);
    page << offline::CascadePage(*report);
    page.close();
    if (!page) return Fail(InvalidArgument("html", flags.html + ": the page cannot be written"));
  }
  return Print(flags.json ? offline::CascadeReportJson(*report) + "\n" : offline::CascadeReportText(*report));
}

}  // namespace

void RegisterEvaluateCascade(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("cascade", "when to keep a weak expert's answer: AUROC, APGR, cost curves");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::EvaluateCascadeOptions& o = flags->options;
  CLI::Option* train = command->add_option("--train", o.train.files, "rows to fit on; repeatable");
  CLI::Option* test = command->add_option("--test", o.test.files, "rows to measure on; repeatable");
  train->check(CLI::ExistingFile)->needs(test);
  test->check(CLI::ExistingFile)->needs(train);
  CLI::Option* generations =
      command->add_option("--generations", flags->early.rows.files, "answers with tokens: how early can be decided");
  generations->check(CLI::ExistingFile)->excludes(train);
  command->add_option("--train-h", flags->train_h, "LO:HI: only training rows with LO <= int(h[:8], 16) % 100 < HI");
  command->add_option("--test-h", flags->test_h, "LO:HI: likewise, of the test rows");
  AddCascadeOptions(*command, o.train, flags->cascade);
  command
      ->add_option("--tokens", flags->tokens,
                   "tokens of the weak answer that are read; default: all, and 8,16,32 with --generations")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  command->add_option("--strong-share", flags->early.strong_share, "with --generations: share of answers that escalate")
      ->capture_default_str()
      ->needs(generations)
      ->check(CLI::Range(0.01, 0.99));
  command->add_option("--cost-ratio", o.cost_ratio, "cost of a weak answer over that of a strong one")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--resamples", o.resamples, "of the bootstrap")
      ->capture_default_str()
      ->check(CLI::Range(10, 100000));
  command->add_option("--seed", o.seed, "of the bootstrap and of the draws")->capture_default_str();
  command->add_option("--html", flags->html, "a page with the curves to write");
  command->add_flag("--json", flags->json, "one JSON object on standard output");
  command->callback([flags, generations, train, &exit_code] {
    if (generations->empty() && train->empty()) throw CLI::RequiredError("--train and --test, or --generations");
    exit_code = generations->empty() ? Run(*flags) : RunEarly(*flags);
  });
}

}  // namespace pointsman::cli
