#include "router/cli/map.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "router/cli/progress_bar.h"
#include "router/offline/build_map.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman map --outcomes outcomes.csv.gz --experts experts.json --max-active 30 --out map.json --html map.html\n"
    "outcomes: CSV with category, answer, pred:EXPERT...; or JSON lines with category, scores: {EXPERT: 0..1}; or\n"
    "either with category, expert, score. experts.json: {\"experts\": [{\"name\": \"small\", \"active_billion\": 7,\n"
    "\"total_billion\": 7, \"price\": 0.2, \"p95_ms\": 900, \"licence\": \"Apache-2.0\", \"regions\": [\"eu\"]}, "
    "...]}\n"
    "Then in the configuration: policies: {by_topic: {score: category_map, map: map.json}}";

struct Flags {
  offline::MapOptions options;
  std::string range, out, html;
  std::vector<std::string> share;
  bool json = false;
};

int Fail(const std::string& message) {
  std::fprintf(stderr, "pointsman map: %s\n", message.c_str());
  return 1;
}

// What went wrong, or "".
std::string Write(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  return out ? "" : file + ": cannot be written";
}

// "CATEGORY=WEIGHT"; what is wrong, or "".
std::string ReadShare(const std::string& text, std::map<std::string, double>& shares) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return "--share " + text + " is not CATEGORY=WEIGHT";
  char* end = nullptr;
  const std::string number = text.substr(equals + 1);
  const double weight = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0') return "--share " + text + " is not CATEGORY=WEIGHT";
  shares[text.substr(0, equals)] = weight;
  return "";
}

int Run(Flags& flags) {
  offline::MapOptions& options = flags.options;
  const auto range = offline::ParseHashRange(flags.range);
  if (!range) return Fail(range.error().message);
  options.range = *range;
  for (const std::string& share : flags.share) {
    if (std::string wrong = ReadShare(share, options.share); !wrong.empty()) return Fail(wrong);
  }
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, double share) { bar.Show(stage, share); };
  const auto map = offline::BuildMap(options);
  bar.Clear();
  if (!map) return Fail(map.error().message);
  std::string wrong;
  if (!flags.out.empty()) wrong = Write(flags.out, offline::MapFileText(*map));
  if (wrong.empty() && !flags.html.empty()) wrong = Write(flags.html, offline::MapPage(*map));
  if (!wrong.empty()) return Fail(wrong);
  std::fputs((flags.json ? offline::MapJson(*map) + "\n" : offline::MapText(*map)).c_str(), stdout);
  return 0;
}

void AddOptions(CLI::App& command, Flags& flags) {
  offline::MapOptions& o = flags.options;
  command.add_option("--outcomes", o.outcomes, "which expert answered what how well")
      ->required()
      ->check(CLI::ExistingFile);
  command.add_option("--experts", o.experts, "JSON with sizes, prices, ...; default: the names in the outcomes")
      ->check(CLI::ExistingFile);
  command.add_option("--h", flags.range, "LO:HI: only rows with LO <= int(h[:8], 16) % 100 < HI");
  command.add_option("--max-deployed", o.max_deployed, "billions of parameters, sum over the experts used")
      ->check(CLI::PositiveNumber);
  command.add_option("--max-active", o.max_active, "billions of active parameters, mean over the traffic")
      ->check(CLI::PositiveNumber);
  command.add_option("--max-price", o.max_price, "US dollars per million tokens, mean over the traffic")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--max-p95", o.max_p95_ms, "milliseconds, of each expert")->check(CLI::PositiveNumber);
  command.add_option("--licence", o.licences, "allowed licence (SPDX); may be repeated");
  command.add_option("--region", o.regions, "allowed region; may be repeated");
  command.add_option("--min-share", o.min_share, "of the traffic, for each expert used")->capture_default_str();
  command.add_option("--share", flags.share, "CATEGORY=WEIGHT of the traffic, for every category; default: the rows'");
  command.add_option("--fallbacks", o.fallbacks, "experts after the first, at most")
      ->check(CLI::Range(0, 63))
      ->capture_default_str();
  command.add_option("--points", o.points, "of each frontier")->check(CLI::Range(2, 200))->capture_default_str();
  command.add_option("--delta", o.delta, "billions by which limits are raised for the shadow prices")
      ->capture_default_str();
  command.add_option("--seconds", o.max_seconds, "of solving, for each limit")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--out", flags.out, "the map file to write");
  command.add_option("--html", flags.html, "a page with the frontiers to write");
  command.add_flag("--json", flags.json, "the report as JSON on standard output");
}

}  // namespace

void RegisterMap(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("map", "make the best category-to-expert map within limits from outcomes");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  AddOptions(*command, *flags);
  command->callback([flags, &exit_code] { exit_code = Run(*flags); });
}

}  // namespace pointsman::cli
