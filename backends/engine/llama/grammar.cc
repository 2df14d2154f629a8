#include "backends/engine/llama/grammar.h"

#include <json-schema-to-grammar.h>
#include <llama.h>

// Not public, and only for its parser: the public call returns NULL, and prints the reason and the whole grammar, which
// is somebody's request, to stderr.
#include <../src/llama-grammar.h>

#include <algorithm>

#include "backends/engine/llama/library.h"

namespace pointsman::engine {
namespace {

Result<void> CheckSize(const std::string& text, const char* field) {
  if (text.size() > kMaxGrammarBytes) {
    return InvalidArgument(field, std::to_string(text.size()) + " bytes are more than the " +
                                      std::to_string(kMaxGrammarBytes) + " that are allowed");
  }
  std::size_t depth = 0, deepest = 0;
  for (const char c : text) {
    if (c == '(' || c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ')' || c == ']' || c == '}') && depth > 0) --depth;
  }
  if (deepest > kMaxGrammarDepth) {
    return InvalidArgument(field, "brackets are nested more than " + std::to_string(kMaxGrammarDepth) + " deep");
  }
  return {};
}

Result<std::string> FromSchema(const std::string& schema, const char* field) {
  try {
    return json_schema_to_grammar(common_json::parse(schema), true);
  } catch (const std::exception& e) {
    return InvalidArgument(field, std::string("the JSON schema cannot be used: ") + e.what());
  }
}

// What is wrong with a grammar; "" when it can be parsed.
std::string WrongWith(const llama_vocab* vocab, const std::string& grammar) {
  try {
    llama_grammar_parser parser(vocab);
    const char* at = grammar.c_str();
    while (*at != '\0') at = parser.parse_rule(at);
    if (!parser.symbol_ids.contains("root")) return "it has no rule \"root\"";
    for (const auto& [name, id] : parser.symbol_ids) {
      if (id >= parser.rules.size() || parser.rules[id].empty()) return "rule \"" + name + "\" is used but not defined";
    }
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

void SamplerDeleter::operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }

Result<std::string> GrammarOf(const v1::ResponseFormat& format) {
  switch (format.kind_case()) {
    case v1::ResponseFormat::kJsonSchema:
      if (auto ok = CheckSize(format.json_schema(), "response_format.json_schema"); !ok) return ok.error();
      return FromSchema(format.json_schema(), "response_format.json_schema");
    case v1::ResponseFormat::kJsonObject:
      return format.json_object() ? FromSchema(R"({"type": "object"})", "response_format.json_object") : std::string();
    case v1::ResponseFormat::kGrammar:
      if (auto ok = CheckSize(format.grammar(), "response_format.grammar"); !ok) return ok.error();
      if (format.grammar().empty()) return InvalidArgument("response_format.grammar", "the grammar is empty");
      return format.grammar();
    case v1::ResponseFormat::KIND_NOT_SET: return std::string();
  }
  return std::string();
}

Result<SamplerPtr> MakeGrammarSampler(const llama_vocab* vocab, const std::string& grammar) {
  std::string wrong = WrongWith(vocab, grammar);
  if (wrong.empty()) {
    LogCapture log;
    try {
      SamplerPtr sampler(llama_sampler_init_grammar(vocab, grammar.c_str(), "root"));
      if (sampler != nullptr) return sampler;
      wrong = log.Text("llama.cpp gives no reason");
    } catch (const std::exception& e) {
      wrong = e.what();
    }
  }
  return InvalidArgument("response_format.grammar", "the grammar cannot be used: " + wrong);
}

}  // namespace pointsman::engine
