#include <grpcpp/grpcpp.h>

#include <chrono>
#include <optional>
#include <vector>

#include "bench/floors/payload.h"
#include "bench/load/client.h"
#include "bench/load/process_stats.h"
#include "bench/load/run.h"

namespace pointsman::bench {
namespace {

using Clock = std::chrono::steady_clock;

// One call in flight, made again and again.
struct Slot {
  v1::Pointsman::Stub* stub = nullptr;
  std::size_t next_request = 0;
  std::optional<grpc::ClientContext> context;
  v1::CompleteResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::CompleteResponse>> reader;
  std::int64_t started = 0;
};

bool HasAnswer(const v1::CompleteResponse& response) {
  return response.message().parts_size() > 0 && response.message().parts(0).text().size() >= 100;
}

class UnaryRun {
 public:
  explicit UnaryRun(const RunOptions& options)
      : options_(options),
        stubs_(Connect(options.target, options.connections)),
        requests_(Requests(options.expert, options.policy)),
        slots_(static_cast<std::size_t>(options.calls)) {}

  Report Run() {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].stub = stubs_[i % stubs_.size()].get();
      slots_[i].next_request = i;
      Start(slots_[i]);
    }
    Pass(options_.warm_up_seconds, 0);
    measuring_ = true;
    MachineUse machine = ReadMachine();
    std::optional<ProcessUse> before = ReadProcessTree(options_.pid);
    std::int64_t begin = NowNanoseconds();
    Pass(options_.seconds, options_.max_calls);
    double seconds = static_cast<double>(NowNanoseconds() - begin) / 1e9;
    std::optional<ProcessUse> after = ReadProcessTree(options_.pid);
    double stolen = StolenShare(machine, ReadMachine());
    measuring_ = false;
    std::size_t good = latencies_.size();
    Drain();

    double calls = static_cast<double>(good);
    report_.Add("calls", calls, "");
    report_.Add("errors", static_cast<double>(errors_), "");
    report_.Add("rate", calls / seconds, "per_second");
    report_.Add("latency_p50", PercentileMicroseconds(latencies_, 50), "us");
    report_.Add("latency_p99", PercentileMicroseconds(latencies_, 99), "us");
    if (before && after && good > 0) {
      report_.Add("server_cpu_per_call", (after->cpu_seconds - before->cpu_seconds) * 1e6 / calls, "us");
      report_.Add("server_anonymous_memory", static_cast<double>(after->anonymous_bytes) / 1024, "kb");
    }
    report_.Add("stolen", stolen * 100, "percent");
    return report_;
  }

 private:
  void Start(Slot& slot) {
    slot.reader.reset();  // before its context
    slot.context.emplace();
    slot.context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    slot.started = NowNanoseconds();
    const v1::CompleteRequest& request = requests_[slot.next_request++ % requests_.size()];
    slot.reader = slot.stub->AsyncComplete(&*slot.context, request, &queue_);
    slot.reader->Finish(&slot.response, &slot.status, &slot);
    ++open_;
  }

  void Ended(Slot& slot) {
    --open_;
    bool good = slot.status.ok() && HasAnswer(slot.response);
    if (!good) {
      ++errors_;
      report_.AddError(slot.status.ok() ? "status OK with an answer of less than 100 bytes"
                                        : slot.status.error_message());
    } else if (measuring_) {
      latencies_.push_back(NowNanoseconds() - slot.started);
    }
  }

  // Keeps all slots busy until the time is up, `max_calls` (0 = any number) ended well, or too many failed.
  void Pass(double seconds, std::uint64_t max_calls) {
    Clock::time_point end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    auto end_for_grpc = std::chrono::system_clock::now() + (end - Clock::now());
    void* tag = nullptr;
    bool ok = false;
    while (errors_ < 1000 && (max_calls == 0 || latencies_.size() < max_calls) && Clock::now() < end &&
           queue_.AsyncNext(&tag, &ok, end_for_grpc) == grpc::CompletionQueue::GOT_EVENT) {
      Slot& slot = *static_cast<Slot*>(tag);
      Ended(slot);
      Start(slot);
    }
  }

  void Drain() {
    void* tag = nullptr;
    bool ok = false;
    while (open_ > 0 && queue_.Next(&tag, &ok)) Ended(*static_cast<Slot*>(tag));
    queue_.Shutdown();
    while (queue_.Next(&tag, &ok)) {
    }
  }

  const RunOptions& options_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<v1::Pointsman::Stub>> stubs_;
  std::vector<v1::CompleteRequest> requests_;
  std::vector<Slot> slots_;
  std::vector<std::int64_t> latencies_;
  std::uint64_t errors_ = 0;
  int open_ = 0;
  bool measuring_ = false;
  Report report_;
};

}  // namespace

Report RunUnary(const RunOptions& options) { return UnaryRun(options).Run(); }

}  // namespace pointsman::bench
