#include <boost/json.hpp>

#include "router/offline/format.h"
#include "router/offline/train_cascade.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

json::object Point(const gate::OperatingPoint& point) {
  return {{"threshold", point.threshold}, {"strong_share", point.strong_share}, {"quality", point.quality}};
}

}  // namespace

std::string ReportJson(const TrainCascadeReport& r) {
  json::array candidates, targets;
  for (const CascadeCandidate& c : r.candidates) {
    json::object candidate = {{"tokens", c.tokens},         {"auroc", c.auroc}, {"apgr", c.apgr},
                              {"read_share", c.read_share}, {"wait", c.wait},   {"best", Point(c.best)},
                              {"worth", c.worth},           {"cost", c.cost}};
    if (r.gate.kind != gate::GateKind::kGain) candidate["ece"] = c.ece;
    candidates.push_back(std::move(candidate));
  }
  for (const TargetRow& t : r.targets) {
    json::object target = {{"target", t.target}};
    if (t.point) {
      target["point"] = Point(*t.point);
      target["saving"] = t.saving;
    }
    targets.push_back(std::move(target));
  }
  const json::object report = {{"rows", r.rows},
                               {"without_signals", r.without},
                               {"contaminated", r.contaminated},
                               {"kind", std::string(Name(r.gate.kind))},
                               {"source", r.source},
                               {"weak", r.weak},
                               {"strong", r.strong},
                               {"weak_quality", r.gate.weak_quality},
                               {"strong_quality", r.gate.strong_quality},
                               {"cost_weight", r.cost_weight},
                               {"candidates", candidates},
                               {"tokens", r.gate.tokens},
                               {"targets", targets},
                               {"categories", r.gate.categories.size()},
                               {"seconds", r.seconds},
                               {"artifact", r.out.string()},
                               {"checksum", r.checksum}};
  return json::serialize(report);
}

std::string ReportText(const TrainCascadeReport& r) {
  std::string text = Format("%s: %s gate on %s, %zu rows, %.1f s\n", r.out.c_str(),
                            std::string(Name(r.gate.kind)).c_str(), r.source.c_str(), r.rows, r.seconds);
  if (r.without > 0) {
    text += Format("left out without a distribution: %llu rows\n", static_cast<unsigned long long>(r.without));
  }
  if (r.contaminated > 0) {
    text += Format("left out as contaminated: %llu rows\n", static_cast<unsigned long long>(r.contaminated));
  }
  text += Format("weak    %.4f  %s\nstrong  %.4f  %s\n\n", r.gate.weak_quality, r.weak.c_str(), r.gate.strong_quality,
                 r.strong.c_str());
  text += "Each row judged by fits without it (5 folds):\n";
  text += Format("%8s %7s %7s %7s %7s %7s   %9s %7s %7s %7s\n", "tokens", "AUROC", "ECE", "APGR", "read", "wait",
                 "threshold", "strong", "quality", "worth");
  for (std::size_t i = 0; i < r.candidates.size(); ++i) {
    const CascadeCandidate& c = r.candidates[i];
    const std::string tokens = c.tokens == 0 ? "all" : std::to_string(c.tokens);
    const std::string ece = r.gate.kind == gate::GateKind::kGain ? "-" : Format("%.4f", c.ece);
    text += Format("%8s %7.4f %7s %7.4f %6.1f%% %7.1f   %9.4f %6.1f%% %7.4f %7.4f%s\n", tokens.c_str(), c.auroc,
                   ece.c_str(), c.apgr, 100 * c.read_share, c.wait, c.best.threshold, 100 * c.best.strong_share,
                   c.best.quality, c.worth, i == r.chosen ? "  <- chosen" : "");
  }
  text +=
      Format("worth = quality - %.4f * cost (in strong answers) - wait's part: the largest of all thresholds and N\n\n",
             r.cost_weight);
  text += Format("%-20s %9s %9s %9s %9s\n", "target", "threshold", "strong", "quality", "saving");
  for (const TargetRow& t : r.targets) {
    if (!t.point) {
      text += Format("%-20s %9s\n", t.target.c_str(), "not reached");
      continue;
    }
    text += Format("%-20s %9.4f %8.1f%% %9.4f %8.1f%%\n", t.target.c_str(), t.point->threshold,
                   100 * t.point->strong_share, t.point->quality, 100 * t.saving);
  }
  return text + Format("\nchecksum %s\n", r.checksum.c_str());
}

}  // namespace pointsman::offline
