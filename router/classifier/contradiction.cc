#include "router/classifier/contradiction.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace pointsman::classifier {
namespace {

constexpr std::size_t kParts = 3;

// Where the part that should end at `end` ends: at the next space, if there is one.
std::size_t CutAt(std::string_view text, std::size_t end) {
  const std::size_t space = text.find(' ', end);
  return space == std::string_view::npos ? end : space;
}

}  // namespace

double Contradiction(const Classifier& classifier, std::string_view text, std::size_t max_bytes) {
  std::array<policies::Evidence, kParts> part;
  std::size_t count = 0;
  if (text.size() > max_bytes) {
    part[count++] = classifier.Classify(text.substr(0, max_bytes / 2));
    part[count++] = classifier.Classify(text.substr(text.size() - max_bytes / 2));
  } else {
    std::size_t begin = 0;
    for (std::size_t k = 1; k <= kParts; ++k) {
      const std::size_t end = k == kParts ? text.size() : std::max(begin, CutAt(text, text.size() * k / kParts));
      if (end > begin) part[count++] = classifier.Classify(text.substr(begin, end - begin));
      begin = end;
    }
  }
  double most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = i + 1; j < count; ++j) {
      const std::size_t a = part[i].likeliest, b = part[j].likeliest;
      if (a == b) continue;
      const float belief = std::max(part[i].probabilities[b], part[j].probabilities[a]);
      most = std::max(most, -std::log(std::max(static_cast<double>(belief), 1e-9)));
    }
  }
  return most;
}

}  // namespace pointsman::classifier
