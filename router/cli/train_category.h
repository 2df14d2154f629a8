// router/cli/train_category.h: `pointsman train category`.
#pragma once

namespace CLI {
class App;
}

namespace pointsman::cli {

// Adds the subcommand `category` to the group `train`, as RegisterTrain does.
void RegisterTrainCategory(CLI::App& group, int& exit_code);

}  // namespace pointsman::cli
