#include "router/cli/train_category.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "router/cli/progress_bar.h"
#include "router/offline/train_category.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman train category --artifact models/teams.pmc --rows payroll.jsonl --text body --label payroll \\\n"
    "      --out models/teams.pmc\n"
    "About 20 rows make a new category; rows of a known one are added to it. The rows of the others are not needed.";

struct Flags {
  offline::TrainCategoryOptions options;
  bool json = false;
};

int Run(Flags& flags) {
  ProgressBar bar;
  flags.options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto report = offline::TrainCategory(flags.options);
  bar.Clear();
  if (!report) {
    std::fprintf(stderr, "pointsman train category: %s\n", report.error().message.c_str());
    return 1;
  }
  const std::string text = flags.json ? offline::ReportJson(*report) + "\n" : offline::ReportText(*report);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterTrainCategory(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("category", "add a category to a classifier, from about 20 rows of it");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::TrainCategoryOptions& o = flags->options;
  o.rows.label_field.clear();
  command->add_option("--artifact", o.artifact, "the classifier to add to")->required()->check(CLI::ExistingFile);
  command->add_option("--rows", o.rows.files, "JSON lines, plain or gzip; repeatable")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--text", o.rows.text_field, "field with the text")->capture_default_str();
  CLI::Option* label = command->add_option("--label", o.label, "the category of all rows");
  command->add_option("--label-field", o.rows.label_field, "field with each row's category")->excludes(label);
  command->add_option("--out", o.out, "the artifact to write; may be that of --artifact")->required();
  CLI::Option* source = command->add_option("--source", o.source, "name of the rows' source, recorded in the artifact");
  command->add_option("--licence", o.licence, "its SPDX identifier, likewise")->needs(source);
  command->add_flag("--skip-bad", o.rows.skip_bad, "leave bad rows out and count them, instead of failing");
  command->add_flag("--json", flags->json, "the report as JSON on stdout");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
