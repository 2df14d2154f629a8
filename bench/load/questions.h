// bench/load/questions.h: which question is asked next.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::bench {

enum class Order {
  kTurn,     // one after the other
  kUniform,  // at random, each as often
  kZipf,     // at random, the i-th in proportion to i^-0.8: as pages of the web are asked for (Breslau et al., Web
             // Caching and Zipf-like Distributions, INFOCOM 1999, section 3: exponents from 0.64 to 0.83)
};

struct QuestionOptions {
  std::string expert, policy;  // of the requests' routing; "" = the server's choice
  std::uint64_t count = 0;     // distinct questions; 0 = the eight of client.h
  std::uint64_t first = 0;     // kTurn: where to begin; the others: the seed
  Order order = Order::kTurn;
  std::optional<double> temperature;  // 0: the answer may be kept
  bool no_store = false;
};

// Not for several threads.
class Questions {
 public:
  explicit Questions(const QuestionOptions& options);
  v1::CompleteRequest Next();

 private:
  std::uint64_t Choose();

  QuestionOptions options_;
  std::vector<v1::CompleteRequest> texts_;
  std::uint64_t turn_;
  std::mt19937_64 random_;
  std::vector<double> cumulative_;  // kZipf: of the first i + 1 questions; the last is 1
};

}  // namespace pointsman::bench
