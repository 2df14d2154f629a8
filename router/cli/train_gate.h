// router/cli/train_gate.h: `pointsman train gate`.
#pragma once

namespace CLI {
class App;
}

namespace pointsman::cli {

// Adds the subcommand `gate` to the group `train`, as RegisterTrain does.
void RegisterTrainGate(CLI::App& group, int& exit_code);

}  // namespace pointsman::cli
