// tests/config/gguf_writer.h: makes small GGUF files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pointsman::testing {

template <class T>
std::string Bytes(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

inline std::string GgufString(const std::string& text) { return Bytes<std::uint64_t>(text.size()) + text; }

class GgufWriter {
 public:
  GgufWriter& Version(std::uint32_t version) {
    version_ = version;
    return *this;
  }
  // `type` and `bytes` as the format has them.
  GgufWriter& Metadata(const std::string& key, std::uint32_t type, const std::string& bytes) {
    metadata_ += GgufString(key) + Bytes(type) + bytes;
    ++entries_;
    return *this;
  }
  GgufWriter& Text(const std::string& key, const std::string& text) { return Metadata(key, 8, GgufString(text)); }
  // Of type 8 (Q8_0: 34 bytes for 32 weights) or 0 (F32); others only with their size given.
  GgufWriter& Tensor(const std::string& name, std::vector<std::uint64_t> dimensions, std::uint32_t type,
                     std::uint64_t bytes = 0) {
    std::uint64_t weights = 1;
    tensors_ += GgufString(name) + Bytes(static_cast<std::uint32_t>(dimensions.size()));
    for (std::uint64_t length : dimensions) {
      tensors_ += Bytes(length);
      weights *= length;
    }
    tensors_ += Bytes(type) + Bytes(data_);
    ++tensor_count_;
    if (bytes == 0) bytes = type == 8 ? weights / 32 * 34 : weights * 4;
    end_ = data_ + bytes;  // the padding after the last tensor may be missing
    data_ = (end_ + 31) / 32 * 32;
    return *this;
  }
  // With all of the data, zeros.
  std::string Write(std::size_t alignment = 32) const {
    std::string file = "GGUF" + Bytes(version_) + Bytes(tensor_count_) + Bytes(entries_) + metadata_ + tensors_;
    file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file + std::string(end_, '\0');
  }

 private:
  std::uint32_t version_ = 3;
  std::uint64_t entries_ = 0, tensor_count_ = 0, data_ = 0, end_ = 0;
  std::string metadata_, tensors_;
};

}  // namespace pointsman::testing
