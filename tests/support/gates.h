// tests/support/gates.h: gates for tests: of random numbers, and what trains one on tests/data/topics.jsonl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "pointsman/v1/gate.pb.h"
#include "router/offline/train_gate.h"
#include "tests/support/temp_dir.h"

namespace pointsman::testing {

// A gate without a flaw, of random numbers, with `examples` examples in clusters of which half are read.
v1::ExpertGate RandomGate(const std::string& expert, std::size_t dimensions, std::size_t examples, std::uint64_t seed);

// Texts that belong to no topic: the prompts that ship with the project.
std::filesystem::path PoolRows();

// Options that train the gate of one topic with TopicEmbedding(); the file is TOPIC.pmg in `dir`.
offline::TrainGateOptions TopicGateOptions(const TempDir& dir, const std::string& topic);

// Writes TopicEmbedding() as an artifact without a model, and returns its path.
std::filesystem::path WriteTopicEmbedding(const TempDir& dir);

}  // namespace pointsman::testing
