#include "router/telemetry/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

namespace pointsman::telemetry {
namespace {

constexpr std::size_t kQueue = 4096;  // lines

// Our lines are finished texts; for people, the writer puts time and level (in colour on a terminal) before them.
constexpr char kHumanPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v";
constexpr char kJsonPattern[] = "%v";

spdlog::level::level_enum SpdlogLevel(Level level) {
  switch (level) {
    case Level::kTrace: return spdlog::level::trace;
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

// One set-up. A line holds its set-up while it is logged, so none goes away under it.
struct Writer {
  std::shared_ptr<spdlog::details::thread_pool> pool;  // null: written at once
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;

  std::uint64_t dropped() const { return pool == nullptr ? 0 : pool->overrun_counter(); }
};

std::shared_ptr<const Writer> MakeWriter(const config::Telemetry& settings, const std::filesystem::path& file,
                                         bool queue) {
  auto writer = std::make_shared<Writer>();
  writer->json = settings.log_format == config::LogFormat::kJson;
  spdlog::sink_ptr sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  }
  if (queue) {
    writer->pool = std::make_shared<spdlog::details::thread_pool>(kQueue, 1);
    writer->logger = std::make_shared<spdlog::async_logger>("pointsman", std::move(sink), writer->pool,
                                                            spdlog::async_overflow_policy::overrun_oldest);
  } else {
    writer->logger = std::make_shared<spdlog::logger>("pointsman", std::move(sink));
  }
  writer->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(writer->json ? kJsonPattern : kHumanPattern,
                                                                            spdlog::pattern_time_type::utc));
  writer->logger->set_level(spdlog::level::trace);  // Log has looked already
  writer->logger->flush_on(spdlog::level::info);
  // A disk that is full must not fill the terminal with complaints about itself.
  writer->logger->set_error_handler([](const std::string&) {});
  return writer;
}

struct State {
  std::mutex mutex;
  std::shared_ptr<const Writer> writer;  // null before StartLog's first call and after StopLog's
  std::uint64_t dropped = 0;             // by earlier writers
  std::atomic<int> level = spdlog::level::info;
  std::atomic<bool> prompts = false;

  std::shared_ptr<const Writer> Current() {
    const std::lock_guard lock(mutex);
    if (writer == nullptr) writer = MakeWriter({}, {}, false);
    return writer;
  }
  // The old writer ends, with all that is queued, when its last line is through.
  void Replace(std::shared_ptr<const Writer> next) {
    {
      const std::lock_guard lock(mutex);
      if (writer != nullptr) dropped += writer->dropped();
      std::swap(writer, next);
    }
    next.reset();  // waits for its thread: not under the lock
  }
};

// Never destroyed: other threads may log until the process ends.
State& TheState() {
  static State* state = new State;
  return *state;
}

std::string Timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%06dZ", static_cast<int>(micros % 1'000'000));
  return text;
}

}  // namespace

void StartLog(const config::Telemetry& settings, const std::filesystem::path& file) {
  State& state = TheState();
  state.Replace(MakeWriter(settings, file, true));
  state.level = spdlog::level::from_str(settings.log_level);
  state.prompts = settings.log_prompts;
}

void StopLog() { TheState().Replace(nullptr); }

bool LogEnabled(Level level) { return SpdlogLevel(level) >= TheState().level.load(std::memory_order_relaxed); }

bool LogPrompts() { return TheState().prompts.load(std::memory_order_relaxed); }

void Log(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!LogEnabled(level)) return;
  const auto writer = TheState().Current();
  const std::string line =
      writer->json ? FormatJson(Timestamp(), level, message, fields) : FormatHuman(message, fields);
  writer->logger->log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t LogDropped() {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  return state.dropped + (state.writer == nullptr ? 0 : state.writer->dropped());
}

}  // namespace pointsman::telemetry
