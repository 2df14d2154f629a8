// router/classifier/wire_fields.h: the fields of a serialised protobuf message, where they lie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pointsman::classifier {

// All views are into the message.
struct WireField {
  std::uint32_t number = 0;
  bool delimited = false;  // has a length: bytes, a text, a message, packed numbers
  std::string_view whole;  // with its tag
  std::string_view value;  // of a delimited field; else empty
};

// In the order of the message, at most 2 GiB; a message inside is one field. None when the message is not well-formed
// or has groups, which proto3 has not. (Protobuf's encoding, "Message Structure".)
std::optional<std::vector<WireField>> WireFields(std::string_view message);

// Appends a delimited field.
void AppendField(std::uint32_t number, std::string_view value, std::string& message);

}  // namespace pointsman::classifier
