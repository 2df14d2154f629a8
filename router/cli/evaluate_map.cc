// router/cli/evaluate_map.cc: `pointsman evaluate map`.
#include "router/offline/evaluate_map.h"

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "router/cli/evaluate.h"
#include "router/cli/progress_bar.h"
#include "router/cli/routing_options.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman evaluate map --experts experts.json --train outcomes.csv.gz --train-h 0:50 \\\n"
    "      --test outcomes.csv.gz --test-h 50:100 --questions questions.jsonl.gz --budget 30 --json\n"
    "experts.json: {\"experts\": [{\"name\": \"small\", \"active_billion\": 7}, ...]}\n"
    "outcomes: CSV with id, h, category, answer, pred:EXPERT..., or JSON lines with id, h, category (or task),\n"
    "question, scores: {EXPERT: 0..1}. All scores that are printed are in [0, 1]. docs/map.md says more.";

struct Flags {
  offline::EvaluateMapOptions options;
  RoutingFlags routing;
  bool json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman evaluate map: %s\n", error.message.c_str());
  return 1;
}

int Run(Flags& flags) {
  offline::EvaluateMapOptions& options = flags.options;
  if (auto read = ReadRoutingFlags(flags.routing, options); !read) return Fail(read.error());
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto evaluation = offline::EvaluateMap(options);
  bar.Clear();
  if (!evaluation) return Fail(evaluation.error());
  const std::string text =
      flags.json ? offline::EvaluationJson(*evaluation) + "\n" : offline::EvaluationText(*evaluation);
  std::fputs(text.c_str(), stdout);
  return 0;
}

void AddOptions(CLI::App& command, Flags& flags) {
  offline::EvaluateMapOptions& o = flags.options;
  AddRoutingOptions(command, o, flags.routing);
  command.add_option("--budget", o.budget, "mean active parameters a request, billions (mean price without these)")
      ->check(CLI::PositiveNumber);
  const std::map<std::string, offline::ScoreMethod> methods = {{"best", offline::ScoreMethod::kBest},
                                                               {"map", offline::ScoreMethod::kMap},
                                                               {"kernel", offline::ScoreMethod::kKernel},
                                                               {"mean", offline::ScoreMethod::kMean}};
  command.add_option("--method", o.method, "how scores are predicted; default: best, by cross-validation on --train")
      ->transform(CLI::CheckedTransformer(methods));
  command.add_flag("--json", flags.json, "one JSON object on standard output");
}

}  // namespace

void RegisterEvaluateMap(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("map", "category-to-expert routing from outcomes, under a budget");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  AddOptions(*command, *flags);
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
