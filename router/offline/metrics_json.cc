#include "router/offline/metrics_json.h"

#include <boost/json.hpp>
#include <utility>

namespace pointsman::offline {

namespace json = boost::json;

json::array CategoriesJson(const Metrics& metrics) {
  json::array list;
  for (const CategoryMetrics& c : metrics.categories) {
    list.push_back({{"name", c.name},
                    {"rows", c.rows},
                    {"precision", c.precision},
                    {"recall", c.recall},
                    {"f1", c.f1},
                    {"mean_probability", c.mean_probability}});
  }
  return list;
}

json::array CurveJson(const Metrics& metrics) {
  json::array list;
  for (const CoveragePoint& p : metrics.curve) {
    list.push_back({{"coverage", p.coverage}, {"entropy", p.entropy}, {"accuracy", p.accuracy}});
  }
  return list;
}

json::array CalibrationJson(const Metrics& metrics) {
  json::array list;
  for (const CalibrationBin& b : metrics.calibration) {
    list.push_back(
        {{"low", b.low}, {"high", b.high}, {"rows", b.rows}, {"probability", b.probability}, {"accuracy", b.accuracy}});
  }
  return list;
}

json::array ConfusionsJson(const Metrics& metrics) {
  json::array list;
  for (const Confusion& c : metrics.confusions) {
    list.push_back({{"truth", c.truth}, {"predicted", c.predicted}, {"rows", c.rows}});
  }
  return list;
}

json::array TableJson(const Metrics& metrics) {
  const std::size_t size = metrics.categories.size();
  json::array table;
  for (std::size_t c = 0; c < size; ++c) {
    json::array row;
    for (std::size_t d = 0; d < size; ++d) row.push_back(json::value(metrics.table[c * size + d]));
    table.push_back(std::move(row));
  }
  return table;
}

}  // namespace pointsman::offline
