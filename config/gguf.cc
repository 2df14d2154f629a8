#include "config/gguf.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

#include "config/names.h"

namespace pointsman::config {
namespace {

// The format's numbers for types of values.
enum ValueType : std::uint32_t { kString = 8, kArray = 9 };
constexpr std::uint8_t kScalarBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};  // 0: not a scalar

// Weights come in blocks: so many of them in so many bytes. {0, 0} = a type that was removed.
struct Block {
  std::uint16_t weights, bytes;
};
constexpr Block kBlocks[] = {
    {1, 4},    {1, 2},    {32, 18},   {32, 20},   {0, 0},     {0, 0},     {32, 22},   {32, 24},  {32, 34},
    {32, 36},  {256, 84}, {256, 110}, {256, 144}, {256, 176}, {256, 210}, {256, 292}, {256, 66}, {256, 74},
    {256, 98}, {256, 50}, {32, 18},   {256, 110}, {256, 82},  {256, 136}, {1, 1},     {1, 2},    {1, 4},
    {1, 8},    {1, 8},    {256, 56},  {1, 2},     {0, 0},     {0, 0},     {0, 0},     {256, 54}, {256, 66},
    {0, 0},    {0, 0},    {0, 0},     {32, 17},   {64, 36},   {128, 18},  {64, 18},
};

constexpr std::uint64_t kMostEntries = 1 << 20;  // of metadata, and of tensors: far above any model
constexpr std::uint64_t kLongestName = 1 << 16;  // bytes; the library's own limit on tensor names is 64
constexpr std::uint64_t kLargestTensor = std::uint64_t{1} << 50;  // bytes; keeps the sums below from overflowing

// Reads forward and never past the end of the file: what is missing sets `truncated`, after which everything reads as
// 0.
class Cursor {
 public:
  Cursor(std::ifstream& in, std::uint64_t size) : in_(in), left_(size), size_(size) {}

  template <class T>
  T Read() {
    T value{};
    if (Claim(sizeof value)) in_.read(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }
  std::string ReadString(std::uint64_t max) {
    const auto length = Read<std::uint64_t>();
    if (length > max) {
      Skip(length);
      return {};
    }
    if (!Claim(length)) return {};
    std::string text(length, '\0');
    in_.read(text.data(), static_cast<std::streamsize>(length));
    return text;
  }
  void Skip(std::uint64_t bytes) {
    constexpr std::uint64_t kFar = 1 << 14;  // a seek throws the stream's buffer away: only worth it for long ways
    if (!Claim(bytes)) return;
    if (bytes < kFar) {
      in_.ignore(static_cast<std::streamsize>(bytes));
    } else {
      in_.seekg(static_cast<std::streamoff>(bytes), std::ios::cur);
    }
  }
  bool truncated() const { return truncated_ || !in_.good(); }
  std::uint64_t position() const { return size_ - left_; }

 private:
  bool Claim(std::uint64_t bytes) {
    if (truncated_ || bytes > left_) truncated_ = true;
    if (!truncated_) left_ -= bytes;
    return !truncated_;
  }

  std::ifstream& in_;
  std::uint64_t left_, size_;
  bool truncated_ = false;
};

struct Reader {
  Cursor cursor;
  GgufInfo info;
  std::uint64_t alignment = 32;  // of the tensors' data, unless the file says otherwise
  std::string damage = {};       // what is impossible in it; "" = nothing so far

  void SkipValue(std::uint32_t type) {
    if (type < std::size(kScalarBytes) && kScalarBytes[type] > 0) {
      cursor.Skip(kScalarBytes[type]);
    } else if (type == kString) {
      cursor.Skip(cursor.Read<std::uint64_t>());
    } else if (type == kArray) {
      const auto item = cursor.Read<std::uint32_t>();
      const auto count = cursor.Read<std::uint64_t>();
      if (item < std::size(kScalarBytes) && kScalarBytes[item] > 0) {
        cursor.Skip(count > info.file_bytes ? std::numeric_limits<std::uint64_t>::max() : count * kScalarBytes[item]);
      } else if (item == kString) {
        for (std::uint64_t i = 0; i < count && !cursor.truncated(); ++i) cursor.Skip(cursor.Read<std::uint64_t>());
      } else if (!cursor.truncated()) {
        damage = "metadata with an array of the unknown type " + std::to_string(item);
      }
    } else if (!cursor.truncated()) {
      damage = "metadata of the unknown type " + std::to_string(type);
    }
  }

  std::optional<std::uint64_t> ReadInteger(std::uint32_t type) {
    switch (type) {
      case 4: return cursor.Read<std::uint32_t>();
      case 5: return static_cast<std::uint64_t>(std::max(0, cursor.Read<std::int32_t>()));
      case 10: return cursor.Read<std::uint64_t>();
      default: SkipValue(type); return std::nullopt;
    }
  }

  void ReadMetadata() {
    const std::string key = cursor.ReadString(kLongestName);
    const auto type = cursor.Read<std::uint32_t>();
    if (key == "general.alignment") {
      alignment = ReadInteger(type).value_or(0);
      if (!cursor.truncated() && (alignment == 0 || alignment > (1u << 20) || (alignment & (alignment - 1)) != 0)) {
        damage = "an alignment that is not a power of two";
      }
    } else if (key.ends_with(".context_length")) {
      info.context_length = ReadInteger(type).value_or(0);
    } else if (type == kString && key == "general.architecture") {
      info.architecture = cursor.ReadString(kLongestName);
    } else if (type == kString && key == "general.name") {
      info.name = cursor.ReadString(kLongestName);
    } else {
      if (key == "tokenizer.chat_template") info.chat_template = true;
      SkipValue(type);
    }
  }

  // Returns where the tensor's data end, counted from the begin of all data.
  std::uint64_t ReadTensor() {
    const std::string name = cursor.ReadString(kLongestName);
    const auto dimensions = cursor.Read<std::uint32_t>();
    if (!cursor.truncated() && dimensions > 4) {
      damage = "the tensor " + Quote(name) + " with " + std::to_string(dimensions) + " dimensions";
      return 0;
    }
    std::uint64_t weights = 1, row = 1;
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      const auto length = cursor.Read<std::uint64_t>();
      if (i == 0) row = length;
      if (length != 0 && weights > kLargestTensor / length) {
        damage = "the tensor " + Quote(name) + " of an impossible size";
        return 0;
      }
      weights *= length;
    }
    const auto type = cursor.Read<std::uint32_t>();
    const auto offset = cursor.Read<std::uint64_t>();
    if (cursor.truncated()) return 0;
    if (offset > kLargestTensor) {
      damage = "the tensor " + Quote(name) + " at an impossible place";
      return 0;
    }
    // A type of tomorrow: its size is not known, its begin is.
    if (type >= std::size(kBlocks)) return offset;
    const Block block = kBlocks[type];
    if (block.weights == 0) {
      damage =
          "the tensor " + Quote(name) + " of the type " + std::to_string(type) + ", which no engine reads any more";
      return 0;
    }
    if (row % block.weights != 0) {
      damage = "the tensor " + Quote(name) + " with rows that are no whole number of blocks";
      return 0;
    }
    return offset + weights / block.weights * block.bytes;
  }
};

}  // namespace

Result<GgufInfo> ReadGguf(const std::filesystem::path& file) {
  auto fail = [&](const std::string& what) { return InvalidArgument("", file.string() + " " + what); };
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return fail("does not exist");
  if (std::filesystem::is_directory(status)) return fail("is a folder (a model is one GGUF file)");
  if (!std::filesystem::is_regular_file(status)) return fail("is not a regular file");
  const std::uint64_t size = std::filesystem::file_size(file, error);
  std::ifstream in(file, std::ios::binary);
  if (error || !in) return fail(std::string("cannot be opened: ") + std::strerror(errno));
  if (size == 0) return fail("is empty");

  Reader reader{Cursor(in, size), {}};
  reader.info.file_bytes = size;
  const auto magic = reader.cursor.Read<std::array<char, 4>>();
  if (std::string_view(magic.data(), 4) != "GGUF") return fail("is not a GGUF file (it does not begin with GGUF)");
  reader.info.version = reader.cursor.Read<std::uint32_t>();
  auto truncated = [&](std::uint64_t needed) {
    return fail("is truncated: it has " + std::to_string(size) + " bytes and needs " +
                (needed > 0 ? std::to_string(needed) : "more than that for its header alone") +
                " (get it again, and compare its SHA-256 sum)");
  };
  if (reader.cursor.truncated()) return truncated(0);
  if (reader.info.version == 0x02000000 || reader.info.version == 0x03000000) {
    return fail("is a big-endian GGUF file (get the little-endian one)");
  }
  if (reader.info.version != 2 && reader.info.version != 3) {
    return fail("is a GGUF file of version " + std::to_string(reader.info.version) + " (versions 2 and 3 are read)");
  }
  reader.info.tensors = reader.cursor.Read<std::uint64_t>();
  const auto entries = reader.cursor.Read<std::uint64_t>();
  if (reader.cursor.truncated()) return truncated(0);
  if (reader.info.tensors > kMostEntries || entries > kMostEntries)
    return fail("is a damaged GGUF file: impossible counts");
  if (reader.info.tensors == 0) return fail("is a GGUF file without weights (a vocabulary only)");

  auto sound = [&] { return reader.damage.empty() && !reader.cursor.truncated(); };
  for (std::uint64_t i = 0; i < entries && sound(); ++i) reader.ReadMetadata();
  std::uint64_t data = 0;
  for (std::uint64_t i = 0; i < reader.info.tensors && sound(); ++i) data = std::max(data, reader.ReadTensor());
  if (!reader.damage.empty()) return fail("is a damaged GGUF file: it has " + reader.damage);
  if (reader.cursor.truncated()) return truncated(0);

  const std::uint64_t header = reader.cursor.position();
  const std::uint64_t padded = (header + reader.alignment - 1) / reader.alignment * reader.alignment;
  reader.info.bytes_needed = padded + data;
  if (size < reader.info.bytes_needed) return truncated(reader.info.bytes_needed);
  return std::move(reader.info);
}

Result<void> CheckModelFile(const std::filesystem::path& file) {
  auto info = ReadGguf(file);
  if (!info) return std::move(info).error();
  return {};
}

}  // namespace pointsman::config
