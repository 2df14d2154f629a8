// backends/engine/llama/convert_encoder.h: a BERT sentence encoder, as sentence-transformers publishes it, as a GGUF
// file that llama.cpp loads.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pointsman::engine {

enum class EncoderType { kF16, kQ8 };  // of the matrices; norms, biases and positions stay 32-bit

// `folder` holds config.json (a BertModel with absolute positions and gelu), model.safetensors and vocab.txt
// (WordPiece); tokenizer_config.json and 1_Pooling/config.json are read where they are (defaults: lower case, mean
// pooling). `name` is the model's, for people and for what was trained with it. Writes beside `out` and renames, so
// that `out` is whole whenever it exists. Equal input gives equal bytes. Names of tensors and keys are those of
// llama.cpp's conversion/bert.py. Errors name the file and what is wrong with it. Takes 0.3 s for 22 million
// parameters.
Result<void> ConvertEncoder(const std::filesystem::path& folder, const std::filesystem::path& out,
                            const std::string& name, EncoderType type);

}  // namespace pointsman::engine
