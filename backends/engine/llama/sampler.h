// backends/engine/llama/sampler.h: from logits to the next token, as the request's Sampling says.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/engine/llama/grammar.h"
#include "backends/engine/llama/model.h"
#include "base/result.h"
#include "pointsman/v1/chat.pb.h"

struct llama_token_data;

namespace pointsman::engine {

// What an unset field means here (docs/engine.md).
inline constexpr double kDefaultTemperature = 0.8;
inline constexpr double kDefaultTopP = 0.95;
inline constexpr double kDefaultMinP = 0.05;
inline constexpr std::uint32_t kDefaultTopK = 40;
inline constexpr std::size_t kRepeatWindow = 64;  // tokens, prompt and answer, that repeat_penalty looks back at

// The sampler of one answer. Single thread.
class Sampler {
 public:
  // `grammar` may be "". Errors: a grammar that cannot be parsed.
  static Result<Sampler> Make(const LoadedModel& model, const v1::Sampling& sampling, const std::string& grammar);

  // Tells it the prompt: repeat_penalty counts its end.
  void SeePrompt(std::span<const Token> prompt);

  // The next token, drawn from `logits` (one per vocabulary entry), and accepted: penalties and grammar go on from it.
  // `scratch` is the caller's, kept between calls to save the allocation. Errors: a grammar that no token can continue.
  Result<Token> Sample(std::span<const float> logits, std::vector<llama_token_data>& scratch);

 private:
  Sampler() = default;
  bool penalised() const { return frequency_ != 0 || presence_ != 0 || repeat_ != 1; }
  void Fill(std::span<const float> logits, std::vector<llama_token_data>& scratch) const;
  void Penalise(std::vector<llama_token_data>& candidates) const;
  void Accept(Token token);

  SamplerPtr chain_;    // null = greedy: the likeliest token
  SamplerPtr grammar_;  // null = everything is allowed
  double frequency_ = 0, presence_ = 0, repeat_ = 1;
  std::deque<Token> recent_;                              // the last kRepeatWindow tokens
  std::unordered_map<Token, unsigned> generated_counts_;  // of this answer
};

}  // namespace pointsman::engine
