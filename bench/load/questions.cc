#include "bench/load/questions.h"

#include <algorithm>
#include <cmath>

#include "bench/load/client.h"

namespace pointsman::bench {
namespace {

constexpr double kExponent = 0.8;

}  // namespace

Questions::Questions(const QuestionOptions& options)
    : options_(options),
      texts_(Requests(options.expert, options.policy)),
      turn_(options.first),
      random_(options.first) {
  for (v1::CompleteRequest& request : texts_) {
    if (options.temperature) request.mutable_sampling()->set_temperature(*options.temperature);
    if (options.no_store) request.mutable_routing()->mutable_cache()->set_no_store(true);
  }
  if (options.order != Order::kZipf) return;
  double sum = 0;
  for (std::uint64_t i = 0; i < options.count; ++i) {
    cumulative_.push_back(sum += std::pow(static_cast<double>(i + 1), -kExponent));
  }
  for (double& value : cumulative_) value /= sum;
}

std::uint64_t Questions::Choose() {
  switch (options_.order) {
    case Order::kTurn: return turn_++ % options_.count;
    case Order::kUniform: return std::uniform_int_distribution<std::uint64_t>(0, options_.count - 1)(random_);
    case Order::kZipf: break;
  }
  const double at = std::uniform_real_distribution<double>()(random_);
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), at);
  return std::min(static_cast<std::uint64_t>(found - cumulative_.begin()), options_.count - 1);
}

v1::CompleteRequest Questions::Next() {
  if (options_.count == 0) return texts_[turn_++ % texts_.size()];
  const std::uint64_t number = Choose();
  v1::CompleteRequest request = texts_[number % texts_.size()];
  std::string& text = *request.mutable_messages(0)->mutable_parts(0)->mutable_text();
  text += " (question " + std::to_string(number) + ")";
  return request;
}

}  // namespace pointsman::bench
