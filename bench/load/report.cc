#include "bench/load/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace pointsman::bench {
namespace {

std::string Number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, std::abs(value) >= 1000 || value == std::floor(value) ? "%.0f" : "%.3f", value);
  return text;
}

}  // namespace

double PercentileMicroseconds(std::vector<std::int64_t>& values, double percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  double rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
  std::size_t index = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  return static_cast<double>(values[std::min(index, values.size() - 1)]) / 1000;
}

void Report::Add(std::string name, double value, std::string unit) {
  figures_.push_back({std::move(name), std::move(unit), value});
}

void Report::AddError(const std::string& message) {
  if (first_error_.empty()) first_error_ = message.empty() ? "no message" : message;
}

std::string Report::ToText() const {
  std::string out;
  for (const Figure& figure : figures_) {
    char line[160];
    std::string name = figure.name;
    std::replace(name.begin(), name.end(), '_', ' ');
    std::snprintf(line, sizeof line, "%-28s %14s %s\n", name.c_str(), Number(figure.value).c_str(),
                  figure.unit.c_str());
    out += line;
  }
  if (!first_error_.empty()) out += "first error: " + first_error_ + "\n";
  return out;
}

std::string Report::ToJson() const {
  std::string out = "{";
  for (const Figure& figure : figures_) {
    out += "\"" + figure.name + (figure.unit.empty() ? "" : "_" + figure.unit) + "\": " + Number(figure.value) + ", ";
  }
  out += "\"first_error\": \"";
  for (char c : first_error_) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"}\n";
}

}  // namespace pointsman::bench
