#include "router/offline/outcomes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "policies/gate/options.h"
#include "router/offline/table.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

constexpr std::string_view kPrediction = "pred:", kNoAnswer = "-", kOneCategory = "all";
constexpr float kNotAsked = std::numeric_limits<float>::quiet_NaN();

Error Bad(std::string message) { return InvalidArgument("rows", std::move(message)); }

enum class Form { kMatrix, kScores, kModels, kLong };

Result<Form> FormOf(const TableRow& row) {
  if (row.Find("scores") != nullptr) return Form::kScores;
  if (row.Find("models") != nullptr) return Form::kModels;
  if (row.Find("expert") != nullptr && row.Find("score") != nullptr) return Form::kLong;
  for (const auto& field : row.fields) {
    if (std::string_view(field.key()).starts_with(kPrediction)) return Form::kMatrix;
  }
  return Bad("no outcomes: neither pred:EXPERT columns, nor \"scores\", \"models\", nor \"expert\" and \"score\"");
}

// What an expert of the models form answered, as votes count it; "" = nothing was found.
Result<std::string> AnswerOf(const json::object& model, const std::string& expert, std::size_t options) {
  const auto wrong = [&expert](std::string_view field) {
    return Bad("\"" + std::string(field) + "\" of \"" + expert + "\" is not a string");
  };
  if (const json::value* prediction = model.if_contains("pred")) {
    if (prediction->is_null()) return std::string();
    if (!prediction->is_string()) return wrong("pred");
    const std::string_view answer = prediction->get_string();
    return std::string(answer == kNoAnswer ? "" : answer);
  }
  for (const char* field : {"output", "solution"}) {
    const json::value* text = model.if_contains(field);
    if (text == nullptr) continue;
    if (!text->is_string()) return wrong(field);
    return gate::ExtractAnswer(std::string_view(text->get_string()), options);
  }
  return Bad("\"" + expert + "\" has no answer: neither \"pred\", nor \"output\", nor \"solution\"");
}

class Reader {
 public:
  explicit Reader(const OutcomeOptions& options) : options_(options) {
    for (const std::string& expert : options.experts) Index(expert, experts_, out_.experts);
  }

  Result<void> Add(const TableRow& row) {
    if (!form_) {
      auto form = FormOf(row);
      if (!form) return std::move(form).error();
      form_ = *form;
      if (options_.answers && *form_ != Form::kMatrix && *form_ != Form::kModels) {
        return Bad("no answers: only pred:EXPERT columns and \"models\" say what an expert answered");
      }
    }
    if (options_.range) {
      auto inside = Inside(row, *options_.range);
      if (!inside) return std::move(inside).error();
      if (!*inside) return {};
    }
    auto category = CategoryOf(row);
    if (!category) return std::move(category).error();
    Outcome outcome;
    if (row.Find("id") != nullptr) {
      auto id = row.Text("id");
      if (!id) return std::move(id).error();
      outcome.id = *std::move(id);
    }
    auto question = QuestionOf(row, options_.text);
    if (!question) return std::move(question).error();
    outcome.question = *std::move(question);
    auto scored = *form_ == Form::kMatrix   ? Matrix(row, outcome)
                  : *form_ == Form::kScores ? Scores(row, outcome)
                  : *form_ == Form::kModels ? Models(row, outcome)
                                            : Long(row, outcome);
    if (!scored) return scored;
    outcome.category = Index(*category, categories_, out_.categories);
    return Keep(std::move(outcome));
  }

  Result<Outcomes> Finish() {
    for (Outcome& row : out_.rows) {
      row.scores.resize(out_.experts.size(), kNotAsked);
      if (options_.answers) row.answers.resize(out_.experts.size());
    }
    if (options_.complete) {
      out_.incomplete = std::erase_if(out_.rows, [](const Outcome& row) {
        return std::any_of(row.scores.begin(), row.scores.end(), [](float s) { return std::isnan(s); });
      });
    }
    if (out_.rows.empty()) {
      return Bad(options_.file.string() + ": no row is left" +
                 (out_.incomplete > 0 ? " that every expert answered" : " (the range of h?)"));
    }
    Sort();
    return std::move(out_);
  }

 private:
  using Names = std::unordered_map<std::string, std::uint32_t>;

  static std::uint32_t Index(const std::string& name, Names& names, std::vector<std::string>& list) {
    const auto [entry, fresh] = names.try_emplace(name, static_cast<std::uint32_t>(list.size()));
    if (fresh) list.push_back(name);
    return entry->second;
  }

  static Result<bool> Inside(const TableRow& row, const HashRange& range) {
    auto hash = row.Text("h");
    return hash ? InRange(*hash, range) : Result<bool>(std::move(hash).error());
  }

  Result<std::string> CategoryOf(const TableRow& row) {
    const char* field = row.Find("category") == nullptr && row.Find("task") != nullptr ? "task" : "category";
    if (*form_ != Form::kModels) return row.Text(field);
    const bool named = row.Find(field) != nullptr;
    if (named_.value_or(named) != named) {
      return Bad("some rows have a category, and some have none: name it in all of them, or in none");
    }
    named_ = named;
    return named ? row.Text(field) : Result<std::string>(std::string(kOneCategory));
  }

  // The place of the score of `expert`, or nullptr when the caller did not ask for this expert.
  float* Slot(std::string_view expert, Outcome& outcome) {
    const std::string name(expert);
    std::uint32_t index = 0;
    if (options_.experts.empty()) {
      index = Index(name, experts_, out_.experts);
    } else {
      const auto found = experts_.find(name);
      if (found == experts_.end()) return nullptr;
      index = found->second;
    }
    if (outcome.scores.size() <= index) outcome.scores.resize(index + 1, kNotAsked);
    return &outcome.scores[index];
  }

  Result<void> Matrix(const TableRow& row, Outcome& outcome) {
    auto answer = row.Text("answer");
    if (!answer) return std::move(answer).error();
    for (const std::string& expert : options_.experts) {
      if (row.Find(std::string(kPrediction) + expert) == nullptr) {
        return Bad("no column \"" + std::string(kPrediction) + expert + "\"");
      }
    }
    for (const auto& field : row.fields) {
      const std::string_view name = field.key();
      if (!name.starts_with(kPrediction)) continue;
      if (!field.value().is_string()) return Bad("field \"" + std::string(name) + "\" is not a string");
      float* slot = Slot(name.substr(kPrediction.size()), outcome);
      const json::string& prediction = field.value().get_string();
      if (slot == nullptr || prediction.empty()) continue;
      *slot = std::string_view(prediction) == *answer ? 1.0F : 0.0F;
      if (std::string_view(prediction) != kNoAnswer) KeepAnswer(slot, std::string(prediction), outcome);
    }
    return {};
  }

  // `slot` is the place of the expert's score in `outcome`.
  void KeepAnswer(const float* slot, std::string answer, Outcome& outcome) const {
    if (!options_.answers) return;
    const auto expert = static_cast<std::size_t>(slot - outcome.scores.data());
    if (outcome.answers.size() <= expert) outcome.answers.resize(expert + 1);
    outcome.answers[expert] = std::move(answer);
  }

  Result<void> Models(const TableRow& row, Outcome& outcome) {
    auto models = row.Object("models");
    if (!models) return std::move(models).error();
    for (const std::string& expert : options_.experts) {
      if (!(*models)->contains(expert)) return Bad("\"models\" has no \"" + expert + "\"");
    }
    const json::value* options = row.Find("options");
    const std::size_t count = options != nullptr && options->is_array() ? options->get_array().size() : 0;
    for (const auto& field : **models) {
      if (field.value().is_null()) continue;
      const std::string name(field.key());
      if (!field.value().is_object()) return Bad("\"" + name + "\" of \"models\" is not an object");
      const json::object& model = field.value().get_object();
      const json::value* correct = model.if_contains("correct");
      if (correct == nullptr) return Bad("\"" + name + "\" of \"models\" has no \"correct\"");
      const bool number = correct->is_number(), one = number && correct->to_number<double>() == 1;
      if (!(correct->is_bool() || one || (number && correct->to_number<double>() == 0))) {
        return Bad("\"correct\" of \"" + name + "\" is neither 0 nor 1");
      }
      float* slot = Slot(name, outcome);
      if (slot == nullptr) continue;
      *slot = one || (correct->is_bool() && correct->get_bool()) ? 1.0F : 0.0F;
      if (!options_.answers) continue;
      auto answer = AnswerOf(model, name, count);
      if (!answer) return std::move(answer).error();
      KeepAnswer(slot, *std::move(answer), outcome);
    }
    return {};
  }

  Result<void> Scores(const TableRow& row, Outcome& outcome) {
    auto scores = row.Object("scores");
    if (!scores) return std::move(scores).error();
    for (const std::string& expert : options_.experts) {
      if (!(*scores)->contains(expert)) return Bad("\"scores\" has no \"" + expert + "\"");
    }
    for (const auto& field : **scores) {
      if (field.value().is_null()) continue;
      const std::string name(field.key());
      if (!field.value().is_number()) return Bad("the score of \"" + name + "\" is not a number");
      if (auto set = Set(field.value().to_number<double>(), name, outcome); !set) return set;
    }
    return {};
  }

  Result<void> Long(const TableRow& row, Outcome& outcome) {
    auto expert = row.Text("expert");
    if (!expert) return std::move(expert).error();
    auto score = row.Number("score");
    if (!score) return std::move(score).error();
    return Set(*score, *expert, outcome);
  }

  Result<void> Set(double score, const std::string& expert, Outcome& outcome) {
    if (!(score >= 0 && score <= 1)) {
      return Bad("the score of \"" + expert + "\" is " + std::to_string(score) + ", not in [0, 1]");
    }
    if (float* slot = Slot(expert, outcome)) *slot = static_cast<float>(score);
    return {};
  }

  // A new row, or, of the long form, more of a request that is known.
  Result<void> Keep(Outcome outcome) {
    if (outcome.id.empty()) {
      out_.rows.push_back(std::move(outcome));
      return {};
    }
    const auto [entry, fresh] = ids_.try_emplace(outcome.id, out_.rows.size());
    if (fresh) {
      out_.rows.push_back(std::move(outcome));
      return {};
    }
    if (*form_ != Form::kLong) return Bad("the id \"" + outcome.id + "\" was there before");
    Outcome& known = out_.rows[entry->second];
    if (known.category != outcome.category) return Bad("the id \"" + outcome.id + "\" was in another category before");
    known.scores.resize(std::max(known.scores.size(), outcome.scores.size()), kNotAsked);
    for (std::size_t m = 0; m < outcome.scores.size(); ++m) {
      if (std::isnan(outcome.scores[m])) continue;
      if (!std::isnan(known.scores[m])) {
        return Bad("the id \"" + outcome.id + "\" has two scores of \"" + out_.experts[m] + "\"");
      }
      known.scores[m] = outcome.scores[m];
    }
    return {};
  }

  // The order of `names` when sorted: old index -> new index; sorts the names.
  static std::vector<std::uint32_t> SortNames(std::vector<std::string>& names) {
    std::vector<std::string> sorted = names;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::uint32_t> moved;
    for (const std::string& name : names) {
      moved.push_back(
          static_cast<std::uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), name) - sorted.begin()));
    }
    names = std::move(sorted);
    return moved;
  }

  // So that nothing depends on which name comes first in the file.
  void Sort() {
    const auto categories = SortNames(out_.categories);
    for (Outcome& row : out_.rows) row.category = categories[row.category];
    if (!options_.experts.empty()) return;
    const auto experts = SortNames(out_.experts);
    for (Outcome& row : out_.rows) {
      std::vector<float> scores(row.scores.size());
      for (std::size_t m = 0; m < scores.size(); ++m) scores[experts[m]] = row.scores[m];
      row.scores = std::move(scores);
      if (row.answers.empty()) continue;
      std::vector<std::string> answers(row.answers.size());
      for (std::size_t m = 0; m < answers.size(); ++m) answers[experts[m]] = std::move(row.answers[m]);
      row.answers = std::move(answers);
    }
  }

  const OutcomeOptions& options_;
  Outcomes out_;
  std::optional<Form> form_;
  std::optional<bool> named_;  // whether the rows of the models form have a category
  Names experts_, categories_;
  std::unordered_map<std::string, std::size_t> ids_;
};

}  // namespace

Result<Outcomes> ReadOutcomes(const OutcomeOptions& options) {
  Reader reader(options);
  auto read = VisitTable(options.file, {}, [&reader](const TableRow& row) { return reader.Add(row); });
  if (!read) return std::move(read).error();
  return reader.Finish();
}

}  // namespace pointsman::offline
