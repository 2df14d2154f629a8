// bench/load/report.h: what one run found, as a table for people or JSON for scripts.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pointsman::bench {

// Nearest-rank percentile of nanoseconds, in microseconds; `percent` in (0, 100]. Sorts `values`. 0 when there are
// none.
double PercentileMicroseconds(std::vector<std::int64_t>& values, double percent);

// Named figures in the order in which they were added.
class Report {
 public:
  void Add(std::string name, double value, std::string unit);
  void AddError(const std::string& message);  // the first one is kept as an example
  bool has_errors() const { return !first_error_.empty(); }
  std::string ToText() const;
  std::string ToJson() const;  // one flat object, units in the names; "first_error" is a string

 private:
  struct Figure {
    std::string name, unit;
    double value;
  };
  std::vector<Figure> figures_;
  std::string first_error_;
};

}  // namespace pointsman::bench
