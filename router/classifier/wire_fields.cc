#include "router/classifier/wire_fields.h"

#include <google/protobuf/io/coded_stream.h>

#include <array>
#include <limits>

namespace pointsman::classifier {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5 };

// Reads what follows the tag of a field. False when it is cut.
bool ReadValue(std::string_view message, CodedInputStream& in, std::uint32_t type, WireField& field) {
  std::uint32_t length = 0;
  std::uint64_t number = 0;
  switch (type) {
    case kVarint: return in.ReadVarint64(&number);
    case kFixed64: return in.Skip(8);
    case kFixed32: return in.Skip(4);
    case kDelimited: {
      if (!in.ReadVarint32(&length)) return false;
      const auto begin = static_cast<std::size_t>(in.CurrentPosition());
      if (length > message.size() - begin) return false;
      field.delimited = true;
      field.value = message.substr(begin, length);
      return in.Skip(static_cast<int>(length));
    }
    default: return false;
  }
}

}  // namespace

std::optional<std::vector<WireField>> WireFields(std::string_view message) {
  if (message.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return std::nullopt;
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()));
  std::vector<WireField> fields;
  while (in.CurrentPosition() < static_cast<int>(message.size())) {
    const auto begin = static_cast<std::size_t>(in.CurrentPosition());
    std::uint32_t tag = 0;
    WireField field;
    if (!in.ReadVarint32(&tag) || tag >> 3 == 0 || !ReadValue(message, in, tag & 7, field)) return std::nullopt;
    field.number = tag >> 3;
    field.whole = message.substr(begin, static_cast<std::size_t>(in.CurrentPosition()) - begin);
    fields.push_back(field);
  }
  return fields;
}

void AppendField(std::uint32_t number, std::string_view value, std::string& message) {
  std::array<std::uint8_t, 10> head{};
  std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(number << 3 | kDelimited, head.data());
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(value.size()), end);
  message.append(reinterpret_cast<const char*>(head.data()), static_cast<std::size_t>(end - head.data()));
  message += value;
}

}  // namespace pointsman::classifier
