#include "router/cli/cache_tune.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "router/cli/embedding_option.h"
#include "router/cli/progress_bar.h"
#include "router/offline/tune_cache.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman cache tune --rows faq.jsonl.gz --label answer --out models/faq.pmc\n"
    "where faq.jsonl.gz has lines like {\"text\": \"is my card on its way?\", \"answer\": \"card_arrival\"}: questions "
    "with\n"
    "equal labels must be served by one answer. Then name the file in a policy of the configuration:\n"
    "  cache: {semantic: {matcher: models/faq.pmc, precision: 0.99}}";

struct Flags {
  offline::TuneCacheOptions options;
  std::string embedding;
  bool json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman cache tune: %s\n", error.message.c_str());
  return 1;
}

int Run(Flags& flags) {
  offline::TuneCacheOptions& options = flags.options;
  auto embedding = ChosenEmbedding(flags.embedding);
  if (!embedding) return Fail(embedding.error());
  options.fit.embedding = *std::move(embedding);
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::TuneCache(options);
  bar.Clear();
  if (!report) return Fail(report.error());
  const std::string text = flags.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterCacheTune(CLI::App& group, int& exit_code) {
  CLI::App* command =
      group.add_subcommand("tune", "learn when one answer serves two questions, for the semantic cache");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::TuneCacheOptions& o = flags->options;
  command->add_option("--rows", o.rows.files, "questions with answers, JSON lines, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--text", o.rows.text_field, "field with the question")->capture_default_str();
  command->add_option("--label", o.rows.label_field, "field that names its answer")->capture_default_str();
  command->add_option("--distinct", o.distinct, "questions no two of which have the same answer; repeatable")
      ->check(CLI::ExistingFile);
  AddEmbeddingOption(*command, "refused, matching needs them", flags->embedding);
  command->add_option("--folds", o.fit.folds, "parts of the rows that are asked of one another, by models without them")
      ->capture_default_str();
  command->add_option("--seed", o.fit.linear.seed, "of the order of rows and of dropout")->capture_default_str();
  command->add_option("--out", o.out, "the artifact to write")->required();
  command->add_flag("--skip-bad", o.rows.skip_bad, "leave bad rows out and count them, instead of failing");
  command->add_flag("--json", flags->json, "the report as JSON on stdout");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
