// router/offline/metrics_json.h: the parts of Metrics as JSON, the same in every report (docs/classifier.md).
#pragma once

#include <boost/json/array.hpp>

#include "router/offline/metrics.h"

namespace pointsman::offline {

boost::json::array CategoriesJson(const Metrics& metrics);   // name, rows, precision, recall, f1, mean_probability
boost::json::array CurveJson(const Metrics& metrics);        // coverage, entropy, accuracy; ten points
boost::json::array CalibrationJson(const Metrics& metrics);  // low, high, rows, probability, accuracy
boost::json::array ConfusionsJson(const Metrics& metrics);   // truth, predicted, rows; the ten most frequent errors
boost::json::array TableJson(const Metrics& metrics);        // an array for each true category: rows by predicted one

}  // namespace pointsman::offline
