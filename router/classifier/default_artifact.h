// router/classifier/default_artifact.h: the classifier that comes with the program.
#pragma once

#include <filesystem>

namespace pointsman::classifier {

// models/classifier.pmc beside the program or one folder up (a build tree), or share/pointsman/classifier.pmc of the
// prefix it is installed in: the first that exists; else the first place, so that an error can name it. Any thread.
std::filesystem::path DefaultArtifact();

// The texts that a gate is told from when no others are named: everyday.jsonl beside that file. Any thread.
std::filesystem::path DefaultPool();

}  // namespace pointsman::classifier
