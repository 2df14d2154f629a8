// backends/engine/worker_config.h: what the router tells its engine worker, as JSON in a file only they can read.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace pointsman::engine {

std::string ToJson(const config::Engine& engine);

// The opposite. The message of the error names the key at fault.
Result<config::Engine> EngineFromJson(std::string_view json);

// One model from a command line: "name=a,kind=text,file=b.gguf,context=2048,slots=4,threads=2,queue=64,sha256=..".
// `name` and `file` are required, the rest has the defaults of config::Model. A file name with a comma needs the JSON
// form.
Result<config::Model> ModelFromArgument(std::string_view argument);

}  // namespace pointsman::engine
