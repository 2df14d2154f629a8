// router/telemetry/log.h: structured log lines that no request ever waits for: a bounded queue and one thread that
// writes. When the disk or terminal is too slow the oldest lines are given up and counted. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "config/config.h"

namespace pointsman::telemetry {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError };

// One field of a line. Holds a view: lives as long as the call.
struct Field {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, const std::string& text) : key(name), value(std::string_view(text)) {}
  template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  Field(std::string_view name, T number) : key(name), value(ValueOf(number)) {}

  std::string_view key;
  Value value;

 private:
  template <class T>
  static Value ValueOf(T number) {
    if constexpr (std::is_same_v<T, bool>) {
      return number;
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(number);
    } else if constexpr (std::is_signed_v<T>) {
      return static_cast<std::int64_t>(number);
    } else {
      return static_cast<std::uint64_t>(number);
    }
  }
};

// Starts logging to standard error, or to the end of `file`. Before it, lines go to standard error at once, from `info`
// on, for people. Calling it again replaces level and format (reload); lines already logged are still written.
// Throws when `file` cannot be written.
void StartLog(const config::Telemetry& settings, const std::filesystem::path& file = {});
// Writes what is queued and ends the thread. Lines logged afterwards go to standard error at once.
void StopLog();

// Whether a line of this level would be written: ask before composing what is dear.
bool LogEnabled(Level level);
// telemetry.log_prompts: text of prompts and answers goes into a line only when this is true.
bool LogPrompts();

// One line. Texts may hold anything: they are escaped, invalid UTF-8 becomes U+FFFD, and a line ends after 16 KiB of
// text.
void Log(Level level, std::string_view message, std::initializer_list<Field> fields = {});

// Lines given up since the start of the process.
std::uint64_t LogDropped();

// How a line reads: for people `message key=value key="two words"` (time and level are put before it by the writer), or
// the whole JSON object, without a newline. `ts` is RFC 3339 with microseconds.
std::string FormatHuman(std::string_view message, std::initializer_list<Field> fields);
std::string FormatJson(std::string_view ts, Level level, std::string_view message, std::initializer_list<Field> fields);

}  // namespace pointsman::telemetry
