// config/problem.h: what is wrong with a configuration, and where.
#pragma once

#include <string>
#include <vector>

namespace pointsman::config {

// A position in the configuration file; both count from 1. 0 = the file as a whole.
struct Place {
  unsigned line = 0;
  unsigned column = 0;

  friend bool operator==(const Place&, const Place&) = default;
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Problem {
  std::string file;  // as it was named by the caller
  Place place;
  std::string path;     // as in "experts.math.sampling.top_p"; "" = the file as a whole
  std::string message;  // what is wrong (what would be right)

  // "file:line:col: path: message"; parts that are not known are left out.
  std::string ToString() const;
};

// One problem a line, each ended by a newline.
std::string ToString(const std::vector<Problem>& problems);

}  // namespace pointsman::config
