#include "router/classifier/envelope.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace pointsman::classifier {
namespace {

constexpr std::size_t kMagicBytes = 8, kSumBytes = 32;
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

Error BadArtifact(const Envelope& envelope, const std::filesystem::path& file, const std::string& flaw) {
  return {ErrorClass::kCallersFault, Code::kFailedPrecondition,
          std::string(envelope.what) + " " + file.string() + ": " + flaw};
}

Result<Enclosed> ReadEnvelope(const Envelope& envelope, const std::filesystem::path& file) {
  const auto bad = [&](const std::string& flaw) { return BadArtifact(envelope, file, flaw); };
  const std::string mend = " (`" + std::string(envelope.maker) + "` makes one)";
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(file, code);
  if (code) return bad(code.message() + mend);
  if (size > kMaxFileBytes) return bad("larger than 512 MiB: this is something else" + mend);
  std::string bytes(size, '\0');
  std::ifstream in(file, std::ios::binary);
  if (!in.read(bytes.data(), static_cast<std::streamsize>(size))) return bad("cannot be read");

  const std::string_view magic = std::string_view(bytes).substr(0, kMagicBytes);
  if (magic != envelope.magic.substr(0, magic.size()) || magic.empty()) {
    if (magic.size() == kMagicBytes && magic.substr(0, kMagicBytes - 1) == envelope.magic.substr(0, kMagicBytes - 1)) {
      return bad("written by another version of the program: make it anew with `" + std::string(envelope.maker) + "`");
    }
    return bad("does not begin with " + std::string(envelope.magic) + ": this is something else" + mend);
  }
  if (bytes.size() <= kMagicBytes + kSumBytes) return bad("truncated: it has " + std::to_string(size) + " bytes");
  Enclosed result;
  const Sum sum = Sha256(std::string_view(bytes).substr(kMagicBytes + kSumBytes));
  if (std::memcmp(sum.data(), bytes.data() + kMagicBytes, kSumBytes) != 0) {
    return bad("checksum mismatch: the file is damaged or truncated");
  }
  result.message = bytes.substr(kMagicBytes + kSumBytes);
  result.checksum = Hex(sum);
  return result;
}

Result<std::string> WriteEnvelope(const Envelope& envelope, const std::filesystem::path& file,
                                  std::string_view message) {
  const Sum sum = Sha256(message);
  std::filesystem::path draft = file;
  draft += "." + std::to_string(getpid()) + ".tmp";
  const auto failed = [&](const char* what) {
    const std::string why = errno != 0 ? std::strerror(errno) : "unknown error";
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
    return BadArtifact(envelope, file, std::string(what) + ": " + why);
  };
  errno = 0;
  std::ofstream out(draft, std::ios::binary | std::ios::trunc);
  if (!out) return failed("cannot be written");
  out.write(envelope.magic.data(), kMagicBytes);
  out.write(reinterpret_cast<const char*>(sum.data()), kSumBytes);
  out.write(message.data(), static_cast<std::streamsize>(message.size()));
  out.close();
  if (!out) return failed("cannot be written");
  std::error_code code;
  std::filesystem::rename(draft, file, code);
  if (code) {
    errno = code.value();
    return failed("cannot be put in place");
  }
  return Hex(sum);
}

}  // namespace pointsman::classifier
