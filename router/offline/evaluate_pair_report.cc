#include <boost/json.hpp>
#include <cmath>

#include "router/offline/evaluate_pair.h"
#include "router/offline/format.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

constexpr std::size_t kCurvePoints = 100;  // of the printed curve, beside its ends

// The point of the exact curve at `share`, between its points.
CurvePoint At(const std::vector<CurvePoint>& curve, double share) {
  std::size_t i = 1;
  while (i + 1 < curve.size() && curve[i].strong_share < share) ++i;
  const CurvePoint &from = curve[i - 1], &to = curve[i];
  const double part = (share - from.strong_share) / (to.strong_share - from.strong_share);
  return {share, from.recovered + part * (to.recovered - from.recovered), to.threshold};
}

json::array Interval(const Spread& spread) { return {spread.low, spread.high}; }

std::string Join(const std::vector<std::string>& names, const char* otherwise) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? otherwise : text;
}

}  // namespace

std::string PairReportJson(const PairReport& r) {
  json::array curve, stack;
  for (std::size_t i = 0; i <= kCurvePoints; ++i) {
    const CurvePoint point = At(r.curve, static_cast<double>(i) / kCurvePoints);
    curve.push_back({{"strong_share", point.strong_share}, {"pgr", point.recovered}});
  }
  for (const StackWeight& weight : r.stack) {
    stack.push_back({{"regression", weight.name}, {"in_mean", weight.in_mean}, {"in_gain", weight.in_deviation}});
  }
  const json::object report = {{"apgr", r.figures.apgr},
                               {"cpt50", r.figures.cpt50},
                               {"cpt80", r.figures.cpt80},
                               {"apgr_sd", r.spreads.apgr.deviation},
                               {"apgr_95", Interval(r.spreads.apgr)},
                               {"cpt50_sd", r.spreads.cpt50.deviation},
                               {"cpt50_95", Interval(r.spreads.cpt50)},
                               {"cpt80_sd", r.spreads.cpt80.deviation},
                               {"cpt80_95", Interval(r.spreads.cpt80)},
                               {"resamples", r.spreads.resamples},
                               {"n", r.n},
                               {"weak", r.weak_quality},
                               {"strong", r.strong_quality},
                               {"oracle", r.oracle_quality},
                               {"oracle_apgr", r.oracle_apgr},
                               {"train_n", r.train_n},
                               {"weak_names", json::value_from(r.weak)},
                               {"strong_names", json::value_from(r.strong)},
                               {"contaminated", r.contaminated},
                               {"train_contaminated", r.train_contaminated},
                               {"shared_texts", r.shared},
                               {"train_seconds", r.train_seconds},
                               {"predict_microseconds", r.predict_microseconds},
                               {"stack", stack},
                               {"curve", curve}};
  return json::serialize(report);
}

std::string PairReportText(const PairReport& r) {
  std::string text;
  text += Format("trained on %zu rows in %.1f s; tested on %zu rows, %.1f us each\n", r.train_n, r.train_seconds, r.n,
                 r.predict_microseconds);
  if (r.contaminated + r.train_contaminated > 0) {
    text +=
        Format("left out as contaminated: %llu training, %llu test rows\n",
               static_cast<unsigned long long>(r.train_contaminated), static_cast<unsigned long long>(r.contaminated));
  }
  if (r.shared > 0) text += Format("warning: %zu test rows have the text of a training row\n", r.shared);
  text += Format("\nweak    %8.4f  %s\n", r.weak_quality, Join(r.weak, "weak").c_str());
  text += Format("strong  %8.4f  %s\n", r.strong_quality, Join(r.strong, "strong").c_str());
  text += Format("oracle  %8.4f  the better one of each row\n\n", r.oracle_quality);
  const auto figure = [&](const char* name, double value, const Spread& spread) {
    text +=
        Format("%s  %.4f  (sd %.4f, 95 %%: %.4f to %.4f)\n", name, value, spread.deviation, spread.low, spread.high);
  };
  figure("APGR ", r.figures.apgr, r.spreads.apgr);
  figure("CPT50", r.figures.cpt50, r.spreads.cpt50);
  figure("CPT80", r.figures.cpt80, r.spreads.cpt80);
  text += Format("APGR of a random order: 0.5; of the oracle: %.4f\n\nstrong calls  gap recovered\n", r.oracle_apgr);
  for (int tenth = 0; tenth <= 10; ++tenth) {
    text += Format("%9d %%  %11.1f %%\n", 10 * tenth, 100 * At(r.curve, tenth / 10.0).recovered);
  }
  text += Format("\nweights of the regressions  in the gain\n");
  for (const StackWeight& weight : r.stack) text += Format("%-36s %.3f\n", weight.name.c_str(), weight.in_deviation);
  return text;
}

}  // namespace pointsman::offline
