// router/cli/cache_tune.h: `pointsman cache tune`.
#pragma once

namespace CLI {
class App;
}

namespace pointsman::cli {

// `exit_code` is set when the command has run; both must outlive the parse.
void RegisterCacheTune(CLI::App& group, int& exit_code);

}  // namespace pointsman::cli
