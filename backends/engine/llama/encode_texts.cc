#include "backends/engine/llama/encode_texts.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>

#include "backends/engine/llama/encoder.h"
#include "config/gguf.h"

namespace pointsman::engine {

Result<EncodedTexts> EncodeTexts(const std::filesystem::path& file, std::span<const std::string_view> texts,
                                 unsigned threads, const std::function<void(double)>& progress) {
  config::Model model;
  model.name = file.filename().string();
  model.file = file;
  model.SetKind(config::ModelKind::kEncoder);
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  const std::atomic<bool> never = false;
  Result<std::unique_ptr<Encoder>> encoder = Encoder::Load(model, threads, never);
  if (!encoder) return std::move(encoder).error();
  Result<config::GgufInfo> info = config::ReadGguf(file);
  if (!info) return std::move(info).error();

  EncodedTexts result;
  result.model = info->name;
  std::size_t next = 0;
  while (next < texts.size()) {
    std::vector<EncoderTokens> step;
    std::size_t tokens = 0;
    while (next < texts.size() && step.size() < (*encoder)->step_texts()) {
      Result<EncoderTokens> text = (*encoder)->Tokenize(texts[next]);
      if (!text) return std::move(text).error();
      if (tokens + text->tokens.size() > (*encoder)->step_tokens()) break;
      tokens += text->tokens.size();
      result.truncated += text->truncated;
      step.push_back(std::move(*text));
      ++next;
    }
    std::vector<const EncoderTokens*> pointers;
    for (const EncoderTokens& text : step) pointers.push_back(&text);
    Result<std::vector<std::vector<float>>> vectors = (*encoder)->Encode(pointers, threads);
    if (!vectors) return std::move(vectors).error();
    std::move(vectors->begin(), vectors->end(), std::back_inserter(result.vectors));
    if (progress) progress(static_cast<double>(next) / static_cast<double>(texts.size()));
  }
  return result;
}

}  // namespace pointsman::engine
