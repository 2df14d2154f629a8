#include "backends/engine/llama/sampler.h"

#include <llama.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <unordered_set>

#include "backends/engine/worker/token_stats.h"

namespace pointsman::engine {
namespace {

std::uint32_t Fold(std::uint64_t seed) {
  const auto folded = static_cast<std::uint32_t>(seed ^ (seed >> 32));
  return folded == LLAMA_DEFAULT_SEED ? 0 : folded;  // that value means "random" to llama.cpp
}

SamplerPtr MakeChain(const v1::Sampling& s) {
  const double temperature = s.has_temperature() ? s.temperature() : kDefaultTemperature;
  if (temperature <= 0) return nullptr;
  llama_sampler_chain_params params = llama_sampler_chain_default_params();
  params.no_perf = true;
  SamplerPtr chain(llama_sampler_chain_init(params));
  const auto add = [&](llama_sampler* sampler) { llama_sampler_chain_add(chain.get(), sampler); };
  const std::uint32_t top_k = s.has_top_k() ? s.top_k() : kDefaultTopK;
  const double top_p = s.has_top_p() ? s.top_p() : kDefaultTopP;
  const double min_p = s.has_min_p() ? s.min_p() : kDefaultMinP;
  if (top_k > 0) add(llama_sampler_init_top_k(static_cast<std::int32_t>(std::min(top_k, 1u << 20))));
  if (top_p < 1) add(llama_sampler_init_top_p(static_cast<float>(top_p), 1));
  if (min_p > 0) add(llama_sampler_init_min_p(static_cast<float>(min_p), 1));
  add(llama_sampler_init_temp(static_cast<float>(temperature)));
  add(llama_sampler_init_dist(Fold(s.has_seed() ? s.seed() : std::random_device{}())));
  return chain;
}

Token Draw(llama_sampler* chain, std::vector<llama_token_data>& candidates) {
  llama_token_data_array array{candidates.data(), candidates.size(), -1, false};
  if (chain != nullptr) {
    llama_sampler_apply(chain, &array);
    if (array.selected >= 0) return array.data[array.selected].id;
  }
  const auto better = [](const llama_token_data& a, const llama_token_data& b) { return a.logit < b.logit; };
  return std::max_element(array.data, array.data + array.size, better)->id;
}

}  // namespace

Result<Sampler> Sampler::Make(const LoadedModel& model, const v1::Sampling& sampling, const std::string& grammar) {
  Sampler sampler;
  sampler.chain_ = MakeChain(sampling);
  sampler.frequency_ = sampling.frequency_penalty();
  sampler.presence_ = sampling.presence_penalty();
  sampler.repeat_ = sampling.has_repeat_penalty() ? sampling.repeat_penalty() : 1;
  if (!grammar.empty()) {
    Result<SamplerPtr> made = MakeGrammarSampler(model.vocab(), grammar);
    if (!made) return std::move(made).error();
    sampler.grammar_ = std::move(made).value();
  }
  return sampler;
}

void Sampler::SeePrompt(std::span<const Token> prompt) {
  if (prompt.size() > kRepeatWindow) prompt = prompt.last(kRepeatWindow);
  recent_.assign(prompt.begin(), prompt.end());
}

void Sampler::Fill(std::span<const float> logits, std::vector<llama_token_data>& scratch) const {
  scratch.resize(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) scratch[i] = {static_cast<Token>(i), logits[i], 0.0f};
  if (penalised()) Penalise(scratch);
}

// Frequency and presence count the answer alone (as OpenAI defines them); repeat_penalty divides the logit of every
// token of the last kRepeatWindow, prompt included (CTRL, arXiv 1909.05858, section 4.1; negative logits are
// multiplied).
void Sampler::Penalise(std::vector<llama_token_data>& candidates) const {
  if (repeat_ != 1) {
    for (const Token token : std::unordered_set<Token>(recent_.begin(), recent_.end())) {
      float& logit = candidates[static_cast<std::size_t>(token)].logit;
      logit = static_cast<float>(logit > 0 ? logit / repeat_ : logit * repeat_);
    }
  }
  for (const auto& [token, count] : generated_counts_) {
    candidates[static_cast<std::size_t>(token)].logit -= static_cast<float>(count * frequency_ + presence_);
  }
}

void Sampler::Accept(Token token) {
  recent_.push_back(token);
  if (recent_.size() > kRepeatWindow) recent_.pop_front();
  ++generated_counts_[token];
  if (grammar_ != nullptr) llama_sampler_accept(grammar_.get(), token);
}

Result<Token> Sampler::Sample(std::span<const float> logits, std::vector<llama_token_data>& scratch) {
  try {
    Token token;
    if (chain_ == nullptr && !penalised()) {
      token = ArgMax(logits);
    } else {
      Fill(logits, scratch);
      token = Draw(chain_.get(), scratch);
    }
    if (grammar_ != nullptr) {
      // Asking the grammar about one token costs little, about the whole vocabulary several milliseconds: only when the
      // token drawn freely is not allowed are all of them looked at.
      llama_token_data one{token, 1.0f, 0.0f};
      llama_token_data_array single{&one, 1, -1, false};
      llama_sampler_apply(grammar_.get(), &single);
      if (std::isinf(one.logit)) {
        Fill(logits, scratch);
        llama_token_data_array all{scratch.data(), scratch.size(), -1, false};
        llama_sampler_apply(grammar_.get(), &all);
        std::erase_if(scratch, [](const llama_token_data& candidate) { return std::isinf(candidate.logit); });
        if (scratch.empty()) return Internal("no token of the vocabulary can continue the grammar here");
        token = Draw(chain_.get(), scratch);
      }
    }
    Accept(token);
    return token;
  } catch (const std::exception& e) {
    return Internal(std::string("sampling failed: ") + e.what());
  }
}

}  // namespace pointsman::engine
