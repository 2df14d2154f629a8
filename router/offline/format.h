// router/offline/format.h: printf into a string, for reports.
#pragma once

#include <cstdio>
#include <string>

namespace pointsman::offline {

// At most 511 bytes; what is longer is cut.
template <class... Args>
std::string Format(const char* format, Args... args) {
  char text[512];
  std::snprintf(text, sizeof text, format, args...);
  return text;
}

}  // namespace pointsman::offline
