// Experts that answer without a model.
#include <algorithm>
#include <array>

#include "config/mapping.h"
#include "config/names.h"
#include "config/sections.h"

namespace pointsman::config {
namespace {

constexpr std::array<std::string_view, 3> kSlots = {"category", "expert", "probability"};

// Every {name} is a slot that exists; {{ and }} are braces.
void CheckSlots(const Value& value, const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{' && text[i] != '}') continue;
    if (i + 1 < text.size() && text[i + 1] == text[i]) {
      ++i;
      continue;
    }
    const std::size_t end = text.find('}', i);
    if (text[i] == '}' || end == std::string::npos) {
      value.Fail("has a brace without its partner (write {{ or }} for a brace)");
      return;
    }
    const std::string_view name = std::string_view(text).substr(i + 1, end - i - 1);
    if (std::find(kSlots.begin(), kSlots.end(), name) == kSlots.end()) {
      value.Fail("has no slot " + Quote(name) + " (" + Suggest(name, kSlots, "slots") + "; write {{ for a brace)");
      return;
    }
    i = end;
  }
}

}  // namespace

void ReadZeroCost(const Value& value, const std::filesystem::path& folder, ZeroCostBackend& backend) {
  Section section(value);
  const auto kind =
      section.Require("kind", "refuse, canned, copy or nobody").Choice({"refuse", "canned", "copy", "nobody"});
  const Value text = section.Take("text"), answers = section.Take("answers"), similarity = section.Take("similarity");
  backend.score = section.Take("score").Real({-1e6, 1e6});
  section.Finish();
  if (!kind) return;
  backend.kind = *kind == "refuse"   ? ZeroCost::kRefuse
                 : *kind == "canned" ? ZeroCost::kCanned
                 : *kind == "copy"   ? ZeroCost::kCopy
                                     : ZeroCost::kNull;
  const bool speaks = backend.kind == ZeroCost::kRefuse || backend.kind == ZeroCost::kCanned;
  if (speaks && !text.present()) value.Fail("has no \"text\" (what it says)");
  if (!speaks && text.present()) text.Fail("belongs to kind: refuse and canned");
  if (auto says = text.Text(1, std::size_t{64} << 10); says && speaks) {
    backend.text = *says;
    if (backend.kind == ZeroCost::kCanned) CheckSlots(text, backend.text);
  }
  const bool copies = backend.kind == ZeroCost::kCopy;
  if (copies && !answers.present()) value.Fail("has no \"answers\" (JSON lines with question and answer)");
  for (const Value& key : {answers, similarity}) {
    if (!copies && key.present()) key.Fail("belongs to kind: copy");
  }
  if (auto file = answers.Text(1, 4096)) backend.answers = Resolve(folder, *file);
  Set(backend.similarity, similarity.Real({.min = 0, .max = 1, .min_itself = false}));
}

}  // namespace pointsman::config
