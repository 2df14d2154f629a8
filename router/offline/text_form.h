// router/offline/text_form.h: what a text looks like, whatever it is about: length, digits, formulae, layout.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace pointsman::offline {

inline constexpr std::size_t kFormFeatures = 11;
using FormFeatures = std::array<float, kFormFeatures>;

// ln of the bytes, share of digits, ln(1 + digits), ln(1 + lines), TeX marks (0 or 1), operators a byte, a question
// mark (0 or 1), ln(words a byte), lines a byte, a blank to fill in (0 or 1), share of capitals. Any thread.
FormFeatures FormOf(std::string_view text);

// Brings features to mean 0 and standard deviation 1 over the texts that it was made of, cut at +-3.
class FormScale {
 public:
  explicit FormScale(std::span<const std::string_view> texts);  // at least one
  FormFeatures operator()(std::string_view text) const;

 private:
  std::array<double, kFormFeatures> mean_{}, deviation_{};
};

}  // namespace pointsman::offline
