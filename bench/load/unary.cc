#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>
#include <fstream>
#include <optional>
#include <vector>

#include "bench/floors/payload.h"
#include "bench/load/client.h"
#include "bench/load/process_stats.h"
#include "bench/load/run.h"

namespace pointsman::bench {
namespace {

using Clock = std::chrono::steady_clock;

enum class Step { kIdle, kStarting, kReading, kFinishing };

// One call in flight, made again and again.
struct Slot {
  v1::Pointsman::Stub* stub = nullptr;
  Step step = Step::kIdle;
  std::optional<grpc::ClientContext> context;
  grpc::Status status;
  std::int64_t started = 0;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::CompleteResponse>> whole;
  v1::CompleteResponse response;
  std::unique_ptr<grpc::ClientAsyncReader<v1::CompleteEvent>> stream;
  v1::CompleteEvent event;
  std::size_t text = 0, events = 0;  // streamed so far: bytes of text, events
  bool done = false;                 // the event that says that the answer is whole
  std::string store;                 // of the cache, where the answer comes from
};

struct Sample {
  std::int64_t started, latency;  // nanoseconds
};

class UnaryRun {
 public:
  explicit UnaryRun(const RunOptions& options)
      : options_(options),
        stubs_(Connect(options.target, options.connections)),
        questions_(options.questions),
        slots_(static_cast<std::size_t>(options.calls)) {}

  Report Run() {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].stub = stubs_[i % stubs_.size()].get();
      if (options_.rate > 0) {
        free_.push_back(&slots_[i]);
      } else {
        Start(slots_[i]);
      }
    }
    due_ = NowNanoseconds();
    Pass(options_.warm_up_seconds, 0);
    measuring_ = true;
    MachineUse machine = ReadMachine();
    std::optional<ProcessUse> before = ReadProcessTree(options_.pid);
    std::int64_t begin = due_ = NowNanoseconds();
    Pass(options_.seconds, options_.max_calls);
    double seconds = static_cast<double>(NowNanoseconds() - begin) / 1e9;
    std::optional<ProcessUse> after = ReadProcessTree(options_.pid);
    double stolen = StolenShare(machine, ReadMachine());
    measuring_ = false;
    Drain();

    double calls = static_cast<double>(samples_.size());
    std::vector<std::int64_t> latencies;
    for (const Sample& sample : samples_) latencies.push_back(sample.latency);
    report_.Add("calls", calls, "");
    report_.Add("errors", static_cast<double>(errors_), "");
    report_.Add("rate", calls / seconds, "per_second");
    report_.Add("latency_p50", PercentileMicroseconds(latencies, 50), "us");
    report_.Add("latency_p99", PercentileMicroseconds(latencies, 99), "us");
    report_.Add("latency_max", PercentileMicroseconds(latencies, 100), "us");
    if (before && after && !samples_.empty()) {
      report_.Add("server_cpu_per_call", (after->cpu_seconds - before->cpu_seconds) * 1e6 / calls, "us");
      report_.Add("server_anonymous_memory", static_cast<double>(after->anonymous_bytes) / 1024, "kb");
    }
    report_.Add("hits_memory", static_cast<double>(from_memory_), "");
    report_.Add("hits_redis", static_cast<double>(from_redis_), "");
    for (std::size_t i = 0; i < message_bytes_.size(); ++i) {
      if (message_bytes_[i] == 0) continue;
      report_.Add("message_" + std::to_string(i + 1), static_cast<double>(message_bytes_[i]), "bytes");
    }
    report_.Add("stolen", stolen * 100, "percent");
    if (!options_.record.empty()) Record();
    return report_;
  }

 private:
  void Start(Slot& slot) {
    slot.whole.reset();  // before its context
    slot.stream.reset();
    slot.context.emplace();
    slot.context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    const v1::CompleteRequest request = questions_.Next();
    slot.started = NowNanoseconds();
    slot.text = slot.events = 0;
    slot.done = false;
    if (options_.streamed) {
      slot.step = Step::kStarting;
      slot.stream = slot.stub->AsyncStreamComplete(&*slot.context, request, &queue_, &slot);
    } else {
      slot.step = Step::kFinishing;
      slot.whole = slot.stub->AsyncComplete(&*slot.context, request, &queue_);
      slot.whole->Finish(&slot.response, &slot.status, &slot);
    }
    ++open_;
  }

  // true: the call has ended.
  bool Continue(Slot& slot, bool ok) {
    switch (slot.step) {
      case Step::kIdle: return false;
      case Step::kReading:
        if (ok) Look(slot);
        [[fallthrough]];
      case Step::kStarting:
        slot.step = ok ? Step::kReading : Step::kFinishing;
        if (ok) {
          slot.stream->Read(&slot.event, &slot);
        } else {
          slot.stream->Finish(&slot.status, &slot);
        }
        return false;
      case Step::kFinishing: slot.step = Step::kIdle; return true;
    }
    return false;
  }

  void Look(Slot& slot) {
    if (slot.events < message_bytes_.size()) message_bytes_[slot.events] = slot.event.ByteSizeLong();
    ++slot.events;
    slot.text += slot.event.delta().text().size();
    if (!slot.event.has_done()) return;
    slot.done = true;
    slot.store = slot.event.done().trace().cache_store();
  }

  void Ended(Slot& slot) {
    --open_;
    if (!options_.streamed && slot.response.message().parts_size() > 0) {
      slot.text = slot.response.message().parts(0).text().size();
      slot.done = true;
      message_bytes_[0] = slot.response.ByteSizeLong();
      slot.store = slot.response.trace().cache_store();
    }
    if (!slot.status.ok()) {
      Failed(slot.status.error_message());
    } else if (slot.text < 100 || !slot.done) {
      Failed("status OK with an answer of " + std::to_string(slot.text) + " bytes of text and " +
             (slot.done ? "an" : "no") + " end");
    } else if (measuring_) {
      samples_.push_back({slot.started, NowNanoseconds() - slot.started});
      from_memory_ += slot.store == "memory";
      from_redis_ += slot.store == "redis";
    }
  }

  void Failed(const std::string& why) {
    ++errors_;
    report_.AddError(why);
  }

  // Until the time is up, `max_calls` (0 = any number) ended well, or too many failed.
  void Pass(double seconds, std::uint64_t max_calls) {
    const std::int64_t end = NowNanoseconds() + static_cast<std::int64_t>(seconds * 1e9);
    void* tag = nullptr;
    bool ok = false;
    while (errors_ < 1000 && (max_calls == 0 || samples_.size() < max_calls)) {
      const std::int64_t now = NowNanoseconds();
      if (now >= end) return;
      if (options_.rate > 0) StartDue(now);
      const std::int64_t until = options_.rate > 0 ? std::min(end, due_) : end;
      const auto wait =
          std::chrono::system_clock::now() + std::chrono::nanoseconds(std::max<std::int64_t>(0, until - now));
      if (queue_.AsyncNext(&tag, &ok, wait) != grpc::CompletionQueue::GOT_EVENT) continue;
      Slot& slot = *static_cast<Slot*>(tag);
      if (!Continue(slot, ok)) continue;
      Ended(slot);
      if (options_.rate > 0) {
        free_.push_back(&slot);
      } else {
        Start(slot);
      }
    }
  }

  void StartDue(std::int64_t now) {
    for (; due_ <= now; due_ += static_cast<std::int64_t>(1e9 / options_.rate)) {
      if (free_.empty()) {
        Failed("all " + std::to_string(slots_.size()) + " calls were in flight when the next was due");
        continue;
      }
      Slot& slot = *free_.back();
      free_.pop_back();
      Start(slot);
    }
  }

  void Drain() {
    void* tag = nullptr;
    bool ok = false;
    while (open_ > 0 && queue_.Next(&tag, &ok)) {
      Slot& slot = *static_cast<Slot*>(tag);
      if (Continue(slot, ok)) Ended(slot);
    }
    queue_.Shutdown();
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Record() {
    std::ofstream file(options_.record);
    for (const Sample& sample : samples_) file << sample.started << ' ' << sample.latency << '\n';
    if (!file.flush()) Failed("cannot write " + options_.record);
  }

  const RunOptions& options_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<v1::Pointsman::Stub>> stubs_;
  Questions questions_;
  std::vector<Slot> slots_;
  std::vector<Slot*> free_;  // at a rate: those without a call
  std::int64_t due_ = 0;     // at a rate: when the next call starts
  std::vector<Sample> samples_;
  std::array<std::size_t, 8> message_bytes_{};  // of the last answer: whole, or its first events
  std::uint64_t errors_ = 0, from_memory_ = 0, from_redis_ = 0;
  int open_ = 0;
  bool measuring_ = false;
  Report report_;
};

}  // namespace

Report RunUnary(const RunOptions& options) { return UnaryRun(options).Run(); }

}  // namespace pointsman::bench
