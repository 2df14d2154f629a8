// router/version.h: the program's version.
#pragma once

namespace pointsman {

inline constexpr const char kVersion[] = "0.1.0";

}  // namespace pointsman
