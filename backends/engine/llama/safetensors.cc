#include "backends/engine/llama/safetensors.h"

#include <boost/json.hpp>
#include <cstring>
#include <fstream>

namespace pointsman::engine {
namespace {

namespace json = boost::json;

constexpr std::size_t kLengthBytes = 8;

// Bytes of one value; 0 = a type that we do not know.
std::size_t ValueBytes(std::string_view type) {
  if (type == "F64" || type == "I64" || type == "U64") return 8;
  if (type == "F32" || type == "I32" || type == "U32") return 4;
  if (type == "F16" || type == "BF16" || type == "I16" || type == "U16") return 2;
  if (type == "I8" || type == "U8" || type == "BOOL") return 1;
  return 0;
}

// One entry of the table; throws what boost::json throws, or a text.
SafeTensor ReadEntry(const json::object& entry, std::string_view data) {
  SafeTensor tensor;
  tensor.type = json::value_to<std::string>(entry.at("dtype"));
  std::uint64_t bytes = ValueBytes(tensor.type);
  if (bytes == 0) throw std::runtime_error("has values of the unknown type " + tensor.type);
  for (const json::value& size : entry.at("shape").as_array()) {
    tensor.shape.push_back(size.to_number<std::int64_t>());
    const auto last = static_cast<std::uint64_t>(tensor.shape.back());
    if (tensor.shape.back() < 1 || last > data.size()) throw std::runtime_error("has an impossible shape");
    bytes = last > data.size() / bytes + 1 ? data.size() + 1 : bytes * last;
  }
  const json::array& offsets = entry.at("data_offsets").as_array();
  const auto begin = offsets.at(0).to_number<std::uint64_t>(), end = offsets.at(1).to_number<std::uint64_t>();
  if (begin > end || end > data.size()) throw std::runtime_error("lies outside the file: is the file cut short?");
  if (end - begin != bytes) throw std::runtime_error("has another size than its shape says");
  tensor.data = data.substr(begin, end - begin);
  return tensor;
}

}  // namespace

Result<SafeTensors> SafeTensors::Read(const std::filesystem::path& file) {
  const auto bad = [&](const std::string& what) {
    return Error(ErrorClass::kCallersFault, Code::kFailedPrecondition, file.string() + " " + what);
  };
  std::error_code ec;
  const std::uintmax_t size = std::filesystem::file_size(file, ec);
  if (ec) return bad("cannot be read: " + ec.message());
  SafeTensors result;
  result.bytes_.resize(size);
  std::ifstream in(file, std::ios::binary);
  if (!in.read(result.bytes_.data(), static_cast<std::streamsize>(size))) return bad("cannot be read");

  const std::string_view bytes(result.bytes_.data(), result.bytes_.size());
  std::uint64_t length = 0;
  if (bytes.size() < kLengthBytes) return bad("is no safetensors file: it has " + std::to_string(size) + " bytes");
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > bytes.size() - kLengthBytes) return bad("is no safetensors file, or cut short");
  const std::string_view table = bytes.substr(kLengthBytes, length), data = bytes.substr(kLengthBytes + length);
  std::string name;
  try {
    const json::value root = json::parse(json::string_view(table.data(), table.size()));
    for (const auto& [key, entry] : root.as_object()) {
      name = std::string(key);
      if (name != "__metadata__") result.tensors_.emplace(name, ReadEntry(entry.as_object(), data));
    }
  } catch (const std::exception& e) {
    return bad(name.empty() ? "is no safetensors file: its table is not JSON" : ": tensor " + name + " " + e.what());
  }
  return result;
}

}  // namespace pointsman::engine
