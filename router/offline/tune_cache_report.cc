#include <boost/json.hpp>

#include "router/offline/format.h"
#include "router/offline/tune_cache.h"

namespace pointsman::offline {
namespace {

constexpr double kMarks[] = {0.9, 0.95, 0.98, 0.99, 0.995};

std::string Curves(std::span<const MatchVariant> variants, bool bound) {
  std::string text = Format("%-24s", bound ? "recall at precision >=" : "recall at precision");
  for (const double mark : kMarks) text += Format("  %6g", mark);
  text += '\n';
  for (const MatchVariant& variant : variants) {
    text += Format("%-24s", variant.name.c_str());
    for (const double mark : kMarks) {
      const v1::MatchPoint* point = PointFor(variant.curve, mark, bound);
      text += point == nullptr ? "       -" : Format("  %6.3f", point->recall());
    }
    text += '\n';
  }
  return text;
}

boost::json::array CurvesJson(std::span<const MatchVariant> variants) {
  boost::json::array list;
  for (const MatchVariant& variant : variants) {
    boost::json::array points;
    for (const double mark : kMarks) {
      for (const bool bound : {false, true}) {
        const v1::MatchPoint* point = PointFor(variant.curve, mark, bound);
        if (point == nullptr) continue;
        points.push_back({{"precision", mark},
                          {"with_confidence", bound},
                          {"threshold", point->threshold()},
                          {"measured", point->precision()},
                          {"recall", point->recall()}});
      }
    }
    list.push_back({{"name", variant.name}, {"points", std::move(points)}});
  }
  return list;
}

}  // namespace

std::string ReportText(const TuneCacheReport& report) {
  std::string text = Format("%zu questions of %zu answers", report.rows, report.answers);
  if (report.distinct > 0) text += Format(", and %zu distinct ones", report.distinct);
  text +=
      Format("; %zu may be matched (not foreign, at most %u bytes, read whole)\n", report.readable, report.max_bytes);
  if (report.duplicates > 0)
    text += Format("%llu duplicates left out\n", static_cast<unsigned long long>(report.duplicates));
  if (report.bad > 0) text += Format("%llu bad rows left out\n", static_cast<unsigned long long>(report.bad));
  text += "\nEach question asked of the others of its fold, by models that have seen neither:\n" +
          Curves(report.variants, false) + "\nThe same where the precision holds with 95 % confidence:\n" +
          Curves(report.variants, true);
  text += "\nWhat the guards forbid, of matches that were 95 % right without them:\n";
  for (const GuardFigures& figures : report.guards) {
    text += Format("%-24s  %6zu wrong  %6zu right\n", cache::NameOf(figures.guard), figures.wrong, figures.right);
  }
  const std::vector<v1::MatchPoint> useful = Useful(report.variants[0].curve);
  if (useful.empty()) {
    text += "\nNo threshold reaches any precision with confidence: the cache stays exact.\n";
  } else {
    text += Format("\nThe highest precision that a policy can ask for is %.4f.\n", useful.front().precision_bound());
  }
  text += Format("weights: answers %.3f, cosine %.3f, novelty %.3f, constant %.3f\n", report.weights[0],
                 report.weights[1], report.weights[2], report.weights[3]);
  text += Format("%s: %llu bytes, sha256 %s\n", report.out.c_str(), static_cast<unsigned long long>(report.bytes),
                 report.checksum.c_str());
  return text;
}

std::string ReportJson(const TuneCacheReport& report) {
  return boost::json::serialize(boost::json::object{{"rows", report.rows},
                                                    {"answers", report.answers},
                                                    {"distinct", report.distinct},
                                                    {"readable", report.readable},
                                                    {"max_bytes", report.max_bytes},
                                                    {"duplicates", report.duplicates},
                                                    {"bad", report.bad},
                                                    {"variants", CurvesJson(report.variants)},
                                                    {"weights", boost::json::value_from(report.weights)},
                                                    {"out", report.out.string()},
                                                    {"bytes", report.bytes},
                                                    {"checksum", report.checksum}});
}

std::string ReportText(const EvaluateCacheReport& report) {
  std::string text = Format("%zu questions, stored and asked by halves; wanted precision %g: threshold %.4f\n",
                            report.rows, report.precision, report.threshold);
  text += Format("%-36s  %7s  %7s  %7s  %9s  %6s\n", "", "asked", "matched", "right", "precision", "recall");
  for (const EvaluateCacheReport::Line& line : report.lines) {
    const auto share = [](std::size_t part, std::size_t whole) {
      return whole == 0 ? std::string("-") : Format("%.4f", static_cast<double>(part) / static_cast<double>(whole));
    };
    text += Format("%-36s  %7zu  %7zu  %7zu  %9s  %6s\n", line.name.c_str(), line.asked, line.matched, line.right,
                   share(line.right, line.matched).c_str(), share(line.right, line.asked).c_str());
  }
  text += "\nAt the threshold that would have been best for these rows:\n" + Curves(report.variants, false);
  if (!report.wrong.empty()) text += "\nWrong matches (asked | stored):\n";
  for (const std::string& wrong : report.wrong) text += "  " + wrong + "\n";
  return text;
}

std::string ReportJson(const EvaluateCacheReport& report) {
  boost::json::array lines;
  for (const EvaluateCacheReport::Line& line : report.lines) {
    lines.push_back({{"name", line.name}, {"asked", line.asked}, {"matched", line.matched}, {"right", line.right}});
  }
  return boost::json::serialize(boost::json::object{{"rows", report.rows},
                                                    {"distinct", report.distinct},
                                                    {"precision", report.precision},
                                                    {"threshold", report.threshold},
                                                    {"lines", std::move(lines)},
                                                    {"variants", CurvesJson(report.variants)},
                                                    {"wrong", boost::json::value_from(report.wrong)}});
}

}  // namespace pointsman::offline
