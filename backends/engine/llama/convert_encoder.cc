#include "backends/engine/llama/convert_encoder.h"

#include <ggml.h>
#include <gguf.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/engine/llama/safetensors.h"

namespace pointsman::engine {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::int32_t kNormalToken = 1, kControlToken = 3;  // llama_token_type
constexpr std::uint32_t kMeanPooling = 1, kClsPooling = 2;   // llama_pooling_type
constexpr std::uint32_t kFileTypeF16 = 1, kFileTypeQ8 = 7;   // llama_ftype

Error Bad(const fs::path& file, const std::string& what) {
  return {ErrorClass::kCallersFault, Code::kFailedPrecondition, file.string() + ": " + what};
}

Result<std::string> ReadText(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || fs::is_directory(file)) return Bad(file, "cannot be read; an encoder's folder must have it");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// What config.json says of the network.
struct Shape {
  std::uint32_t layers, width, heads, inner, positions, types;
  std::size_t vocabulary;
  float norm_epsilon;
};

Result<Shape> ReadShape(const fs::path& file) {
  Result<std::string> text = ReadText(file);
  if (!text) return std::move(text).error();
  try {
    const json::value root = json::parse(*text);
    const auto number = [&](const char* key) { return root.at(key).to_number<std::uint32_t>(); };
    const auto is = [&](const char* key, std::string_view wanted, bool otherwise) {
      const json::value* value = root.as_object().if_contains(key);
      return value == nullptr ? otherwise : value->is_string() && std::string_view(value->get_string()) == wanted;
    };
    if (!is("model_type", "bert", false))
      return Bad(file, "model_type is not \"bert\": only BERT encoders can be read");
    if (!is("hidden_act", "gelu", true))
      return Bad(file, "hidden_act is not \"gelu\": llama.cpp has no other for BERT");
    if (!is("position_embedding_type", "absolute", true)) return Bad(file, "its positions are not absolute");
    Shape shape{number("num_hidden_layers"),
                number("hidden_size"),
                number("num_attention_heads"),
                number("intermediate_size"),
                number("max_position_embeddings"),
                number("type_vocab_size"),
                number("vocab_size"),
                root.at("layer_norm_eps").to_number<float>()};
    if (shape.layers < 1 || shape.heads < 1 || shape.width % shape.heads != 0 || shape.width % 32 != 0 ||
        shape.inner % 32 != 0) {
      return Bad(file, "its sizes are impossible: the width must be a multiple of the heads and of 32");
    }
    return shape;
  } catch (const std::exception& e) {
    return Bad(file, std::string("not the configuration of a BERT encoder: ") + e.what());
  }
}

struct Vocabulary {
  std::vector<std::string> tokens;  // in llama.cpp's form: "▁word", and what "##" continues without it
  std::vector<std::int32_t> types;
  bool lower_case = true, strip_accents = true;

  std::optional<std::uint32_t> Find(std::string_view token) const {
    const auto it = std::find(tokens.begin(), tokens.end(), token);
    if (it == tokens.end()) return std::nullopt;
    return static_cast<std::uint32_t>(it - tokens.begin());
  }
};

Result<Vocabulary> ReadVocabulary(const fs::path& folder, std::size_t size) {
  const fs::path file = folder / "vocab.txt";
  Result<std::string> text = ReadText(file);
  if (!text) return std::move(text).error();
  const std::set<std::string_view> control = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  Vocabulary vocabulary;
  std::set<std::string> seen;
  for (std::string_view rest = *text; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const bool is_control = control.contains(line);
    std::string token(line);
    if (line.starts_with("##")) {
      token = line.substr(2);
    } else if (!is_control) {
      token.insert(0, "\xE2\x96\x81");
    }
    // llama.cpp ends the process on an empty or doubled token.
    if (token.empty() || !seen.insert(token).second) {
      return Bad(file, "line " + std::to_string(vocabulary.tokens.size() + 1) + ": the token \"" + std::string(line) +
                           "\" is empty or there twice");
    }
    vocabulary.tokens.push_back(std::move(token));
    vocabulary.types.push_back(is_control ? kControlToken : kNormalToken);
  }
  if (vocabulary.tokens.size() != size) {
    return Bad(file, "it has " + std::to_string(vocabulary.tokens.size()) + " tokens, config.json says " +
                         std::to_string(size));
  }
  for (const std::string_view name : control) {
    if (!seen.contains(std::string(name))) return Bad(file, "the token " + std::string(name) + " is missing");
  }

  const fs::path settings = folder / "tokenizer_config.json";
  if (!fs::exists(settings)) return vocabulary;
  Result<std::string> written = ReadText(settings);
  if (!written) return std::move(written).error();
  boost::system::error_code ec;
  const json::value root = json::parse(*written, ec);
  if (ec || !root.is_object()) return Bad(settings, "not a JSON object");
  // Accents go with the case unless the file says otherwise: BERT's own rule.
  const auto flag = [&](const char* key, bool otherwise) {
    const json::value* value = root.get_object().if_contains(key);
    return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
  };
  vocabulary.lower_case = flag("do_lower_case", true);
  vocabulary.strip_accents = flag("strip_accents", vocabulary.lower_case);
  return vocabulary;
}

Result<std::uint32_t> ReadPooling(const fs::path& file) {
  if (!fs::exists(file)) return kMeanPooling;
  Result<std::string> text = ReadText(file);
  if (!text) return std::move(text).error();
  boost::system::error_code ec;
  const json::value root = json::parse(*text, ec);
  const auto on = [&](const char* key) {
    const json::value* value = root.is_object() ? root.get_object().if_contains(key) : nullptr;
    return value != nullptr && value->is_bool() && value->get_bool();
  };
  if (!ec && on("pooling_mode_mean_tokens")) return kMeanPooling;
  if (!ec && on("pooling_mode_cls_token")) return kClsPooling;
  return Bad(file, "it pools neither by mean nor by [CLS]: others cannot be read");
}

// "encoder.layer.3.output.dense.weight" -> "blk.3.ffn_down.weight"; "" for what embeddings do not need.
std::string NameOf(std::string_view name) {
  struct Entry {
    std::string_view theirs, ours;
  };
  static constexpr Entry kModel[] = {{"embeddings.word_embeddings", "token_embd"},
                                     {"embeddings.position_embeddings", "position_embd"},
                                     {"embeddings.token_type_embeddings", "token_types"},
                                     {"embeddings.LayerNorm", "token_embd_norm"}};
  static constexpr Entry kLayer[] = {{"attention.self.query", "attn_q"},
                                     {"attention.self.key", "attn_k"},
                                     {"attention.self.value", "attn_v"},
                                     {"attention.output.dense", "attn_output"},
                                     {"attention.output.LayerNorm", "attn_output_norm"},
                                     {"intermediate.dense", "ffn_up"},
                                     {"output.dense", "ffn_down"},
                                     {"output.LayerNorm", "layer_output_norm"}};
  constexpr std::string_view kLayers = "encoder.layer.";
  if (name.starts_with("bert.")) name.remove_prefix(5);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return "";
  std::string_view stem = name.substr(0, dot);
  const std::string kind(name.substr(dot));
  if (kind != ".weight" && kind != ".bias") return "";
  if (!stem.starts_with(kLayers)) {
    for (const Entry& entry : kModel) {
      if (stem == entry.theirs) return std::string(entry.ours) + kind;
    }
    return "";
  }
  stem.remove_prefix(kLayers.size());
  const std::size_t end = stem.find('.');
  if (end == std::string_view::npos) return "";
  for (const Entry& entry : kLayer) {
    if (stem.substr(end + 1) == entry.theirs) {
      return "blk." + std::string(stem.substr(0, end)) + "." + std::string(entry.ours) + kind;
    }
  }
  return "";
}

// All tensors that llama.cpp's model wants, with their sizes: one that is missing or different would only be found when
// it is loaded.
std::map<std::string, std::vector<std::int64_t>> Wanted(const Shape& shape) {
  std::map<std::string, std::vector<std::int64_t>> wanted;
  const std::int64_t width = shape.width, inner = shape.inner;
  const auto norm = [&](const std::string& name) { wanted[name + ".weight"] = wanted[name + ".bias"] = {width}; };
  const auto dense = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    wanted[name + ".weight"] = {out, in};
    wanted[name + ".bias"] = {out};
  };
  wanted["token_embd.weight"] = {static_cast<std::int64_t>(shape.vocabulary), width};
  wanted["position_embd.weight"] = {shape.positions, width};
  wanted["token_types.weight"] = {shape.types, width};
  norm("token_embd_norm");
  for (std::uint32_t i = 0; i < shape.layers; ++i) {
    const std::string layer = "blk." + std::to_string(i) + ".";
    for (const char* part : {"attn_q", "attn_k", "attn_v", "attn_output"}) dense(layer + part, width, width);
    dense(layer + "ffn_up", inner, width);
    dense(layer + "ffn_down", width, inner);
    norm(layer + "attn_output_norm");
    norm(layer + "layer_output_norm");
  }
  return wanted;
}

struct Free {
  void operator()(gguf_context* context) const { gguf_free(context); }
  void operator()(ggml_context* context) const { ggml_free(context); }
};

void SetKeys(gguf_context* gguf, const std::string& name, const Shape& shape, const Vocabulary& vocabulary,
             std::uint32_t pooling, EncoderType type) {
  gguf_set_val_str(gguf, "general.architecture", "bert");
  gguf_set_val_str(gguf, "general.name", name.c_str());
  gguf_set_val_u32(gguf, "general.file_type", type == EncoderType::kF16 ? kFileTypeF16 : kFileTypeQ8);
  gguf_set_val_u32(gguf, "general.quantization_version", GGML_QNT_VERSION);
  gguf_set_val_u32(gguf, "bert.block_count", shape.layers);
  gguf_set_val_u32(gguf, "bert.context_length", shape.positions);
  gguf_set_val_u32(gguf, "bert.embedding_length", shape.width);
  gguf_set_val_u32(gguf, "bert.feed_forward_length", shape.inner);
  gguf_set_val_u32(gguf, "bert.attention.head_count", shape.heads);
  gguf_set_val_f32(gguf, "bert.attention.layer_norm_epsilon", shape.norm_epsilon);
  gguf_set_val_bool(gguf, "bert.attention.causal", false);
  gguf_set_val_u32(gguf, "bert.pooling_type", pooling);
  gguf_set_val_str(gguf, "tokenizer.ggml.model", "bert");
  gguf_set_val_u32(gguf, "tokenizer.ggml.token_type_count", shape.types);
  gguf_set_val_bool(gguf, "tokenizer.ggml.normalizer.lowercase", vocabulary.lower_case);
  gguf_set_val_bool(gguf, "tokenizer.ggml.normalizer.strip_accents", vocabulary.strip_accents);
  std::vector<const char*> tokens;
  for (const std::string& token : vocabulary.tokens) tokens.push_back(token.c_str());
  gguf_set_arr_str(gguf, "tokenizer.ggml.tokens", tokens.data(), tokens.size());
  gguf_set_arr_data(gguf, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, vocabulary.types.data(),
                    vocabulary.types.size());
  gguf_set_val_u32(gguf, "tokenizer.ggml.bos_token_id", *vocabulary.Find("[CLS]"));
  gguf_set_val_u32(gguf, "tokenizer.ggml.seperator_token_id", *vocabulary.Find("[SEP]"));  // llama.cpp's spelling
  gguf_set_val_u32(gguf, "tokenizer.ggml.unknown_token_id", *vocabulary.Find("[UNK]"));
  gguf_set_val_u32(gguf, "tokenizer.ggml.padding_token_id", *vocabulary.Find("[PAD]"));
  gguf_set_val_u32(gguf, "tokenizer.ggml.mask_token_id", *vocabulary.Find("[MASK]"));
}

// The layers' and the vocabulary's matrices are multiplied with; everything else is small and only added.
bool IsMatrix(std::string_view name, std::size_t dimensions) {
  return dimensions == 2 && name != "position_embd.weight" && name != "token_types.weight";
}

}  // namespace

Result<void> ConvertEncoder(const fs::path& folder, const fs::path& out, const std::string& name, EncoderType type) {
  Result<Shape> shape = ReadShape(folder / "config.json");
  if (!shape) return std::move(shape).error();
  Result<Vocabulary> vocabulary = ReadVocabulary(folder, shape->vocabulary);
  if (!vocabulary) return std::move(vocabulary).error();
  Result<std::uint32_t> pooling = ReadPooling(folder / "1_Pooling/config.json");
  if (!pooling) return std::move(pooling).error();
  const fs::path weights = folder / "model.safetensors";
  Result<SafeTensors> read = SafeTensors::Read(weights);
  if (!read) return std::move(read).error();
  std::map<std::string, const SafeTensor*> tensors;  // by our name
  for (const auto& [name, tensor] : read->tensors()) {
    if (const std::string ours = NameOf(name); !ours.empty()) tensors[ours] = &tensor;
  }
  const auto wanted = Wanted(*shape);
  for (const auto& [name, size] : wanted) {
    const auto it = tensors.find(name);
    if (it == tensors.end()) return Bad(weights, "the tensor for " + name + " is missing");
    if (it->second->shape != size)
      return Bad(weights, "the tensor for " + name + " has another shape than config.json");
    if (it->second->type != "F32") return Bad(weights, "the tensor for " + name + " is not 32-bit floats");
  }

  // Tensors without data in a ggml context describe the file; their bytes live in `converted` or in the file read.
  const std::unique_ptr<ggml_context, Free> context(
      ggml_init({ggml_tensor_overhead() * (wanted.size() + 1), nullptr, /*no_alloc=*/true}));
  const std::unique_ptr<gguf_context, Free> gguf(gguf_init_empty());
  if (context == nullptr || gguf == nullptr) return Internal("no memory to convert the encoder");
  SetKeys(gguf.get(), name, *shape, *vocabulary, *pooling, type);
  std::vector<std::vector<char>> converted;
  for (const auto& [tensor_name, size] : wanted) {
    const SafeTensor& tensor = *tensors[tensor_name];
    const bool matrix = IsMatrix(tensor_name, size.size());
    const ggml_type stored = !matrix ? GGML_TYPE_F32 : type == EncoderType::kF16 ? GGML_TYPE_F16 : GGML_TYPE_Q8_0;
    // ggml counts the sizes from the innermost on.
    ggml_tensor* const described = size.size() == 2 ? ggml_new_tensor_2d(context.get(), stored, size[1], size[0])
                                                    : ggml_new_tensor_1d(context.get(), stored, size[0]);
    ggml_set_name(described, tensor_name.c_str());
    gguf_add_tensor(gguf.get(), described);
    const void* bytes = tensor.data.data();
    if (matrix) {
      std::vector<float> values(tensor.data.size() / sizeof(float));  // the file's bytes need not be aligned
      std::copy(tensor.data.begin(), tensor.data.end(), reinterpret_cast<char*>(values.data()));
      std::vector<char>& target = converted.emplace_back(ggml_nbytes(described));
      ggml_quantize_chunk(stored, values.data(), target.data(), 0, size[0], size[1], nullptr);
      bytes = target.data();
    }
    gguf_set_tensor_data(gguf.get(), tensor_name.c_str(), bytes);
  }

  fs::path draft = out;
  draft += ".partial-" + std::to_string(getpid());
  std::error_code ec;
  if (!gguf_write_to_file(gguf.get(), draft.c_str(), /*only_meta=*/false)) {
    fs::remove(draft, ec);
    return Bad(out, "cannot be written: is there room, and may this user write there?");
  }
  fs::rename(draft, out, ec);
  if (ec) {
    const std::string why = ec.message();
    fs::remove(draft, ec);
    return Bad(out, "cannot be put in place: " + why);
  }
  return {};
}

}  // namespace pointsman::engine
