// tests/support/topics.h: a small classifier, trained on tests/data/topics.jsonl (60 rows, 4 topics) in milliseconds.
#pragma once

#include <filesystem>

#include "router/offline/train_classifier.h"

namespace pointsman::testing {

std::filesystem::path TopicRows();
// Options that train it; the caller may change them before TrainClassifier.
offline::TrainOptions TopicOptions(const std::filesystem::path& out);

}  // namespace pointsman::testing
