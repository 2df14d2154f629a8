#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "router/cli/evaluate.h"
#include "router/cli/progress_bar.h"
#include "router/offline/tune_cache.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman evaluate cache --artifact models/faq.pmc --rows later.jsonl --label answer --precision 0.99\n"
    "The rows must not be those that the artifact was tuned on.";

struct Flags {
  offline::EvaluateCacheOptions options;
  bool json = false;
};

int Run(Flags& flags) {
  ProgressBar bar;
  flags.options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::EvaluateCache(flags.options);
  bar.Clear();
  if (!report) {
    std::fprintf(stderr, "pointsman evaluate cache: %s\n", report.error().message.c_str());
    return 1;
  }
  const std::string text = flags.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterEvaluateCache(CLI::App& group, int& exit_code) {
  CLI::App* command =
      group.add_subcommand("cache", "how often the semantic cache would find an answer, and a wrong one");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::EvaluateCacheOptions& o = flags->options;
  command->add_option("--artifact", o.artifact, "made by `pointsman cache tune`")->required()->check(CLI::ExistingFile);
  command->add_option("--rows", o.rows.files, "questions with answers, JSON lines, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--text", o.rows.text_field, "field with the question")->capture_default_str();
  command->add_option("--label", o.rows.label_field, "field that names its answer")->capture_default_str();
  command->add_option("--distinct", o.distinct, "questions no two of which have the same answer; repeatable")
      ->check(CLI::ExistingFile);
  command->add_option("--precision", o.precision, "share of the matches that shall be right")
      ->capture_default_str()
      ->check(CLI::Range(0.5, 0.9999));
  command->add_flag("--skip-bad", o.rows.skip_bad, "leave bad rows out and count them, instead of failing");
  command->add_flag("--json", flags->json, "the report as JSON on stdout");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
