#include "backends/engine/llama/gguf_size.h"

#include <gguf.h>

#include <algorithm>
#include <memory>

#include "backends/engine/llama/library.h"

namespace pointsman::engine {

Result<std::uintmax_t> GgufSize(const std::filesystem::path& file) {
  InitLlama();
  LogCapture log;
  const auto failed = [](const std::string& why) {
    return Error(ErrorClass::kRetryElsewhere, Code::kFailedPrecondition,
                 "is damaged or cut short: its metadata cannot be read: " + why);
  };
  try {
    const std::unique_ptr<gguf_context, decltype(&gguf_free)> gguf(
        gguf_init_from_file(file.c_str(), {.no_alloc = true, .ctx = nullptr}), &gguf_free);
    if (gguf == nullptr) return failed(log.Text("llama.cpp gives no reason"));
    std::uintmax_t end = gguf_get_data_offset(gguf.get());
    for (std::int64_t i = 0; i < gguf_get_n_tensors(gguf.get()); ++i) {
      end = std::max<std::uintmax_t>(end, gguf_get_data_offset(gguf.get()) + gguf_get_tensor_offset(gguf.get(), i) +
                                              gguf_get_tensor_size(gguf.get(), i));
    }
    return end;
  } catch (const std::exception& e) {
    return failed(e.what());
  }
}

}  // namespace pointsman::engine
