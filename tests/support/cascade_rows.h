// tests/support/cascade_rows.h: made-up outcomes of a weak and a strong expert: the weak one is right about as often as
// the largest of its option probabilities says, the strong one always in "law" and as often as it in "art".
#pragma once

#include <cstddef>
#include <cstdio>
#include <random>
#include <sstream>
#include <string>

namespace pointsman::testing {

// Lines with id, h, domain, probs, answer, small_correct, large_correct.
inline std::string CascadeLines(std::size_t count, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::ostringstream out;
  for (std::size_t i = 0; i < count; ++i) {
    const double largest = 0.34 + 0.66 * uniform(random), rest = (1 - largest) / 2;
    const bool law = uniform(random) < 0.5, weak = uniform(random) < largest;
    const bool strong = law || (uniform(random) < 0.5 ? weak : uniform(random) < largest);
    const auto hash = static_cast<unsigned>(random());
    char h[17];
    std::snprintf(h, sizeof h, "%08x00000000", hash);
    out << R"({"id":"q)" << i << R"(","h":")" << h << R"(","domain":")" << (law ? "law" : "art") << R"(","probs":[)"
        << largest << "," << rest << "," << rest << R"(],"answer":")" << (weak ? "A" : "B") << R"(","small_correct":)"
        << weak << R"(,"large_correct":)" << strong << "}\n";
  }
  return out.str();
}

}  // namespace pointsman::testing
