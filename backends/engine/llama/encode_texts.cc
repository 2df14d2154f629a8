#include "backends/engine/llama/encode_texts.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "backends/engine/llama/encoder.h"
#include "config/gguf.h"

namespace pointsman::engine {
namespace {

constexpr unsigned kMostThreads = 256;

// One encoder for each thread: threads that share the work of a step wait for each other at every operation, and a step
// of this size is too small for that.
class Crew {
 public:
  static Result<std::unique_ptr<Crew>> Load(const std::filesystem::path& file, unsigned threads) {
    config::Model model;
    model.name = file.filename().string();
    model.file = file;
    model.SetKind(config::ModelKind::kEncoder);
    if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
    auto crew = std::make_unique<Crew>();
    for (unsigned i = 0; i < std::min(threads, kMostThreads); ++i) {
      Result<std::unique_ptr<Encoder>> encoder = Encoder::Load(model, 1, crew->failed_);
      if (!encoder) return std::move(encoder).error();
      crew->encoders_.push_back(*std::move(encoder));
    }
    return crew;
  }

  const Encoder& encoder() const { return *encoders_.front(); }

  // The vectors of texts 0 to count - 1; `tokens(i)` is text i and is called in that order, by one thread at a time.
  Result<std::vector<std::vector<float>>> Encode(std::size_t count,
                                                 const std::function<Result<EncoderTokens>(std::size_t)>& tokens,
                                                 const std::function<void(double)>& progress) {
    count_ = count;
    tokens_ = &tokens;
    vectors_.resize(count);
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < encoders_.size(); ++i) others.emplace_back([this, i] { Work(*encoders_[i], nullptr); });
    Work(*encoders_.front(), progress);
    for (std::thread& other : others) other.join();
    if (error_) return *std::move(error_);
    return std::move(vectors_);
  }

 private:
  struct Step {
    std::size_t first = 0;
    std::vector<EncoderTokens> texts;
  };

  // The next texts that go into one step; none at the end.
  Step Next(const Encoder& encoder) {
    const std::lock_guard lock(mutex_);
    Step step;
    std::size_t size = 0;
    while (!failed_ && next_ + step.texts.size() < count_ && step.texts.size() < encoder.step_texts()) {
      if (!waiting_) {
        Result<EncoderTokens> text = (*tokens_)(next_ + step.texts.size());
        if (!text) {
          Fail(std::move(text).error());
          return {};
        }
        waiting_ = *std::move(text);
      }
      if (size + waiting_->tokens.size() > encoder.step_tokens()) break;
      size += waiting_->tokens.size();
      step.texts.push_back(*std::exchange(waiting_, std::nullopt));
    }
    step.first = next_;
    next_ += step.texts.size();
    return step;
  }

  void Work(Encoder& encoder, const std::function<void(double)>& progress) {
    while (true) {
      const Step step = Next(encoder);
      if (step.texts.empty()) return;
      std::vector<const EncoderTokens*> pointers;
      for (const EncoderTokens& text : step.texts) pointers.push_back(&text);
      Result<std::vector<std::vector<float>>> vectors = encoder.Encode(pointers, 1);
      const std::lock_guard lock(mutex_);
      if (!vectors) return Fail(std::move(vectors).error());
      std::move(vectors->begin(), vectors->end(), vectors_.begin() + static_cast<std::ptrdiff_t>(step.first));
      done_ += step.texts.size();
      if (progress) progress(static_cast<double>(done_) / static_cast<double>(count_));
    }
  }

  // The others stop at their next operation; what they then complain of is not the reason.
  void Fail(Error error) {
    if (!error_) error_ = std::move(error);
    failed_ = true;
  }

  std::vector<std::unique_ptr<Encoder>> encoders_;
  std::atomic<bool> failed_ = false;
  const std::function<Result<EncoderTokens>(std::size_t)>* tokens_ = nullptr;
  std::size_t count_ = 0;
  std::mutex mutex_;                      // for what follows
  std::optional<EncoderTokens> waiting_;  // the text that had no room in the last step
  std::size_t next_ = 0, done_ = 0;
  std::vector<std::vector<float>> vectors_;
  std::optional<Error> error_;
};

}  // namespace

Result<EncodedTexts> EncodeTexts(const std::filesystem::path& file, std::span<const std::string_view> texts,
                                 unsigned threads, const std::function<void(double)>& progress) {
  Result<std::unique_ptr<Crew>> crew = Crew::Load(file, threads);
  if (!crew) return std::move(crew).error();
  Result<config::GgufInfo> info = config::ReadGguf(file);
  if (!info) return std::move(info).error();
  EncodedTexts result;
  result.model = info->name;
  const auto tokens = [&](std::size_t i) {
    Result<EncoderTokens> text = (*crew)->encoder().Tokenize(texts[i]);
    result.truncated += text.ok() && text->truncated;
    return text;
  };
  auto vectors = (*crew)->Encode(texts.size(), tokens, progress);
  if (!vectors) return std::move(vectors).error();
  result.vectors = *std::move(vectors);
  return result;
}

Result<EncodedVocabulary> EncodeVocabulary(const std::filesystem::path& file, unsigned threads,
                                           const std::function<void(double)>& progress) {
  Result<std::unique_ptr<Crew>> crew = Crew::Load(file, threads);
  if (!crew) return std::move(crew).error();
  EncodedVocabulary result;
  result.pieces = (*crew)->encoder().Vocabulary();
  const auto tokens = [&](std::size_t i) { return Result<EncoderTokens>((*crew)->encoder().Single(i)); };
  auto vectors = (*crew)->Encode(result.pieces.size(), tokens, progress);
  if (!vectors) return std::move(vectors).error();
  result.vectors = *std::move(vectors);
  return result;
}

}  // namespace pointsman::engine
