#include "policies/score/category_map.h"

namespace pointsman::score {

const std::string& CategoryOf(const policies::Evidence& evidence) {
  static const std::string general = kGeneral;
  return evidence.uncertain || evidence.categories.empty() ? general : evidence.categories[evidence.likeliest];
}

const std::vector<std::string>& ExpertsOf(const config::CategoryMap& map, const std::string& category) {
  auto it = map.experts.find(category);
  return it != map.experts.end() ? it->second : map.experts.at(kGeneral);
}

}  // namespace pointsman::score
