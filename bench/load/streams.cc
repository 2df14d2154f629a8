#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "bench/floors/payload.h"
#include "bench/load/client.h"
#include "bench/load/process_stats.h"
#include "bench/load/run.h"

namespace pointsman::bench {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMemoryPeriod = kSecond / 5;  // between two looks at the server's memory

enum class Step { kIdle, kStarting, kReading, kFinishing };

// One stream, opened again when it ends.
struct Slot {
  v1::Pointsman::Stub* stub = nullptr;
  std::size_t next_request = 0;
  Step step = Step::kIdle;
  std::optional<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncReader<v1::CompleteEvent>> reader;
  v1::CompleteEvent event;
  grpc::Status status;
  std::int64_t started = 0;
  std::size_t chunks = 0;
  bool done = false;  // the event that says that the answer is whole
};

class StreamsRun {
 public:
  explicit StreamsRun(const RunOptions& options)
      : options_(options),
        stubs_(Connect(options.target, options.connections)),
        requests_(Requests(options.questions.expert, options.questions.policy)),
        slots_(static_cast<std::size_t>(options.calls)) {}

  Report Run() {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].stub = stubs_[i % stubs_.size()].get();
      slots_[i].next_request = i;
    }
    MachineUse machine = ReadMachine();
    std::optional<ProcessUse> before = ReadProcessTree(options_.pid);
    if (before) peak_memory_ = early_memory_ = before->anonymous_bytes;
    begin_ = NowNanoseconds();
    end_ = begin_ + static_cast<std::int64_t>(options_.seconds * kSecond);
    Pass();
    double seconds = static_cast<double>(NowNanoseconds() - begin_) / kSecond;
    std::optional<ProcessUse> after = ReadProcessTree(options_.pid);
    double stolen = StolenShare(machine, ReadMachine());
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }

    double chunks = static_cast<double>(delays_.size());
    report_.Add("streams", static_cast<double>(streams_), "");
    report_.Add("peak_open_streams", peak_open_, "");
    report_.Add("errors", static_cast<double>(errors_), "");
    report_.Add("chunks", chunks, "");
    report_.Add("messages", static_cast<double>(messages_), "");
    report_.Add("rate", chunks / seconds, "chunks_per_second");
    report_.Add("first_chunk_p50", PercentileMicroseconds(first_, 50), "us");
    report_.Add("first_chunk_p99", PercentileMicroseconds(first_, 99), "us");
    report_.Add("chunk_delay_p50", PercentileMicroseconds(delays_, 50), "us");
    report_.Add("chunk_delay_p99", PercentileMicroseconds(delays_, 99), "us");
    if (before && after && !delays_.empty()) {
      report_.Add("server_cpu_per_chunk", (after->cpu_seconds - before->cpu_seconds) * 1e6 / chunks, "us");
      report_.Add("memory_per_stream", static_cast<double>(peak_memory_ - before->anonymous_bytes) / 1024 / peak_open_,
                  "kb");
      if (peak_open_ > early_open_ && peak_memory_ >= early_memory_) {
        report_.Add("memory_per_further_stream",
                    static_cast<double>(peak_memory_ - early_memory_) / 1024 / (peak_open_ - early_open_), "kb");
      }
      report_.Add("idle_anonymous_memory", static_cast<double>(before->anonymous_bytes) / 1024, "kb");
    }
    report_.Add("stolen", stolen * 100, "percent");
    return report_;
  }

 private:
  // When slot i starts first.
  std::int64_t FirstStart(std::size_t i) const {
    return begin_ + static_cast<std::int64_t>(options_.spread_seconds * kSecond * static_cast<double>(i) /
                                              static_cast<double>(slots_.size()));
  }

  bool MayStart() const {
    return NowNanoseconds() < end_ && errors_ < 1000 && (options_.max_calls == 0 || started_ < options_.max_calls);
  }

  void Pass() {
    std::size_t waiting = 0;  // the first slot that has not started yet
    std::int64_t next_memory = begin_;
    for (;;) {
      std::int64_t now = NowNanoseconds();
      for (; waiting < slots_.size() && FirstStart(waiting) <= now; ++waiting) {
        if (waiting == stubs_.size()) LookAtEarlyMemory();
        if (MayStart()) Start(slots_[waiting]);
      }
      if (waiting == slots_.size() && open_ == 0) return;
      if (options_.pid != 0 && now >= next_memory) {
        next_memory = now + kMemoryPeriod;
        if (auto use = ReadProcessTree(options_.pid)) peak_memory_ = std::max(peak_memory_, use->anonymous_bytes);
      }
      std::int64_t until = std::max(next_memory, now + kSecond / 1000);
      if (waiting < slots_.size()) until = std::min(until, FirstStart(waiting));
      void* tag = nullptr;
      bool ok = false;
      auto deadline =
          std::chrono::system_clock::now() + std::chrono::nanoseconds(std::max<std::int64_t>(0, until - now));
      if (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT)
        Continue(*static_cast<Slot*>(tag), ok);
    }
  }

  // With one stream open on each connection: what the connections and the server's threads take is there by now.
  void LookAtEarlyMemory() {
    std::optional<ProcessUse> use;
    if (options_.pid != 0) use = ReadProcessTree(options_.pid);
    if (!use) return;
    early_memory_ = use->anonymous_bytes;
    early_open_ = open_;
  }

  void Start(Slot& slot) {
    slot.reader.reset();  // before its context
    slot.context.emplace();
    slot.context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    slot.chunks = 0;
    slot.done = false;
    slot.started = NowNanoseconds();
    slot.step = Step::kStarting;
    const v1::CompleteRequest& request = requests_[slot.next_request++ % requests_.size()];
    slot.reader = slot.stub->AsyncStreamComplete(&*slot.context, request, &queue_, &slot);
    ++started_;
    peak_open_ = std::max(peak_open_, ++open_);
  }

  void Continue(Slot& slot, bool ok) {
    switch (slot.step) {
      case Step::kIdle: return;
      case Step::kReading:
        if (ok) Count(slot);
        [[fallthrough]];
      case Step::kStarting:
        slot.step = ok ? Step::kReading : Step::kFinishing;
        if (ok) {
          slot.reader->Read(&slot.event, &slot);
        } else {
          slot.reader->Finish(&slot.status, &slot);
        }
        return;
      case Step::kFinishing:
        slot.step = Step::kIdle;
        --open_;
        Ended(slot);
        if (MayStart()) Start(slot);
        return;
    }
  }

  void Count(Slot& slot) {
    if (slot.event.has_done()) slot.done = true;
    if (!slot.event.has_delta()) return;
    std::int64_t now = NowNanoseconds();
    ++messages_;
    sent_.clear();
    FindChunks(slot.event.delta().text(), sent_);
    if (slot.chunks == 0 && !sent_.empty()) first_.push_back(now - slot.started);
    slot.chunks += sent_.size();
    for (std::int64_t sent : sent_) delays_.push_back(now - sent);
  }

  void Ended(const Slot& slot) {
    if (slot.status.ok() && slot.done && slot.chunks == static_cast<std::size_t>(kChunks)) {
      ++streams_;
      return;
    }
    ++errors_;
    if (!slot.status.ok()) {
      report_.AddError(slot.status.error_message());
    } else {
      report_.AddError("status OK, but " + std::to_string(slot.chunks) + " of " + std::to_string(kChunks) +
                       " chunks and " + (slot.done ? "a" : "no") + " done event");
    }
  }

  const RunOptions& options_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<v1::Pointsman::Stub>> stubs_;
  std::vector<v1::CompleteRequest> requests_;
  std::vector<Slot> slots_;
  std::int64_t begin_ = 0, end_ = 0;
  std::uint64_t started_ = 0, streams_ = 0, errors_ = 0, messages_ = 0;
  std::uint64_t peak_memory_ = 0, early_memory_ = 0;
  int open_ = 0, peak_open_ = 0, early_open_ = 0;
  std::vector<std::int64_t> first_, delays_, sent_;
  Report report_;
};

}  // namespace

Report RunStreams(const RunOptions& options) { return StreamsRun(options).Run(); }

}  // namespace pointsman::bench
