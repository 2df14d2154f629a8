#include "router/classifier/envelope.h"

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

}  // namespace

Error BadFile(const Envelope& envelope, const std::filesystem::path& file, const std::string& what) {
  return {ErrorClass::kCallersFault, Code::kFailedPrecondition,
          std::string(envelope.what) + " " + file.string() + ": " + what};
}

Result<EnvelopeFile> ReadEnvelope(const Envelope& envelope, const std::filesystem::path& file) {
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(file, code);
  if (code) return BadFile(envelope, file, code.message() + " (`" + std::string(envelope.command) + "` makes one)");
  if (size > kMaxFileBytes) return BadFile(envelope, file, "larger than 512 MiB");
  std::string data(size, '\0');
  std::ifstream in(file, std::ios::binary);
  if (!in.read(data.data(), static_cast<std::streamsize>(size))) return BadFile(envelope, file, "cannot be read");
  const std::string_view bytes = data, magic = bytes.substr(0, kMagicBytes);
  if (magic != envelope.magic) {
    if (magic.empty()) return BadFile(envelope, file, "it is empty");
    if (magic.size() == kMagicBytes && magic.substr(0, 7) == envelope.magic.substr(0, 7)) {
      return BadFile(envelope, file,
                     "written by another version (" + std::string(magic) + ", this program reads " +
                         std::string(envelope.magic) + "): train it anew");
    }
    return BadFile(envelope, file, "it does not begin with " + std::string(envelope.magic));
  }
  if (bytes.size() <= kHeaderBytes) return BadFile(envelope, file, "cut after " + std::to_string(size) + " bytes");
  const std::string_view message = bytes.substr(kHeaderBytes);
  const Sum sum = Sha256(message);
  if (std::memcmp(sum.data(), bytes.data() + kMagicBytes, kSumBytes) != 0) {
    return BadFile(envelope, file, "checksum mismatch: the file is cut or damaged");
  }
  return EnvelopeFile{std::string(message), Hex(sum)};
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
