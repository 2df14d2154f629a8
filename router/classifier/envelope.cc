#include "router/classifier/envelope.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace pointsman::classifier {
namespace {

constexpr std::size_t kMagicBytes = 8, kSumBytes = 32, kHeaderBytes = kMagicBytes + kSumBytes;
constexpr std::uintmax_t kMaxFileBytes = 512U << 20;

using Sum = std::array<unsigned char, kSumBytes>;

Sum Sha256(std::string_view data) {
  Sum sum{};
  unsigned int size = kSumBytes;
  EVP_Digest(data.data(), data.size(), sum.data(), &size, EVP_sha256(), nullptr);
  return sum;
}

std::string Hex(const Sum& sum) {
  constexpr std::string_view kDigitsOf16 = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : sum) {
    hex += kDigitsOf16[byte >> 4];
    hex += kDigitsOf16[byte & 15];
  }
  return hex;
}

// Whether a serialised message stops inside a field: what a cut file looks like.
bool EndsEarly(std::string_view message) {
  google::protobuf::io::ArrayInputStream bytes(message.data(), static_cast<int>(message.size()));
  google::protobuf::io::CodedInputStream in(&bytes);
  enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };
  while (in.CurrentPosition() < static_cast<int>(message.size())) {
    std::uint32_t tag = 0, length = 0;
    std::uint64_t number = 0;
    if (!in.ReadVarint32(&tag)) return true;
    switch (tag & 7) {
      case kVarint:
        if (!in.ReadVarint64(&number)) return true;
        break;
      case kFixed64:
        if (!in.Skip(8)) return true;
        break;
      case kFixed32:
        if (!in.Skip(4)) return true;
        break;
      case kLengthDelimited:
        if (!in.ReadVarint32(&length) || !in.Skip(static_cast<int>(length & 0x7FFFFFFF))) return true;
        break;
      default: return false;  // no such field: damaged, not cut
    }
  }
  return false;
}

// The checksum of the message that follows the header, or what is wrong with the bytes of a file.
Result<std::string> Check(const Envelope& envelope, std::string_view bytes, const std::filesystem::path& file) {
  const std::string magic(bytes.substr(0, kMagicBytes));
  if (magic.empty()) return BadFile(envelope, file, "truncated: it is empty");
  if (magic != envelope.magic.substr(0, magic.size())) {
    if (magic.size() == kMagicBytes && magic.substr(0, 7) == envelope.magic.substr(0, 7)) {
      return BadFile(envelope, file,
                     "written by another version (" + magic + ", this program reads " + std::string(envelope.magic) +
                         "): train it anew");
    }
    return BadFile(envelope, file, "it does not begin with " + std::string(envelope.magic));
  }
  if (bytes.size() <= kHeaderBytes) {
    return BadFile(envelope, file, "truncated: it has " + std::to_string(bytes.size()) + " bytes");
  }
  const std::string_view message = bytes.substr(kHeaderBytes);
  const Sum sum = Sha256(message);
  if (std::memcmp(sum.data(), bytes.data() + kMagicBytes, kSumBytes) != 0) {
    return BadFile(envelope, file,
                   EndsEarly(message) ? "truncated: it ends in the middle of a field (the file is cut or damaged)"
                                      : "checksum mismatch: the file is cut or damaged");
  }
  return Hex(sum);
}

// The size of a file that can be read.
Result<std::uintmax_t> SizeOf(const Envelope& envelope, const std::filesystem::path& file) {
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(file, code);
  if (code) return BadFile(envelope, file, code.message() + " (`" + std::string(envelope.command) + "` makes one)");
  if (size > kMaxFileBytes) return BadFile(envelope, file, "larger than 512 MiB");
  return size;
}

}  // namespace

std::string Checksum(std::string_view data) { return Hex(Sha256(data)); }

Error BadFile(const Envelope& envelope, const std::filesystem::path& file, const std::string& what) {
  return {ErrorClass::kCallersFault, Code::kFailedPrecondition,
          std::string(envelope.what) + " " + file.string() + ": " + what};
}

Result<EnvelopeFile> ReadEnvelope(const Envelope& envelope, const std::filesystem::path& file) {
  const Result<std::uintmax_t> size = SizeOf(envelope, file);
  if (!size) return size.error();
  std::string data(*size, '\0');
  std::ifstream in(file, std::ios::binary);
  if (!in.read(data.data(), static_cast<std::streamsize>(*size))) return BadFile(envelope, file, "cannot be read");
  return OpenEnvelope(envelope, std::move(data), file);
}

Result<MappedEnvelope> MapEnvelope(const Envelope& envelope, const std::filesystem::path& file) {
  const Result<std::uintmax_t> size = SizeOf(envelope, file);
  if (!size) return size.error();
  std::error_code code;
  MappedEnvelope mapped;
  mapped.file = MappedFile::Open(file, code);
  if (!mapped.file) return BadFile(envelope, file, "cannot be read: " + code.message());
  Result<std::string> checksum = Check(envelope, mapped.file->bytes(), file);
  if (!checksum) return std::move(checksum).error();
  mapped.message = mapped.file->bytes().substr(kHeaderBytes);
  mapped.checksum = *std::move(checksum);
  return mapped;
}

Result<EnvelopeFile> OpenEnvelope(const Envelope& envelope, std::string bytes, const std::filesystem::path& file) {
  Result<std::string> checksum = Check(envelope, bytes, file);
  if (!checksum) return std::move(checksum).error();
  bytes.erase(0, kHeaderBytes);
  return EnvelopeFile{std::move(bytes), *std::move(checksum)};
}

Result<std::string> WriteEnvelope(const Envelope& envelope, const std::filesystem::path& file,
                                  std::string_view message) {
  const Sum sum = Sha256(message);
  std::filesystem::path draft = file;
  draft += "." + std::to_string(getpid()) + ".tmp";
  errno = 0;
  std::ofstream out(draft, std::ios::binary | std::ios::trunc);
  out.write(envelope.magic.data(), kMagicBytes);
  out.write(reinterpret_cast<const char*>(sum.data()), kSumBytes);
  out.write(message.data(), static_cast<std::streamsize>(message.size()));
  out.close();
  std::error_code code;
  if (!out) {
    code = std::error_code(errno != 0 ? errno : EIO, std::generic_category());
  } else {
    std::filesystem::rename(draft, file, code);
  }
  if (code) {
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
    return BadFile(envelope, file, "cannot be written: " + code.message());
  }
  return Hex(sum);
}

}  // namespace pointsman::classifier
