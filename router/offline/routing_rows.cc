#include "router/offline/routing_rows.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace pointsman::offline {
namespace {

Error Bad(std::string message) { return InvalidArgument("options", std::move(message)); }

// Says what is wrong when a row may be learnt from and measured on.
Result<void> CheckApart(const RoutingOptions& o, const RoutingRows& data) {
  std::unordered_set<std::string> ids;
  for (const Outcome& row : data.train.rows) {
    if (!row.id.empty()) ids.insert(row.id);
  }
  const auto both = std::count_if(data.test.rows.begin(), data.test.rows.end(),
                                  [&](const Outcome& row) { return ids.contains(row.id); });
  if (both > 0) {
    return Bad(std::to_string(both) + " rows of " + o.test.string() + " are among the training rows of " +
               o.train.string() + " (the same id): figures would mean nothing");
  }
  return {};
}

Result<void> CheckRanges(const RoutingOptions& o) {
  std::error_code ignored;
  if (!std::filesystem::equivalent(o.train, o.test, ignored)) return {};
  const HashRange train = o.train_range.value_or(HashRange{}), test = o.test_range.value_or(HashRange{});
  if (train.last <= test.first || test.last <= train.first) return {};
  return Bad(o.train.string() +
             " is both the training and the test set: split it by h, as in --train-h 0:50 --test-h 50:100");
}

// The rows' texts, from the questions file or from the outcome file.
Result<std::vector<std::string>> Texts(const Outcomes& outcomes, const std::filesystem::path& file,
                                       const std::filesystem::path& questions, QuestionText kind) {
  std::vector<std::string> texts;
  if (questions.empty()) {
    for (const Outcome& row : outcomes.rows) {
      if (row.question.empty()) {
        return Bad(file.string() + ": row " + row.id +
                   " has no question (name a file with --questions, or use --gold)");
      }
      texts.push_back(row.question);
    }
    return texts;
  }
  auto by_id = ReadQuestions(questions, kind);
  if (!by_id) return std::move(by_id).error();
  for (const Outcome& row : outcomes.rows) {
    const auto found = by_id->find(row.id);
    if (found == by_id->end()) return Bad(questions.string() + ": no question with the id \"" + row.id + "\"");
    texts.push_back(found->second);
  }
  return texts;
}

// Certain distributions: the categories that the rows name. One that the training rows do not have is spread as the
// training rows are.
Posteriors GoldPosteriors(const RoutingRows& data) {
  const std::size_t categories = data.train.categories.size();
  Posteriors posteriors{Matrix(data.train.rows.size(), categories), Matrix(data.test.rows.size(), categories)};
  std::vector<float> share(categories, 0);
  for (std::size_t i = 0; i < data.train.rows.size(); ++i) {
    const std::uint32_t c = data.train.rows[i].category;
    posteriors.train.Row(i)[c] = 1;
    share[c] += 1.0F / static_cast<float>(data.train.rows.size());
  }
  for (std::size_t i = 0; i < data.test.rows.size(); ++i) {
    const std::string& name = data.test.categories[data.test.rows[i].category];
    const auto found = std::find(data.train.categories.begin(), data.train.categories.end(), name);
    if (found != data.train.categories.end()) {
      posteriors.test.Row(i)[static_cast<std::size_t>(found - data.train.categories.begin())] = 1;
    } else {
      std::copy(share.begin(), share.end(), posteriors.test.Row(i).begin());
    }
  }
  return posteriors;
}

}  // namespace

Result<RoutingRows> ReadRoutingRows(const RoutingOptions& o) {
  if (auto apart = CheckRanges(o); !apart) return apart.error();
  RoutingRows data;
  OutcomeOptions train{o.train, {}, o.train_range, true, o.answers, o.text};
  OutcomeOptions test{o.test, {}, o.test_range, true, o.answers, o.text};
  if (!o.experts.empty()) {
    auto facts = ReadExpertsFile(o.experts);
    if (!facts) return std::move(facts).error();
    data.facts = *std::move(facts);
    for (const ExpertFacts& expert : data.facts) train.experts.push_back(expert.name);
  }
  auto outcomes = ReadOutcomes(train);
  if (!outcomes) return std::move(outcomes).error();
  data.train = *std::move(outcomes);
  test.experts = data.train.experts;
  outcomes = ReadOutcomes(test);
  if (!outcomes) return std::move(outcomes).error();
  data.test = *std::move(outcomes);
  if (auto apart = CheckApart(o, data); !apart) return apart.error();
  const auto all = [&data](auto has) {
    return !data.facts.empty() && std::all_of(data.facts.begin(), data.facts.end(), has);
  };
  data.has_active = all([](const ExpertFacts& e) { return e.active_billion.has_value(); });
  data.has_price = all([](const ExpertFacts& e) { return e.price.has_value(); });
  for (std::size_t m = 0; m < data.train.experts.size(); ++m) {
    data.cost.push_back(data.has_active ? *data.facts[m].active_billion : data.has_price ? *data.facts[m].price : 0);
  }
  const bool inside = !data.train.rows[0].question.empty() && !data.test.rows[0].question.empty();
  data.gold = o.gold || (o.questions.empty() && !inside) || data.train.categories.size() == 1;
  if (data.gold) return data;
  auto texts = Texts(data.train, o.train, o.questions, o.text);
  if (!texts) return std::move(texts).error();
  data.train_text = *std::move(texts);
  texts = Texts(data.test, o.test, o.test_questions.empty() ? o.questions : o.test_questions, o.text);
  if (!texts) return std::move(texts).error();
  data.test_text = *std::move(texts);
  return data;
}

Result<Posteriors> FitPosteriors(const RoutingOptions& options, const RoutingRows& data,
                                 const std::function<void(double)>& progress) {
  if (data.gold) return GoldPosteriors(data);
  const std::vector<std::string_view> train(data.train_text.begin(), data.train_text.end());
  const std::vector<std::string_view> test(data.test_text.begin(), data.test_text.end());
  std::vector<std::uint32_t> labels;
  for (const Outcome& row : data.train.rows) labels.push_back(row.category);
  return CrossFitPosteriors(train, labels, data.train.categories, test, options.embedding, progress);
}

std::optional<double> CategoryAccuracy(const RoutingRows& data, const Posteriors& posteriors) {
  double right = 0, known = 0;
  for (std::size_t i = 0; i < data.test.rows.size(); ++i) {
    const std::string& name = data.test.categories[data.test.rows[i].category];
    const auto found = std::find(data.train.categories.begin(), data.train.categories.end(), name);
    if (found == data.train.categories.end()) continue;
    const auto row = posteriors.test.Row(i);
    right += std::max_element(row.begin(), row.end()) - row.begin() == found - data.train.categories.begin();
    ++known;
  }
  return known > 0 ? std::optional(right / known) : std::nullopt;
}

}  // namespace pointsman::offline
