// router/cli/evaluate_policies.cc: `pointsman evaluate policies`.
#include "router/offline/evaluate_policies.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "router/cli/evaluate.h"
#include "router/cli/progress_bar.h"
#include "router/cli/routing_options.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman evaluate policies --experts experts.json --train outcomes.csv.gz --train-h 0:50 \\\n"
    "      --test outcomes.csv.gz --test-h 50:100 --questions questions.jsonl.gz --budget 8,20,30 --html "
    "policies.html\n"
    "experts.json: {\"experts\": [{\"name\": \"small\", \"active_billion\": 7}, ...]}\n"
    "outcomes: CSV with id, h, category, answer, pred:EXPERT...; or JSON lines with id, h, question or prompt, "
    "models:\n"
    "{EXPERT: {correct, and pred, output or solution}}, whose texts need no --questions. With --top-p, which asks only "
    "how many categories' "
    "experts\n"
    "a top-p set needs, any outcome rows with texts. docs/policies/README.md and docs/policies/top-p.md say more.";

struct Flags {
  offline::EvaluatePoliciesOptions options;
  RoutingFlags routing;
  std::string html;
  bool json = false;
};

int Fail(const Error& error) {
  std::fprintf(stderr, "pointsman evaluate policies: %s\n", error.message.c_str());
  return 1;
}

int Run(Flags& flags) {
  offline::EvaluatePoliciesOptions& options = flags.options;
  if (auto read = ReadRoutingFlags(flags.routing, options); !read) return Fail(read.error());
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto evaluation = offline::EvaluatePolicies(options);
  bar.Clear();
  if (!evaluation) return Fail(evaluation.error());
  if (!flags.html.empty()) {
    std::ofstream page(flags.html, std::ios::binary);
    page << offline::PoliciesPage(*evaluation);
    page.close();
    if (!page) return Fail(InvalidArgument("html", flags.html + ": the page cannot be written"));
  }
  const std::string text = flags.json ? offline::PoliciesJson(*evaluation) + "\n" : offline::PoliciesText(*evaluation);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterEvaluatePolicies(CLI::App& group, int& exit_code) {
  CLI::App* command = group.add_subcommand("policies", "maps, top-p sets, votes and cascades at equal cost");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  offline::EvaluatePoliciesOptions& o = flags->options;
  AddRoutingOptions(*command, o, flags->routing);
  command->add_option("--budget", o.budgets, "B,...: mean active parameters, billions, to compare at; default: six")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  command->add_option("--mass", o.top_p.masses, "P,...: of the top-p sets; default: 0.2 to 0.9")->delimiter(',');
  command->add_option("--most", o.top_p.most, "cap of the top-p sets")->capture_default_str();
  command->add_option("--mean-experts", o.top_p.mean_experts, "the target of the controller that is simulated")
      ->capture_default_str();
  command->add_option("--null", o.null_scores, "SCORE,...: of null experts that take part in sets of three")
      ->delimiter(',');
  command->add_flag("--top-p", o.top_p_only, "only top-p sets of the categories' experts");
  command->add_option("--html", flags->html, "a page with the frontier to write");
  command->add_flag("--json", flags->json, "one JSON object on standard output");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
