#include "router/offline/cascade_rows.h"

#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "policies/gate/options.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

constexpr std::array<const char*, 3> kSignalFields = {"answers", "probs", "tokens"};  // in the order of RowSignals
constexpr std::array kTextFields = {"prompt", "question", "instruction", "text", "turns"};
constexpr std::array kLabelFields = {"domain", "task", "category"};

Error Bad(std::string message) { return InvalidArgument("rows", std::move(message)); }

Result<std::vector<double>> Distribution(const json::value& value, const char* name) {
  const std::string what = "field \"" + std::string(name) + "\"";
  if (!value.is_array() || value.get_array().size() < 2) return Bad(what + " is not a list of two numbers or more");
  std::vector<double> p;
  for (const json::value& entry : value.get_array()) {
    if (!entry.is_number() || !(p.emplace_back(entry.to_number<double>()) >= 0)) {
      return Bad(what + " has an entry that is not a number at or above 0");
    }
  }
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  if (!(std::abs(sum - 1) <= 0.02)) return Bad(what + " sums to " + std::to_string(sum) + ", not to 1");
  for (double& entry : p) entry /= sum;  // rows are rounded
  return p;
}

Result<std::optional<double>> Dispersion(const json::object& token, const char* name) {
  const json::value* value = token.if_contains(name);
  if (value == nullptr) return std::optional<double>();
  if (!value->is_number()) return Bad("a token's " + std::string(name) + " is not a number");
  const double number = value->to_number<double>();
  if (!(number >= -1e-6 && number <= 1 + 1e-6)) return Bad("a token's " + std::string(name) + " is not in [0, 1]");
  return std::optional(number);
}

Result<TokenRecord> Token(const json::value& value) {
  const json::object* object = value.if_object();
  const json::value* logprob = object != nullptr ? object->if_contains("logprob") : nullptr;
  if (logprob == nullptr || !logprob->is_number()) return Bad("a token has no number \"logprob\"");
  TokenRecord token;
  token.logprob = logprob->to_number<double>();
  auto variance = Dispersion(*object, "variance"), entropy = Dispersion(*object, "entropy");
  if (!variance) return std::move(variance).error();
  if (!entropy) return std::move(entropy).error();
  token.variance = *variance;
  token.entropy = *entropy;
  const json::value* top = object->if_contains("top");
  if (top == nullptr) return token;
  if (!top->is_array()) return Bad("a token's \"top\" is not a list");
  for (const json::value& entry : top->get_array()) {
    if (!entry.is_number()) return Bad("a token's \"top\" has an entry that is not a number");
    token.top.push_back(entry.to_number<double>());
  }
  return token;
}

// Fills the row from its field; false where it lacks it (or has nothing in it).
Result<bool> ReadSignals(const TableRow& row, RowSignals signals, CascadeRow& out) {
  const char* name = kSignalFields[static_cast<std::size_t>(signals)];
  const json::value* value = row.Find(name);
  if (value == nullptr || (value->is_array() && value->get_array().empty())) return false;
  if (!value->is_array()) return Bad("field \"" + std::string(name) + "\" is not a list");
  if (signals == RowSignals::kProbs) {
    auto p = Distribution(*value, name);
    if (!p) return std::move(p).error();
    out.probs = *std::move(p);
    return true;
  }
  for (const json::value& entry : value->get_array()) {
    if (signals == RowSignals::kAnswers) {
      if (!entry.is_string()) return Bad("field \"answers\" has an entry that is not a string");
      out.answers.emplace_back(entry.get_string());
      continue;
    }
    auto token = Token(entry);
    if (!token) return std::move(token).error();
    out.tokens.push_back(*std::move(token));
  }
  return signals == RowSignals::kTokens || out.answers.size() >= 2;
}

class Reader {
 public:
  explicit Reader(const CascadeRowOptions& options) : options_(options), signals_(options.signals) {}

  Result<void> Add(const TableRow& row) {
    if (options_.range) {
      auto inside = InRange(row, *options_.range);
      if (!inside) return std::move(inside).error();
      if (!*inside) return {};
    }
    if (row.Find("contaminated") != nullptr) {
      const auto number = row.Number("contaminated");
      if (number && *number != 0) {
        ++result.contaminated;
        return {};
      }
    }
    if (auto chosen = ChooseSignals(row); !chosen) return chosen;
    CascadeRow read;
    auto has = ReadSignals(row, *signals_, read);
    if (!has) return std::move(has).error();
    if (!*has) {
      ++result.without;
      return {};
    }
    if (options_.scores) {
      auto weak = ScoreOf(row, {"weak", {options_.weak}}), strong = ScoreOf(row, {"strong", {options_.strong}});
      if (!weak) return std::move(weak).error();
      if (!strong) return std::move(strong).error();
      read.weak = *weak;
      read.strong = *strong;
    }
    if (auto options = ReadOptions(row, read); !options) return options;
    auto categories = options_.classify ? Classify(row, read) : Label(row, read);
    if (!categories) return categories;
    result.rows.push_back(std::move(read));
    return {};
  }

  CascadeRows Finish() {
    if (signals_) result.signals = *signals_;
    for (std::size_t r = 0; r < labels_.size(); ++r) {
      if (labels_[r]) {
        result.rows[r].categories.assign(result.categories.size(), 0);
        result.rows[r].categories[*labels_[r]] = 1;
      }
    }
    return std::move(result);
  }

  CascadeRows result;

 private:
  Result<void> ChooseSignals(const TableRow& row) {
    for (std::size_t s = 0; s < kSignalFields.size() && !signals_; ++s) {
      if (row.Find(kSignalFields[s]) != nullptr) signals_ = static_cast<RowSignals>(s);
    }
    if (!signals_) {
      return Bad(
          "none of the fields answers, probs and tokens (`pointsman evaluate answers` makes rows that have them)");
    }
    return {};
  }

  static Result<void> ReadOptions(const TableRow& row, CascadeRow& read) {
    if (read.probs.empty()) return {};
    if (const json::value* strong = row.Find("strong_probs")) {
      auto p = Distribution(*strong, "strong_probs");
      if (!p) return std::move(p).error();
      if (p->size() != read.probs.size()) return Bad("\"strong_probs\" and \"probs\" differ in length");
      read.strong_probs = *std::move(p);
    }
    const json::value* answer = row.Find("answer");
    if (answer == nullptr || !answer->is_string() || answer->get_string().size() != 1) return {};
    const auto option = static_cast<std::size_t>(answer->get_string()[0] - 'A');
    if (option < read.probs.size()) read.right = option;
    return {};
  }

  Result<void> Classify(const TableRow& row, CascadeRow& read) {
    const json::value* text = nullptr;
    if (!options_.text_field.empty()) {
      text = row.Find(options_.text_field);
    } else {
      for (const char* known : kTextFields) {
        if (text == nullptr) text = row.Find(known);
      }
    }
    if (text == nullptr || !text->is_string()) return Bad("no text to classify (--text names its field)");
    const policies::Evidence evidence = options_.classify(std::string_view(text->get_string()));
    if (result.categories.empty()) result.categories.assign(evidence.categories.begin(), evidence.categories.end());
    read.categories = evidence.probabilities;
    return {};
  }

  Result<void> Label(const TableRow& row, CascadeRow& /*read*/) {
    const json::value* value = nullptr;
    if (!options_.label_field.empty()) {
      auto text = row.Text(options_.label_field);
      if (!text) return std::move(text).error();
      value = row.Find(options_.label_field);
    } else {
      for (const char* known : kLabelFields) {
        if (value == nullptr) value = row.Find(known);
      }
    }
    labels_.resize(result.rows.size() + 1);
    if (value == nullptr || !value->is_string()) return {};
    const auto [entry, fresh] = numbers_.try_emplace(std::string(value->get_string()), result.categories.size());
    if (fresh) result.categories.push_back(entry->first);
    labels_.back() = entry->second;
    return {};
  }

  const CascadeRowOptions& options_;
  std::optional<RowSignals> signals_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<std::optional<std::size_t>> labels_;  // by row
};

}  // namespace

std::optional<RowSignals> RowSignalsNamed(std::string_view name) {
  for (std::size_t s = 0; s < kSignalFields.size(); ++s) {
    if (name == kSignalFields[s]) return static_cast<RowSignals>(s);
  }
  return std::nullopt;
}

Result<CascadeRows> ReadCascadeRows(const CascadeRowOptions& options) {
  Reader reader(options);
  const auto add = [&](const TableRow& row) { return reader.Add(row); };
  std::string files;
  for (const std::filesystem::path& file : options.files) {
    if (auto read = VisitTable(file, {}, add); !read) return std::move(read).error();
    files += (files.empty() ? "" : ", ") + file.string();
  }
  CascadeRows rows = reader.Finish();
  if (rows.rows.empty()) return Bad(files + ": no row is left");
  return rows;
}

gate::WeakSignals SignalsOf(const CascadeRow& row, std::size_t tokens) {
  gate::WeakSignals signals(tokens);
  for (const TokenRecord& token : row.tokens) {
    if (signals.complete()) break;
    signals.Add({token.logprob, token.variance, token.entropy, token.top});
  }
  if (tokens == 0 || row.tokens.size() <= tokens) signals.End();
  if (!row.probs.empty()) signals.SetOptions(row.probs);
  if (!row.answers.empty()) {
    const gate::Votes votes = gate::Agreement(row.answers);
    signals.SetVotes(votes.shares, votes.samples);
  }
  return signals;
}

policies::Evidence EvidenceOf(const CascadeRows& rows, const CascadeRow& row) {
  policies::Evidence evidence;
  if (row.categories.empty()) return evidence;
  evidence.categories = rows.categories;
  evidence.probabilities = row.categories;
  return evidence;
}

}  // namespace pointsman::offline
