// router/classifier/classifier.h: what a request is about, and how sure that is. CPU only, microseconds, in the loop.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "policies/evidence.h"

namespace pointsman::classifier {

// Immutable after loading; any thread.
class Classifier {
 public:
  // Reads and checks an artifact (artifact.proto). Errors name the file and what is wrong with it: missing, not an
  // artifact, another version, truncated, checksum. `entropy_threshold` (nats) replaces the artifact's own.
  static Result<std::shared_ptr<const Classifier>> Load(const std::filesystem::path& file,
                                                        std::optional<double> entropy_threshold);

  virtual ~Classifier() = default;

  // `text` is UTF-8 (invalid bytes are read as letters); at most the artifact's max_bytes of it are read. Never fails:
  // an empty text has a uniform distribution. Allocates only the result.
  virtual policies::Evidence Classify(std::string_view text) const = 0;

  // The features that spoke most for category `category` in `text`, strongest first: the feature as people read it, and
  // its share of the category's logit minus the mean share over all categories. Slower than Classify; for `explain`.
  virtual std::vector<std::pair<std::string, double>> Explain(std::string_view text, std::size_t category,
                                                              std::size_t count) const = 0;

  // The unit vector of what is read of `text`, which has dimensions() values; false for a text without a known token.
  virtual bool Embed(std::string_view /*text*/, std::span<float> /*vector*/) const { return false; }
  virtual std::size_t dimensions() const { return 0; }  // 0: the model has no vectors

  virtual const std::vector<std::string>& categories() const = 0;
  virtual std::string_view checksum() const = 0;  // 64 hex digits of the artifact
};

}  // namespace pointsman::classifier
