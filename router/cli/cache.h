// router/cli/cache.h: `pointsman cache`.
#pragma once

namespace CLI {
class App;
}

namespace pointsman::cli {

// `exit_code` is set when a command has run; both must outlive the parse.
void RegisterCache(CLI::App& app, int& exit_code);

}  // namespace pointsman::cli
