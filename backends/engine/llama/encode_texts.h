// backends/engine/llama/encode_texts.h: many texts through an encoder in this process: for training.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pointsman::engine {

struct EncodedTexts {
  std::string model;                        // the file's general.name
  std::vector<std::vector<float>> vectors;  // of length 1, in the order of the texts
  std::size_t truncated = 0;                // texts of which only the beginning was read
};

// `file` is a GGUF encoder; `threads` 0 = all cores, at most 256 are used. Reads as much of a text as the worker does
// by default (256 tokens). Blocking: 5 to 20 ms a text and core. The vectors do not depend on `threads`: each step is
// one thread's, and which texts share a step is decided by their order alone. `progress` gets the share done, in the
// calling thread. Errors name the file.
Result<EncodedTexts> EncodeTexts(const std::filesystem::path& file, std::span<const std::string_view> texts,
                                 unsigned threads, const std::function<void(double)>& progress);

struct EncodedVocabulary {
  std::vector<std::string> pieces;          // as BERT writes them: "law", "##ing"; "" where one has no such form
  std::vector<std::vector<float>> vectors;  // of length 1; of each piece as the only token of a text
};

// The same for every token of the encoder's vocabulary.
Result<EncodedVocabulary> EncodeVocabulary(const std::filesystem::path& file, unsigned threads,
                                           const std::function<void(double)>& progress);

}  // namespace pointsman::engine
