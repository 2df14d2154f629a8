#include "backends/engine/llama/quantize.h"

#include <llama.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "backends/engine/llama/library.h"

namespace pointsman::engine {

Result<void> Requantize(const std::filesystem::path& in, const std::filesystem::path& out,
                        const std::function<void(std::uintmax_t bytes)>& progress) {
  InitLlama();
  const auto failed = [](std::string what) {
    return Error(ErrorClass::kCallersFault, Code::kFailedPrecondition, std::move(what));
  };
  if (!std::filesystem::is_regular_file(in)) return failed(in.string() + " does not exist");
  std::filesystem::path temporary = out;
  temporary += ".partial-" + std::to_string(getpid());

  std::mutex mutex;
  std::condition_variable wake;
  bool done = false;
  std::thread reporter([&] {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, std::chrono::milliseconds(200), [&] { return done; })) {
      std::error_code ec;
      const std::uintmax_t size = std::filesystem::file_size(temporary, ec);
      if (!ec && progress) progress(size);
    }
  });

  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.ftype = LLAMA_FTYPE_MOSTLY_Q8_0;
  params.allow_requantize = true;
  LogCapture log;
  std::string error;
  try {
    if (llama_model_quantize(in.c_str(), temporary.c_str(), &params) != 0)
      error = log.Text("llama.cpp gives no reason");
  } catch (const std::exception& e) {
    error = e.what();
  }
  {
    std::lock_guard lock(mutex);
    done = true;
  }
  wake.notify_one();
  reporter.join();

  std::error_code ec;
  if (error.empty()) {
    std::filesystem::rename(temporary, out, ec);
    if (ec) error = "cannot write " + out.string() + ": " + ec.message();
  }
  if (!error.empty()) {
    std::filesystem::remove(temporary, ec);
    return failed(in.string() + " cannot be requantised: " + error);
  }
  return {};
}

}  // namespace pointsman::engine
