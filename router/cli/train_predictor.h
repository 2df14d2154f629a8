// router/cli/train_predictor.h: `pointsman train predictor`.
#pragma once

namespace CLI {
class App;
}

namespace pointsman::cli {

// Adds `predictor` to the group `train`. As RegisterTrain (train.h).
void RegisterTrainPredictor(CLI::App& group, int& exit_code);

}  // namespace pointsman::cli
