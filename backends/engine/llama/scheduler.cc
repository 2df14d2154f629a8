#include "backends/engine/llama/scheduler.h"

#include <llama.h>

#include <algorithm>
#include <utility>

#include "backends/engine/llama/decoder.h"
#include "backends/engine/llama/library.h"
#include "backends/engine/llama/slot.h"

namespace pointsman::engine {
namespace {

// Copying another slot's memory is worth its bookkeeping (under 1 ms) from this many more tokens on.
constexpr std::size_t kCopyWorth = 32;

// Loading is bound by memory and disk: one model at a time is ready sooner than all at once.
std::mutex g_load_mutex;

std::size_t CommonPrefix(const std::vector<Token>& a, const std::vector<Token>& b) {
  const auto mismatch = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(mismatch.first - a.begin());
}

std::string_view RoleName(v1::Role role) {
  switch (role) {
    case v1::ROLE_SYSTEM: return "system";
    case v1::ROLE_ASSISTANT: return "assistant";
    case v1::ROLE_TOOL: return "tool";
    default: return "user";
  }
}

std::vector<ChatMessage> ChatMessages(const v1::GenerateRequest& request) {
  std::vector<ChatMessage> messages;
  for (const v1::Message& message : request.messages()) {
    ChatMessage& chat = messages.emplace_back();
    chat.role = RoleName(message.role());
    for (const v1::Part& part : message.parts()) chat.content += part.text();
  }
  return messages;
}

}  // namespace

Scheduler::Scheduler(config::Model config, unsigned prompt_chunk, Permits& permits, std::function<void()> changed)
    : config_(std::move(config)),
      prompt_chunk_(std::max(1u, prompt_chunk)),
      permits_(permits),
      changed_(std::move(changed)),
      thread_([this] { Run(); }) {}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::Stop() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::Wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

Result<void> Scheduler::Submit(const v1::GenerateRequest& request, Deadline deadline,
                               std::shared_ptr<AnswerSink> sink) {
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kFailed) return Error(ErrorClass::kRetryElsewhere, Code::kFailedPrecondition, error_);
    if (state_ == State::kLoading) return Unavailable("model " + config_.name + " is still loading");
    // Looked at once more in Enqueue: this early answer saves the tokenizer's work when the queue is full.
    if (queue_.size() + busy_ >= config_.queue + config_.slots) {
      return Error(ErrorClass::kRetryElsewhere, Code::kResourceExhausted,
                   "model " + config_.name + ": all " + std::to_string(config_.slots) + " slots are busy and " +
                       std::to_string(queue_.size()) + " requests wait already");
    }
  }
  Result<std::vector<Token>> prompt = model_->Tokenize(ChatMessages(request), config_.context);
  if (!prompt) return std::move(prompt).error();
  Result<std::string> grammar = GrammarOf(request.response_format());
  if (!grammar) return std::move(grammar).error();
  Result<Sampler> sampler = Sampler::Make(*model_, request.sampling(), *grammar);
  if (!sampler) return std::move(sampler).error();

  Job job(std::move(*prompt), std::move(*sampler), std::move(sink));
  for (const std::string& stop : request.sampling().stop()) {
    if (!stop.empty()) job.stop.push_back(stop);
  }
  job.max_tokens = request.sampling().max_tokens();
  job.logprobs = request.logprobs();
  job.top_logprobs = std::min<std::size_t>(request.top_logprobs(), 20);
  job.deadline = deadline;
  return Enqueue(std::move(job));
}

Result<void> Scheduler::Enqueue(Job job) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return Unavailable("the engine is stopping");
    if (queue_.size() + busy_ >= config_.queue + config_.slots) {
      return Error(ErrorClass::kRetryElsewhere, Code::kResourceExhausted,
                   "model " + config_.name + ": all " + std::to_string(config_.slots) + " slots are busy and " +
                       std::to_string(queue_.size()) + " requests wait already");
    }
    queue_.push_back(std::move(job));
    woken_ = true;
  }
  wake_.notify_one();
  return {};
}

v1::ModelStatus Scheduler::Status() const {
  v1::ModelStatus status;
  std::lock_guard lock(mutex_);
  status.set_name(config_.name);
  status.set_kind("text");
  status.set_state(state_ == State::kLoading ? "loading" : state_ == State::kReady ? "ready" : "failed");
  status.set_error(error_);
  status.set_slots(config_.slots);
  status.set_slots_busy(busy_);
  status.set_queued(static_cast<std::uint32_t>(queue_.size()));
  status.set_context(config_.context);
  status.set_tokens_generated(tokens_generated_);
  status.set_prompt_tokens(prompt_tokens_);
  return status;
}

void Scheduler::Fail(const std::string& message) {
  if (!stopping()) WriteLogLine("error: " + message);
  {
    std::lock_guard lock(mutex_);
    state_ = State::kFailed;
    error_ = message;
  }
  changed_();
}

void Scheduler::Run() {
  const auto cancelled = [](void* self) { return static_cast<Scheduler*>(self)->stopping(); };
  const unsigned threads = config_.threads == 0 ? permits_.total() : std::min(config_.threads, permits_.total());
  std::unique_ptr<Decoder> decoder;
  {
    std::lock_guard one_at_a_time(g_load_mutex);
    if (stopping()) return Fail("the engine is stopping");
    Result<std::unique_ptr<LoadedModel>> model = LoadedModel::Load(config_, cancelled, this);
    if (!model) return Fail(model.error().message);
    model_ = std::move(*model);
    Result<std::unique_ptr<Decoder>> made = Decoder::Make(*model_, config_, prompt_chunk_, threads, stopping_);
    if (!made) return Fail(made.error().message);
    decoder = std::move(*made);
  }
  loaded_.store(model_.get(), std::memory_order_release);  // before anybody reads that it is ready
  {
    std::lock_guard lock(mutex_);
    state_ = State::kReady;
  }
  changed_();

  std::vector<Slot> slots;
  slots.reserve(config_.slots);
  for (unsigned i = 0; i < config_.slots; ++i) slots.emplace_back(static_cast<int>(i), config_.context);
  Loop(*decoder, slots);

  const auto stopped = [] { return Unavailable("the engine is stopping"); };
  for (Slot& slot : slots) {
    if (slot.busy()) slot.Fail(stopped());
  }
  std::deque<Job> left;
  {
    std::lock_guard lock(mutex_);
    left.swap(queue_);
    closed_ = true;
  }
  for (Job& job : left) job.sink->Fail(stopped());
}

void Scheduler::Loop(Decoder& decoder, std::vector<Slot>& slots) {
  bool working = false;
  while (!stopping()) {
    Admit(decoder, slots);
    DropUnwanted(slots);
    const bool work = HasWork(slots);
    if (work != working) {
      work ? permits_.Enter() : permits_.Leave();
      working = work;
    }
    if (work) {
      Step(decoder, slots);
      continue;
    }
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return woken_; });
    woken_ = false;
  }
  if (working) permits_.Leave();
}

// Moves waiting requests into free slots, each into the one whose memory begins most like its prompt.
void Scheduler::Admit(Decoder& decoder, std::vector<Slot>& slots) {
  while (true) {
    std::optional<Job> job;
    std::vector<Job> unwanted;
    {
      std::lock_guard lock(mutex_);
      // Those that nobody waits for make room for others, free slot or not.
      const Deadline now = Clock::now();
      const auto first = std::stable_partition(queue_.begin(), queue_.end(), [&](const Job& waiting) {
        return !waiting.sink->cancelled && waiting.deadline > now;
      });
      unwanted.assign(std::move_iterator(first), std::move_iterator(queue_.end()));
      queue_.erase(first, queue_.end());
      if (!queue_.empty() && busy_ < slots.size()) {
        job.emplace(std::move(queue_.front()));
        queue_.pop_front();
        ++busy_;
      }
    }
    // Not under the lock: a sink may call back.
    for (Job& gone : unwanted) {
      gone.sink->Fail(gone.sink->cancelled ? Cancelled("cancelled while it waited for a slot")
                                           : DeadlineExceeded("the deadline passed while it waited for a slot"));
    }
    if (!job) return;

    Slot* best = nullptr;
    std::size_t best_prefix = 0;
    for (Slot& slot : slots) {
      if (slot.busy()) continue;
      const std::size_t prefix = CommonPrefix(slot.cached, job->prompt);
      // Of equals the one that was idle longest, so that what others left behind stays useful.
      if (best == nullptr || prefix > best_prefix || (prefix == best_prefix && slot.last_used < best->last_used)) {
        best = &slot;
        best_prefix = prefix;
      }
    }

    // At least the last prompt token is computed: its logits give the first token of the answer.
    std::size_t reused = std::min(best_prefix, job->prompt.size() - 1);
    const Slot* donor = nullptr;
    for (const Slot& slot : slots) {
      const std::size_t prefix = std::min(CommonPrefix(slot.cached, job->prompt), job->prompt.size() - 1);
      if (&slot != best && prefix >= reused + kCopyWorth) {
        donor = &slot;
        reused = prefix;
      }
    }
    const bool kept = donor != nullptr ? decoder.CopyPrefix(donor->sequence(), best->sequence(), reused)
                                       : decoder.Truncate(best->sequence(), reused);
    if (!kept) reused = 0;
    best->cached.assign(job->prompt.begin(), job->prompt.begin() + static_cast<std::ptrdiff_t>(reused));
    best->order = ++arrivals_;
    best->Start(std::move(*job), reused);
  }
}

void Scheduler::DropUnwanted(std::vector<Slot>& slots) {
  const Deadline now = Clock::now();
  for (Slot& slot : slots) {
    if (!slot.busy()) continue;
    if (slot.job().sink->cancelled) {
      slot.Fail(Cancelled("cancelled"));
      --busy_;
    } else if (slot.job().deadline <= now) {
      slot.Fail(DeadlineExceeded("the deadline passed during generation"));
      --busy_;
    }
  }
}

bool Scheduler::HasWork(const std::vector<Slot>& slots) const {
  return std::any_of(slots.begin(), slots.end(),
                     [](const Slot& slot) { return slot.busy() && slot.job().sink->Writable(); });
}

void Scheduler::Step(Decoder& decoder, std::vector<Slot>& slots) {
  ++steps_;
  decoder.Clear();
  std::vector<Slot*> in_batch, in_prompt;
  std::vector<std::size_t> fed(slots.size(), 0);
  for (Slot& slot : slots) {
    slot.output = -1;
    if (!slot.busy() || !slot.job().sink->Writable()) continue;
    if (slot.in_prompt()) {
      in_prompt.push_back(&slot);
      continue;
    }
    slot.output = decoder.Add(slot.next(), slot.cached.size(), slot.sequence(), true);
    fed[static_cast<std::size_t>(slot.sequence())] = 1;
    in_batch.push_back(&slot);
  }
  std::sort(in_prompt.begin(), in_prompt.end(), [](const Slot* a, const Slot* b) { return a->order < b->order; });
  std::size_t room = prompt_chunk_;
  for (Slot* slot : in_prompt) {
    if (room == 0) break;
    const std::vector<Token>& prompt = slot->job().prompt;
    const std::size_t begin = slot->cached.size();
    const std::size_t count = std::min(room, prompt.size() - begin);
    for (std::size_t i = begin; i < begin + count; ++i) {
      const bool last = i + 1 == prompt.size();
      const int index = decoder.Add(prompt[i], i, slot->sequence(), last);
      if (last) slot->output = index;
    }
    fed[static_cast<std::size_t>(slot->sequence())] = count;
    room -= count;
    in_batch.push_back(slot);
  }

  const unsigned wish = std::min(config_.threads == 0 ? permits_.total() : config_.threads, permits_.Share());
  const unsigned threads = permits_.Acquire(tuner_.Choose(wish, decoder.size()));
  const Deadline started = Clock::now();
  const Decoder::Outcome outcome = decoder.Decode(threads);
  tuner_.Report(threads, decoder.size(), std::chrono::duration<double>(Clock::now() - started).count());
  permits_.Release(threads);

  for (Slot* slot : in_batch) {
    slot->last_used = steps_;
    if (outcome != Decoder::Outcome::kOk) {
      decoder.Truncate(slot->sequence(), 0);
      slot->cached.clear();
      slot->Fail(outcome == Decoder::Outcome::kAborted
                     ? Unavailable("the engine is stopping")
                     : Internal("llama.cpp could not compute this step: " + decoder.error()));
      --busy_;
      continue;
    }
    const std::size_t count = fed[static_cast<std::size_t>(slot->sequence())];
    if (slot->in_prompt()) {
      const auto begin = slot->job().prompt.begin() + static_cast<std::ptrdiff_t>(slot->cached.size());
      slot->cached.insert(slot->cached.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
      prompt_tokens_ += count;
    } else {
      slot->cached.push_back(slot->next());
    }
    if (slot->output < 0) continue;
    const std::size_t before = slot->generated();
    const std::span<const float> logits = decoder.Logits(slot->output);
    if (logits.empty()) {
      slot->Fail(Internal("llama.cpp returned no logits"));
    } else {
      slot->Advance(*model_, logits, scratch_);
    }
    tokens_generated_ += slot->generated() - before;
    if (!slot->busy()) --busy_;
  }
}

}  // namespace pointsman::engine
