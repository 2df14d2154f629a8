// backends/engine/llama/grammar.h: from a request's response format to a grammar that the sampler can follow.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "pointsman/v1/chat.pb.h"

struct llama_sampler;
struct llama_vocab;

namespace pointsman::engine {

// Schemas and grammars come from strangers, and llama.cpp's parsers are recursive: larger or deeper ones are refused.
inline constexpr std::size_t kMaxGrammarBytes = 64 << 10;
inline constexpr std::size_t kMaxGrammarDepth = 64;

struct SamplerDeleter {
  void operator()(llama_sampler* sampler) const;
};
using SamplerPtr = std::unique_ptr<llama_sampler, SamplerDeleter>;

// The grammar (GBNF) of a format; "" for free text. Errors: the caller's fault, with the parser's text and the field.
Result<std::string> GrammarOf(const v1::ResponseFormat& format);

// A sampler that allows only what `grammar` (not empty) allows. Errors as above, for grammars that cannot be parsed.
Result<SamplerPtr> MakeGrammarSampler(const llama_vocab* vocab, const std::string& grammar);

}  // namespace pointsman::engine
