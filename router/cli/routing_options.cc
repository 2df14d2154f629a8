#include "router/cli/routing_options.h"

#include <map>

#include "router/cli/embedding_option.h"

namespace pointsman::cli {

void AddRoutingOptions(CLI::App& command, offline::RoutingOptions& o, RoutingFlags& flags) {
  command.add_option("--experts", o.experts, "JSON with names, active parameters, prices; default: all in the rows")
      ->check(CLI::ExistingFile);
  command.add_option("--train", o.train, "outcomes to learn from")->required()->check(CLI::ExistingFile);
  command.add_option("--test", o.test, "outcomes to measure on")->required()->check(CLI::ExistingFile);
  command.add_option("--train-h", flags.train_h, "LO:HI: only training rows with LO <= int(h[:8], 16) % 100 < HI");
  command.add_option("--test-h", flags.test_h, "LO:HI: likewise, of the test rows");
  command.add_option("--questions", o.questions, "texts by id; default: question or prompt of the outcomes")
      ->check(CLI::ExistingFile);
  command.add_option("--questions-test", o.test_questions, "likewise for the test rows; default: --questions")
      ->check(CLI::ExistingFile);
  const std::map<std::string, offline::QuestionText> texts = {
      {"question", offline::QuestionText::kQuestion}, {"question+options", offline::QuestionText::kQuestionAndOptions}};
  command.add_option("--text", o.text, "what of a question is read; default: question+options")
      ->transform(CLI::CheckedTransformer(texts));
  command.add_flag("--gold", o.gold, "take the category that the test row names, instead of classifying its text");
  AddEmbeddingOption(command, "n-grams alone classify", flags.embedding);
}

Result<void> ReadRoutingFlags(const RoutingFlags& flags, offline::RoutingOptions& options) {
  const auto train = offline::ParseHashRange(flags.train_h), test = offline::ParseHashRange(flags.test_h);
  if (!train) return train.error();
  if (!test) return test.error();
  options.train_range = *train;
  options.test_range = *test;
  auto embedding = ChosenEmbedding(flags.embedding);
  if (!embedding) return std::move(embedding).error();
  options.embedding = *std::move(embedding);
  return {};
}

}  // namespace pointsman::cli
