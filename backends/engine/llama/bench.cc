#include "backends/engine/llama/bench.h"

#include <algorithm>
#include <future>
#include <random>
#include <thread>

#include "backends/engine/llama/scheduler.h"

namespace pointsman::engine {
namespace {

// Knows only when the answer ended.
class EndSink final : public AnswerSink {
 public:
  void Emit(std::string, std::vector<v1::TokenLogprob>) override {}
  void Finish(v1::FinishReason, const v1::Usage&) override { end_.set_value({}); }
  void Fail(Error error) override { end_.set_value(std::move(error)); }
  bool Writable() const override { return true; }
  Result<void> Wait() { return end_.get_future().get(); }

 private:
  std::promise<Result<void>> end_;
};

// Random ordinary tokens, so that no two prompts share a beginning.
std::vector<Token> RandomPrompt(const LoadedModel& model, std::size_t length, std::mt19937& random) {
  std::vector<Token> prompt;
  while (prompt.size() < length) {
    const auto token = static_cast<Token>(random() % model.vocabulary_size());
    if (!model.Piece(token).empty()) prompt.push_back(token);
  }
  return prompt;
}

// Seconds for `sequences` requests at once.
Result<double> Time(Scheduler& scheduler, unsigned sequences, unsigned prompt, unsigned max_tokens,
                    std::mt19937& random) {
  v1::Sampling greedy;
  greedy.set_temperature(0);
  std::vector<std::shared_ptr<EndSink>> sinks;
  std::vector<Job> jobs;
  for (unsigned i = 0; i < sequences; ++i) {
    sinks.push_back(std::make_shared<EndSink>());
    Result<Sampler> sampler = Sampler::Make(*scheduler.model(), greedy, "");
    if (!sampler) return sampler.error();
    Job& job = jobs.emplace_back(RandomPrompt(*scheduler.model(), prompt, random), std::move(*sampler), sinks.back());
    job.max_tokens = max_tokens;
    job.ignore_end = true;
  }
  const Deadline start = Clock::now();
  for (Job& job : jobs) {
    if (auto queued = scheduler.Enqueue(std::move(job)); !queued) return queued.error();
  }
  for (const auto& sink : sinks) {
    if (auto ended = sink->Wait(); !ended) return ended.error();
  }
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Result<std::vector<BenchLine>> RunBench(const BenchOptions& options,
                                        const std::function<void(const BenchLine&)>& progress) {
  config::Model config;
  config.name = options.file.filename().string();
  config.file = options.file;
  config.context = std::max(options.prompt, options.decode) + 8;
  config.slots = 4;
  config.threads = options.threads;
  Permits permits(std::max(1u, options.threads == 0 ? std::thread::hardware_concurrency() : options.threads));
  std::promise<void> loaded;
  Scheduler scheduler(config, options.prompt_chunk, permits, [&] { loaded.set_value(); });
  loaded.get_future().wait();
  if (scheduler.model() == nullptr) {
    return Error(ErrorClass::kCallersFault, Code::kFailedPrecondition, scheduler.Status().error());
  }

  std::mt19937 random(1);
  std::vector<BenchLine> lines;
  struct Shape {
    const char* what;
    unsigned sequences, prompt, answer, counted;
  };
  const Shape shapes[] = {{"prompt", 1, options.prompt, 1, options.prompt},
                          {"decode", 1, 1, options.decode, options.decode},
                          {"decode", 4, 1, options.decode, options.decode}};
  for (const Shape& shape : shapes) {
    double best = 0;
    for (unsigned i = 0; i < options.repeats + 1; ++i) {  // the first warms up
      const Result<double> seconds = Time(scheduler, shape.sequences, shape.prompt, shape.answer, random);
      if (!seconds) return seconds.error();
      if (i > 0) best = std::max(best, shape.sequences * shape.counted / *seconds);
    }
    lines.push_back({shape.what, shape.sequences, best});
    if (progress) progress(lines.back());
  }
  return lines;
}

}  // namespace pointsman::engine
