// router/classifier/table.h: the bytes of a model's large table, where they lie: in a mapped file or in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pointsman::classifier {

// Keeps the bytes alive that it shows. Immutable; any thread; copies share the bytes.
class Table {
 public:
  Table() = default;  // no bytes
  // `bytes` lie in what `owner` keeps alive.
  Table(std::string_view bytes, std::shared_ptr<const void> owner) : bytes_(bytes), owner_(std::move(owner)) {}

  // A copy of `bytes`.
  static Table Copy(std::string_view bytes) {
    auto copy = std::make_shared<const std::string>(bytes);
    const std::string_view view = *copy;
    return {view, std::move(copy)};
  }

  std::size_t size() const { return bytes_.size(); }
  std::string_view bytes() const { return bytes_; }
  const std::int8_t* int8() const { return reinterpret_cast<const std::int8_t*>(bytes_.data()); }
  const std::uint8_t* uint8() const { return reinterpret_cast<const std::uint8_t*>(bytes_.data()); }
  std::span<const std::int8_t> int8s() const { return {int8(), size()}; }

 private:
  std::string_view bytes_;
  std::shared_ptr<const void> owner_;
};

}  // namespace pointsman::classifier
