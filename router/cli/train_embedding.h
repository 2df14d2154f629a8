// router/cli/train_embedding.h: `pointsman train embedding`; only with the local engine.
#pragma once

namespace CLI {
class App;
}

namespace pointsman::cli {

// Adds `embedding` to the group `train`. As RegisterTrain (train.h).
void RegisterTrainEmbedding(CLI::App& group, int& exit_code);

}  // namespace pointsman::cli
