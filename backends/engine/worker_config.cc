#include "backends/engine/worker_config.h"

#include <boost/json.hpp>
#include <charconv>

namespace pointsman::engine {
namespace {

namespace json = boost::json;

Error Bad(std::string message) { return {ErrorClass::kCallersFault, Code::kInvalidArgument, std::move(message)}; }

}  // namespace

std::string ToJson(const config::Engine& engine) {
  json::array models;
  for (const config::Model& m : engine.models) {
    models.push_back({{"name", m.name},
                      {"kind", m.kind == config::ModelKind::kEncoder ? "encoder" : "text"},
                      {"file", m.file.string()},
                      {"sha256", m.sha256},
                      {"context", m.context},
                      {"slots", m.slots},
                      {"threads", m.threads},
                      {"queue", m.queue},
                      {"chat_template", m.chat_template}});
  }
  return json::serialize(json::object{{"prompt_chunk", engine.prompt_chunk}, {"models", std::move(models)}});
}

Result<config::Engine> EngineFromJson(std::string_view text) {
  boost::system::error_code ec;
  const json::value root = json::parse(json::string_view(text.data(), text.size()), ec);
  if (ec) return Bad("the engine's configuration is not JSON: " + ec.message());
  try {
    config::Engine engine;
    engine.prompt_chunk = root.at("prompt_chunk").to_number<unsigned>();
    for (const json::value& m : root.at("models").as_array()) {
      config::Model model;
      model.name = json::value_to<std::string>(m.at("name"));
      if (m.at("kind").as_string() == "encoder") model.SetKind(config::ModelKind::kEncoder);
      model.file = json::value_to<std::string>(m.at("file"));
      model.sha256 = json::value_to<std::string>(m.at("sha256"));
      model.context = m.at("context").to_number<unsigned>();
      model.slots = m.at("slots").to_number<unsigned>();
      model.threads = m.at("threads").to_number<unsigned>();
      model.queue = m.at("queue").to_number<unsigned>();
      model.chat_template = json::value_to<std::string>(m.at("chat_template"));
      engine.models.push_back(std::move(model));
    }
    return engine;
  } catch (const std::exception& e) {
    return Bad(std::string("the engine's configuration lacks a key or has one of the wrong type: ") + e.what());
  }
}

Result<config::Model> ModelFromArgument(std::string_view argument) {
  config::Model model;
  // First of all, because defaults depend on it.
  if (("," + std::string(argument) + ",").find(",kind=encoder,") != std::string::npos) {
    model.SetKind(config::ModelKind::kEncoder);
  }
  std::string_view rest = argument;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) return Bad("--model: \"" + std::string(item) + "\" is not key=value");
    const std::string_view key = item.substr(0, equals), value = item.substr(equals + 1);
    unsigned* number = key == "context"   ? &model.context
                       : key == "slots"   ? &model.slots
                       : key == "threads" ? &model.threads
                       : key == "queue"   ? &model.queue
                                          : nullptr;
    if (number != nullptr) {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *number);
      if (error != std::errc() || end != value.data() + value.size()) {
        return Bad("--model: " + std::string(key) + "=" + std::string(value) + " is not a whole number");
      }
    } else if (key == "name") {
      model.name = value;
    } else if (key == "file") {
      model.file = value;
    } else if (key == "kind") {
      if (value != "text" && value != "encoder") return Bad("--model: kind must be text or encoder");
    } else if (key == "sha256") {
      model.sha256 = value;
    } else {
      return Bad("--model: unknown key \"" + std::string(key) +
                 "\" (name, kind, file, context, slots, threads, queue, sha256)");
    }
  }
  if (model.name.empty() || model.file.empty()) return Bad("--model needs name= and file=");
  if (model.slots < 1 || model.slots > 64) return Bad("--model: slots must be 1 to 64");
  if (model.context < 2) return Bad("--model: context must be at least 2 tokens");
  return model;
}

}  // namespace pointsman::engine
