#include "router/offline/text_form.h"

#include <algorithm>
#include <cmath>

namespace pointsman::offline {

FormFeatures FormOf(std::string_view text) {
  double digits = 0, lines = 0, operators = 0, capitals = 0, words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9', capital = c >= 'A' && c <= 'Z';
    const bool word = digit || capital || (c >= 'a' && c <= 'z') || c == '_' || (c & 0x80) != 0;
    digits += digit;
    capitals += capital;
    lines += c == '\n';
    operators += std::string_view("=+*/^<>").find(c) != std::string_view::npos;
    words += word && !inside;
    inside = word;
  }
  const double bytes = static_cast<double>(std::max<std::size_t>(text.size(), 1));
  const auto has = [&text](std::string_view part) { return text.find(part) == std::string_view::npos ? 0.0F : 1.0F; };
  const auto number = [](double value) { return static_cast<float>(value); };
  return {number(std::log(bytes)),
          number(digits / bytes),
          number(std::log1p(digits)),
          number(std::log1p(lines)),
          std::max(has("$"), has("\\")),
          number(operators / bytes),
          has("?"),
          number(std::log((1 + words) / bytes)),
          number(lines / bytes),
          has("____"),
          number(capitals / bytes)};
}

FormScale::FormScale(std::span<const std::string_view> texts) {
  std::array<double, kFormFeatures> squares{};
  const double n = static_cast<double>(texts.size());
  for (const std::string_view text : texts) {
    const FormFeatures features = FormOf(text);
    for (std::size_t f = 0; f < kFormFeatures; ++f) {
      mean_[f] += features[f] / n;
      squares[f] += static_cast<double>(features[f]) * features[f] / n;
    }
  }
  for (std::size_t f = 0; f < kFormFeatures; ++f) {
    deviation_[f] = std::sqrt(std::max(0.0, squares[f] - mean_[f] * mean_[f]));
  }
}

FormFeatures FormScale::operator()(std::string_view text) const {
  FormFeatures features = FormOf(text);
  for (std::size_t f = 0; f < kFormFeatures; ++f) {
    // A feature that does not vary says nothing.
    const double scaled = deviation_[f] > 1e-6 ? (features[f] - mean_[f]) / deviation_[f] : 0;
    features[f] = static_cast<float>(std::clamp(scaled, -3.0, 3.0));
  }
  return features;
}

}  // namespace pointsman::offline
