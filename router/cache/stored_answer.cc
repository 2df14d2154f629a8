#include "router/cache/stored_answer.h"

#include <zstd.h>

#include "pointsman/v1/cache.pb.h"

namespace pointsman::cache {
namespace {

constexpr char kMark = 'P', kFormat = 1, kPlain = 0, kZstd = 1;
constexpr std::size_t kHead = 3;
constexpr int kLevel = 1;  // the fastest: a value is written once and read a few times

struct Freed {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// A context for each thread: making one costs more than compressing an answer.
ZSTD_CCtx* Compressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, Freed> context(ZSTD_createCCtx());
  return context.get();
}
ZSTD_DCtx* Decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, Freed> context(ZSTD_createDCtx());
  return context.get();
}

std::string Head(char compression) { return {kMark, kFormat, compression}; }

}  // namespace

std::string Encode(const v1::CompleteResponse& response, WallTime stored, std::uint64_t purges) {
  v1::CachedAnswer answer;
  answer.set_stored_unix_ms(std::chrono::duration_cast<std::chrono::milliseconds>(stored.time_since_epoch()).count());
  *answer.mutable_response() = response;
  answer.set_purges(purges);
  const std::size_t size = answer.ByteSizeLong();
  if (size > kLargestAnswer) return "";
  std::string message = Head(kPlain);
  answer.AppendToString(&message);
  if (size <= kCompressAbove) return message;
  std::string compressed = Head(kZstd);
  compressed.resize(kHead + ZSTD_compressBound(size));
  const std::size_t bytes = ZSTD_compressCCtx(Compressor(), compressed.data() + kHead, compressed.size() - kHead,
                                              message.data() + kHead, size, kLevel);
  if (ZSTD_isError(bytes) != 0U || bytes >= size) return message;
  compressed.resize(kHead + bytes);
  return compressed;
}

std::optional<StoredAnswer> Decode(std::string_view bytes) {
  if (bytes.size() < kHead || bytes[0] != kMark || bytes[1] != kFormat) return std::nullopt;
  std::string plain;
  std::string_view message = bytes.substr(kHead);
  if (bytes[2] == kZstd) {
    const unsigned long long size = ZSTD_getFrameContentSize(message.data(), message.size());
    // Unknown and damaged sizes are the largest numbers.
    if (size > kLargestAnswer) return std::nullopt;
    plain.resize(static_cast<std::size_t>(size));
    const std::size_t read =
        ZSTD_decompressDCtx(Decompressor(), plain.data(), plain.size(), message.data(), message.size());
    if (ZSTD_isError(read) != 0U || read != plain.size()) return std::nullopt;
    message = plain;
  } else if (bytes[2] != kPlain || message.size() > kLargestAnswer) {
    return std::nullopt;
  }
  v1::CachedAnswer answer;
  if (!answer.ParseFromArray(message.data(), static_cast<int>(message.size())) || !answer.has_response()) {
    return std::nullopt;
  }
  return StoredAnswer{std::make_shared<const v1::CompleteResponse>(std::move(*answer.mutable_response())),
                      WallTime(std::chrono::milliseconds(answer.stored_unix_ms())), answer.purges()};
}

}  // namespace pointsman::cache
