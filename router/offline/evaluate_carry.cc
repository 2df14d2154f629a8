#include "router/offline/evaluate_carry.h"

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>

#include "router/classifier/gate_file.h"
#include "router/offline/format.h"
#include "router/offline/table.h"
#include "router/pipeline/gate_scores.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

Error Bad(const std::string& field, std::string message) { return InvalidArgument(field, std::move(message)); }

struct Conversation {
  std::vector<std::string> turns;
  std::vector<std::size_t> right;  // the expert of each turn
};

Result<std::vector<std::string>> Texts(const TableRow& row, const std::string& field) {
  const json::value* list = row.Find(field);
  if (list == nullptr) return Bad(field, "no field \"" + field + "\"");
  if (!list->is_array()) return Bad(field, "field \"" + field + "\" is not a list");
  std::vector<std::string> texts;
  for (const json::value& text : list->get_array()) {
    if (!text.is_string()) return Bad(field, "field \"" + field + "\" has an item that is no string");
    texts.emplace_back(std::string_view(text.get_string()));
  }
  return texts;
}

Result<Conversation> Read(const TableRow& row, const CarryOptions& o, const std::vector<std::string>& experts) {
  auto turns = Texts(row, o.turns_field);
  if (!turns) return std::move(turns).error();
  if (turns->size() < 2) return Bad(o.turns_field, "a conversation of one turn carries nothing: it needs two");
  std::vector<std::string> labels;
  const json::value* label = row.Find(o.label_field);
  if (label != nullptr && label->is_array()) {
    auto list = Texts(row, o.label_field);
    if (!list) return std::move(list).error();
    labels = *std::move(list);
  } else {
    auto one = row.Text(o.label_field);
    if (!one) return std::move(one).error();
    labels.assign(turns->size(), *one);
  }
  if (labels.size() != turns->size()) {
    return Bad(o.label_field,
               std::to_string(labels.size()) + " labels for " + std::to_string(turns->size()) + " turns");
  }
  Conversation conversation{*std::move(turns), {}};
  for (const std::string& name : labels) {
    const auto found = std::find(experts.begin(), experts.end(), name);
    if (found == experts.end()) return Bad(o.label_field, "no gate is that of \"" + name + "\"");
    conversation.right.push_back(static_cast<std::size_t>(found - experts.begin()));
  }
  return conversation;
}

// The expert of each turn.
std::vector<std::size_t> Route(const pipeline::PolicyGates& gates, double carry, const Conversation& conversation) {
  std::vector<std::size_t> chosen;
  v1::CompleteRequest request;
  policies::Evidence evidence;
  for (const std::string& turn : conversation.turns) {
    v1::Message& message = *request.add_messages();
    message.set_role(v1::ROLE_USER);
    message.add_parts()->set_text(turn);
    pipeline::ScoreByGates(gates, carry, request, gates.experts.size(), evidence);
    chosen.push_back(static_cast<std::size_t>(std::max_element(evidence.gates.begin(), evidence.gates.end()) -
                                              evidence.gates.begin()));
  }
  return chosen;
}

// Later turns, each once: whether the expert changed, and whether it is the right one.
struct Seen {
  std::vector<double> changed, hit;
};

CarryGroup GroupOf(const Seen& seen, const Seen& first) {
  CarryGroup group;
  group.turns = seen.hit.size();
  if (seen.hit.empty()) return group;
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  std::vector<double> over;
  for (std::size_t i = 0; i < seen.hit.size(); ++i) over.push_back(seen.hit[i] - first.hit[i]);
  group.changed = mean(seen.changed);
  group.hit = mean(seen.hit);
  group.over_first = mean(over);
  group.over_first_interval = BootstrapMean(over);
  return group;
}

json::object GroupJson(const CarryGroup& g) {
  return {{"turns", g.turns},
          {"changed", g.changed},
          {"hit", g.hit},
          {"over_first", g.over_first},
          {"over_first_ci95", json::array{g.over_first_interval.low, g.over_first_interval.high}}};
}

std::string GroupText(const CarryGroup& g) {
  if (g.turns == 0) return "  -";
  return Format("  %6.2f %%  %6.2f %%  %+6.2f [%.2f, %.2f]", 100 * g.changed, 100 * g.hit, 100 * g.over_first,
                100 * g.over_first_interval.low, 100 * g.over_first_interval.high);
}

}  // namespace

Result<CarryEvaluation> EvaluateCarry(const CarryOptions& options) {
  if (options.carries.empty()) return Bad("carry", "no --carry to measure");
  for (const double carry : options.carries) {
    if (!(carry >= 0 && carry < 1)) return Bad("carry", Format("--carry %g is not in [0, 1)", carry));
  }
  CarryEvaluation e;
  std::vector<classifier::GateFile> files;
  for (const std::filesystem::path& file : options.gates) {
    auto gate = classifier::ReadGate(file);
    if (!gate) return std::move(gate).error();
    if (std::find(e.experts.begin(), e.experts.end(), gate->expert()) != e.experts.end()) {
      return classifier::BadGate(file, "another file is a gate of \"" + gate->expert() + "\", too");
    }
    files.push_back({gate->expert(), file});
    e.experts.push_back(gate->expert());
  }
  if (e.experts.size() < 2) return Bad("gates", "one gate has nobody to be told from: name two or more");
  auto loaded = classifier::ExpertGates::Load(files, options.classifier, options.form);
  if (!loaded) return std::move(loaded).error();
  pipeline::PolicyGates gates{*std::move(loaded), std::vector<std::size_t>(e.experts.size())};
  std::iota(gates.experts.begin(), gates.experts.end(), std::size_t{0});

  std::vector<Conversation> conversations;
  for (const std::filesystem::path& file : options.rows) {
    const auto visit = [&](const TableRow& row) -> Result<void> {
      if (options.range) {
        auto hash = row.Text("h");
        if (!hash) return std::move(hash).error();
        auto inside = InRange(*hash, *options.range);
        if (!inside) return std::move(inside).error();
        if (!*inside) return {};
      }
      auto conversation = Read(row, options, e.experts);
      if (!conversation) return std::move(conversation).error();
      conversations.push_back(*std::move(conversation));
      return {};
    };
    if (auto read = VisitTable(file, {}, visit); !read) return std::move(read).error();
  }
  if (conversations.empty()) return Bad("rows", "there are no rows (--rows, --h)");
  e.rows = conversations.size();

  std::vector<Seen> same, other;
  for (const double carry : options.carries) {
    Seen &kept = same.emplace_back(), &left = other.emplace_back();
    double first = 0;
    for (const Conversation& conversation : conversations) {
      const std::vector<std::size_t> chosen = Route(gates, carry, conversation);
      first += chosen[0] == conversation.right[0] ? 1 : 0;
      for (std::size_t t = 1; t < chosen.size(); ++t) {
        Seen& seen = conversation.right[t] == conversation.right[t - 1] ? kept : left;
        seen.changed.push_back(chosen[t] != chosen[t - 1] ? 1 : 0);
        seen.hit.push_back(chosen[t] == conversation.right[t] ? 1 : 0);
      }
    }
    e.first_hit = first / static_cast<double>(e.rows);
    e.carries.push_back({carry, GroupOf(kept, same.front()), GroupOf(left, other.front())});
  }
  return e;
}

std::string CarryText(const CarryEvaluation& e) {
  const CarryFigures& first = e.carries.front();
  std::string text = Format("%zu gates, %zu conversations; the first turn's expert is right in %.2f %%\n",
                            e.experts.size(), e.rows, 100 * e.first_hit);
  text += Format("         %zu turns like the one before           %zu turns that need another expert\n",
                 first.same.turns, first.other.turns);
  text += Format("carry    changed     right    over carry %g          changed     right    over carry %g\n",
                 first.carry, first.carry);
  for (const CarryFigures& f : e.carries) {
    text += Format("%5.2f", f.carry) + GroupText(f.same) + "  " + GroupText(f.other) + "\n";
  }
  return text;
}

std::string CarryJson(const CarryEvaluation& e) {
  json::array carries;
  for (const CarryFigures& f : e.carries) {
    carries.push_back(json::object({{"carry", f.carry}, {"same", GroupJson(f.same)}, {"other", GroupJson(f.other)}}));
  }
  return json::serialize(json::object({{"n", e.rows},
                                       {"experts", json::value_from(e.experts)},
                                       {"first_hit", e.first_hit},
                                       {"carries", std::move(carries)}}));
}

}  // namespace pointsman::offline
