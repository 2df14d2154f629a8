#include <boost/json.hpp>

#include "router/offline/evaluate_gates.h"
#include "router/offline/format.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

json::object FormJson(const GateFormFigures& f, bool joint) {
  json::object form = {
      {"form", f.name}, {"top1", f.top1}, {"top2", f.top2}, {"temperature", f.temperature}, {"ece", f.ece}};
  if (joint) {
    form["behind_joint"] = f.behind_joint;
    form["behind_joint_se"] = f.behind_joint_se;
  }
  return form;
}

}  // namespace

std::string EvaluationJson(const GatesEvaluation& e) {
  json::array forms;
  for (const GateFormFigures& form : e.forms) forms.push_back(FormJson(form, e.joint.has_value()));
  json::object report = {{"n", e.test_rows},
                         {"experts", json::value_from(e.experts)},
                         {"bad", e.bad},
                         {"forms", forms},
                         {"standard_error", e.standard_error},
                         {"merged_top1", 1.0 / static_cast<double>(e.experts.size())},
                         {"oracle_top1", 1.0},
                         {"gate_bytes", e.gate_bytes},
                         {"microseconds_p50", e.microseconds_p50},
                         {"microseconds_p99", e.microseconds_p99},
                         {"mean_bytes", e.mean_bytes}};
  if (e.joint) {
    report["joint"] = FormJson(*e.joint, false);
    report["train_n"] = e.rows;
    report["pool_n"] = e.pool_rows;
    report["add_seconds"] = e.add_seconds;
    report["pool_seconds"] = e.pool_seconds;
    report["joint_seconds"] = e.joint_seconds;
  }
  return json::serialize(report);
}

std::string EvaluationText(const GatesEvaluation& e) {
  std::string text;
  if (e.joint) {
    text += Format("%zu gates, each trained on its own rows (%zu in all) and %zu texts of the pool\n", e.experts.size(),
                   e.rows, e.pool_rows);
    text += Format("to add one expert: %.2f s (median); the pool, once: %.2f s; the joint classifier: %.1f s\n",
                   e.add_seconds, e.pool_seconds, e.joint_seconds);
  }
  if (e.bad > 0) text += Format("%llu bad rows left out\n", static_cast<unsigned long long>(e.bad));
  text += Format("%zu test rows of a mean %.0f bytes; %.1f us each (p99 %.1f), %.0f KB a gate\n\n", e.test_rows,
                 e.mean_bytes, e.microseconds_p50, e.microseconds_p99, e.gate_bytes / 1e3);
  text += Format("%-20s %7s %7s %12s %7s%s\n", "form", "top-1", "top-2", "temperature", "ECE",
                 e.joint ? "   behind joint (se)" : "");
  for (const GateFormFigures& f : e.forms) {
    text += Format("%-20s %5.1f %% %5.1f %% %12.3f %7.3f", f.name.c_str(), 100 * f.top1, 100 * f.top2, f.temperature,
                   f.ece);
    if (e.joint) text += Format("   %.1f (%.1f)", 100 * f.behind_joint, 100 * f.behind_joint_se);
    text += "\n";
  }
  if (e.joint) {
    text += Format("%-20s %5.1f %% %5.1f %% %12s %7.3f\n", "joint", 100 * e.joint->top1, 100 * e.joint->top2, "-",
                   e.joint->ece);
  }
  text += Format("%-20s %5.1f %%   one gate for all: every expert has the same logit, a draw decides\n", "merged",
                 100.0 / static_cast<double>(e.experts.size()));
  text += Format("%-20s %5.1f %%   by definition: the label names the expert\n", "oracle", 100.0);
  text += Format("standard error of a top-1: %.1f\n", 100 * e.standard_error);
  return text;
}

}  // namespace pointsman::offline
