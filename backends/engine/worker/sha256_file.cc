#include "backends/engine/worker/sha256_file.h"

#include <openssl/evp.h>

#include <fstream>
#include <memory>
#include <vector>

namespace pointsman::engine {

Result<std::string> Sha256OfFile(const std::filesystem::path& file) {
  const auto failed = [&](const char* what) {
    return Error(ErrorClass::kRetryElsewhere, Code::kFailedPrecondition, file.string() + " " + what);
  };
  std::ifstream in(file, std::ios::binary);
  if (!in) return failed("cannot be opened");
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) return failed("cannot be hashed: no SHA-256");
  std::vector<char> buffer(1 << 20);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return failed("cannot be read to its end");
  unsigned char digest[32];
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest, &length);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

}  // namespace pointsman::engine
