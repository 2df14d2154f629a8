// The section engine.
#include <algorithm>

#include "config/mapping.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

void ReadModel(const Value& value, const std::filesystem::path& folder, Model& model) {
  Section section(value);
  if (auto kind = section.Take("kind").Choice({"text", "encoder"}); kind && *kind == "encoder") {
    model.SetKind(ModelKind::kEncoder);
  }
  if (auto file = section.Require("file", "the GGUF file").Text(1, 4096)) model.file = Resolve(folder, *file);
  const Value sha256 = section.Take("sha256");
  if (auto sum = sha256.Text(1, 256)) {
    std::transform(sum->begin(), sum->end(), sum->begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? char(c + 32) : c; });
    const bool hex =
        std::all_of(sum->begin(), sum->end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (sum->size() != 64 || !hex)
      sha256.Fail("is not a SHA-256 sum (64 hexadecimal digits, as sha256sum prints them)");
    model.sha256 = *std::move(sum);
  }
  Set(model.context, section.Take("context").Number<unsigned>(64, 1u << 20, "tokens"));
  Set(model.slots, section.Take("slots").Number<unsigned>(1, 64, "requests decoded together"));
  Set(model.threads, section.Take("threads").Number<unsigned>(0, 512, "threads; 0 = as many as the cores allow"));
  Set(model.queue, section.Take("queue").Number<unsigned>(0, 100'000, "waiting requests"));
  const Value chat_template = section.Take("chat_template");
  Set(model.chat_template, chat_template.Text(1, std::size_t{1} << 20));
  if (chat_template.present() && model.kind == ModelKind::kEncoder)
    chat_template.Fail("is of no use: an encoder does not answer");
  section.Finish();
}

}  // namespace

void ReadEngine(const Value& value, const std::filesystem::path& folder, Engine& engine) {
  Section section(value);
  Set(engine.prompt_chunk, section.Take("prompt_chunk").Number<unsigned>(1, 4096, "tokens"));
  for (const auto& [name, entry] : section.Take("models").Entries("a model", true)) {
    Model& model = engine.models.emplace_back();
    model.name = name;
    ReadModel(entry, folder, model);
  }
  section.Finish();
}

}  // namespace pointsman::config
