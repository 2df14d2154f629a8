#include "router/cli/place.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "router/offline/placement.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman place --file cluster.json --copies 2\n"
    "where cluster.json is {\"hosts\": [{\"name\": \"gpu1\", \"memory_gb\": 80}, ...], \"experts\": [{\"name\": "
    "\"small\",\n"
    "\"memory_gb\": 16, \"rate\": 2.5, \"seconds\": 0.8}, ...], \"handoffs\": [{\"from\": \"small\", \"to\": "
    "\"large\", "
    "\"rate\": 0.4}]}:\n"
    "rate in requests a second, seconds that a request keeps a host busy. docs/map.md says what is minimised.";

struct Flags {
  std::filesystem::path file;
  offline::PlacementProblem settings;
  bool json = false;
};

int Run(const Flags& flags) {
  auto problem = offline::ReadPlacementFile(flags.file);
  if (problem) {
    problem->copies = flags.settings.copies;
    problem->handoff_price = flags.settings.handoff_price;
    problem->max_seconds = flags.settings.max_seconds;
  }
  const auto placement = problem ? offline::Place(*problem) : Result<offline::Placement>(problem.error());
  if (!placement) {
    std::fprintf(stderr, "pointsman place: %s\n", placement.error().message.c_str());
    return 1;
  }
  const std::string text =
      flags.json ? offline::PlacementJson(*problem, *placement) + "\n" : offline::PlacementText(*problem, *placement);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterPlace(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("place", "say which host should run which local expert");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  command->add_option("--file", flags->file, "hosts, experts and hand-offs, JSON")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--copies", flags->settings.copies, "of an expert, at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--handoff-price", flags->settings.handoff_price,
                   "what a hand-off a second between hosts is worth, in utilisation of the busiest host")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--seconds", flags->settings.max_seconds, "of solving")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--json", flags->json, "one JSON object on standard output");
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
