// router/offline/answer_row.h: an outcome row of one question that an expert was really asked: its answer, what every
// token's distribution was, and whether it is right.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::offline {

struct GivenAnswer {
  v1::CompleteResponse response;           // asked with logprobs
  std::vector<std::string> sampled_texts;  // of further answers, drawn at a temperature; may be empty
};

struct AnswerRowOptions {
  std::string expert;      // its name
  std::string text_field;  // where the question is
  std::string gold_field;  // where the right answer is; "" or a missing field = it is not known
};

// `row` with what was answered (docs/policies/cascade.md, "Rows"):
//   text       the answer
//   finished   whether it ended by itself, not at max_tokens
//   tokens     [{logprob, variance, entropy, top: [log-probabilities]}], the last three where the expert gives them
//   probs      the options' probabilities, for a multiple-choice question, where a token of the answer has the mass
//              kMinOptionMass on option letters: the first such token's
//   extracted  gate::ExtractAnswer of the text
//   answers    those of the samples, in their order; absent without samples
//   EXPERT_correct   0 or 1, where the right answer is known: equal to it after ExtractAnswer (of a gold answer that is
//                    an option letter, as it is)
// Any thread.
boost::json::object AnswerRow(boost::json::object row, const GivenAnswer& answer, const AnswerRowOptions& options);

}  // namespace pointsman::offline
