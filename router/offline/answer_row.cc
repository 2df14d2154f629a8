#include "router/offline/answer_row.h"

#include <boost/json.hpp>
#include <optional>
#include <string_view>

#include "policies/gate/options.h"

namespace pointsman::offline {
namespace {

namespace json = boost::json;

std::string TextOf(const v1::CompleteResponse& response) {
  std::string text;
  for (const v1::Part& part : response.message().parts()) text += part.text();
  return text;
}

json::array Tokens(const v1::CompleteResponse& response) {
  json::array tokens;
  for (const v1::TokenLogprob& token : response.logprobs()) {
    json::object object = {{"logprob", token.logprob()}};
    if (token.has_variance_dispersion()) object["variance"] = token.variance_dispersion();
    if (token.has_entropy_dispersion()) object["entropy"] = token.entropy_dispersion();
    if (token.top_size() > 0) {
      json::array top;
      for (const v1::TopToken& other : token.top()) top.emplace_back(other.logprob());
      object["top"] = std::move(top);
    }
    tokens.push_back(std::move(object));
  }
  return tokens;
}

std::optional<std::vector<double>> OptionsOf(const v1::CompleteResponse& response, std::size_t options) {
  std::vector<double> probabilities(options);
  std::vector<gate::TopToken> top;
  for (const v1::TokenLogprob& token : response.logprobs()) {
    top.clear();
    for (const v1::TopToken& other : token.top()) top.push_back({other.token(), other.logprob()});
    if (gate::OptionProbabilities(top, probabilities) >= gate::kMinOptionMass) return probabilities;
  }
  return std::nullopt;
}

}  // namespace

json::object AnswerRow(json::object row, const GivenAnswer& answer, const AnswerRowOptions& options) {
  std::size_t choices = 0;
  if (const json::value* question = row.if_contains(options.text_field); question != nullptr && question->is_string()) {
    choices = gate::CountOptions(std::string_view(question->get_string()));
  }
  const std::string text = TextOf(answer.response), extracted = gate::ExtractAnswer(text, choices);
  if (const json::value* gold = row.if_contains(options.gold_field); gold != nullptr && gold->is_string()) {
    const std::string right(gold->get_string());
    const std::string wanted = gate::ExtractAnswer(right, choices);
    row[options.expert + "_correct"] = !extracted.empty() && extracted == (wanted.empty() ? right : wanted) ? 1 : 0;
  }
  row["text"] = text;
  row["finished"] = answer.response.finish_reason() == v1::FINISH_REASON_STOP;
  row["tokens"] = Tokens(answer.response);
  if (choices > 0) {
    if (const auto probabilities = OptionsOf(answer.response, choices)) row["probs"] = json::value_from(*probabilities);
  }
  row["extracted"] = extracted;
  if (!answer.sampled_texts.empty()) {
    json::array answers;
    for (const std::string& sampled : answer.sampled_texts) {
      answers.emplace_back(gate::ExtractAnswer(sampled, choices));
    }
    row["answers"] = std::move(answers);
  }
  return row;
}

}  // namespace pointsman::offline
