#include "config/problem.h"

namespace pointsman::config {

std::string Problem::ToString() const {
  std::string text = file;
  if (place.line > 0) text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  text += ": ";
  if (!path.empty()) text += path + ": ";
  return text + message;
}

std::string ToString(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += problem.ToString() + "\n";
  return text;
}

}  // namespace pointsman::config
