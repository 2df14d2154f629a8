#include "config/config.h"

#include <algorithm>

namespace pointsman::config {
namespace {

template <class T>
const T* Find(const std::vector<T>& list, std::string_view name) {
  auto it = std::find_if(list.begin(), list.end(), [&](const T& item) { return item.name == name; });
  return it == list.end() ? nullptr : &*it;
}

}  // namespace

std::string_view Name(Capability capability) {
  switch (capability) {
    case kTools: return "tools";
    case kImages: return "images";
    case kJsonSchema: return "json_schema";
    case kGrammar: return "grammar";
    case kLogprobs: return "logprobs";
  }
  return "unknown";
}

void Model::SetKind(ModelKind new_kind) {
  kind = new_kind;
  if (kind != ModelKind::kEncoder) return;
  context = 256;
  slots = 16;
  queue = 256;
}

Problem Config::ProblemAt(std::string_view path, std::string message) const {
  Problem problem{file.string(), {}, std::string(path), std::move(message)};
  for (std::string_view part = path; !part.empty();) {
    if (auto found = places.find(part); found != places.end()) {
      problem.place = found->second;
      break;
    }
    const std::size_t dot = part.find_last_of(".[");
    part = part.substr(0, dot == std::string_view::npos ? 0 : dot);
  }
  return problem;
}

const Expert* Config::FindExpert(std::string_view name) const { return Find(experts, name); }
const Policy* Config::FindPolicy(std::string_view name) const { return Find(policies, name); }
const Model* Config::FindModel(std::string_view name) const { return Find(engine.models, name); }

}  // namespace pointsman::config
