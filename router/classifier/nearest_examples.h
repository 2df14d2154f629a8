// router/classifier/nearest_examples.h: how near the nearest of one expert's own prompts are to a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pointsman/v1/gate.pb.h"
#include "router/classifier/int8_rows.h"

namespace pointsman::classifier {

// Immutable; any thread. The rows lie in clusters, of which the nearest to the text are read (as those of Neighbours).
class NearestExamples {
 public:
  static constexpr std::size_t kNearest = 20;  // that LogSum adds up
  static constexpr float kSharpness = 16;

  // `examples` are those of a gate without Flaw(); `dimensions` are the gate's.
  NearestExamples(const v1::GateExamples& examples, std::size_t dimensions);

  // The clusters that a text's vector reads, nearest first: `chosen` becomes their numbers. Asks the cache for their
  // rows. No allocation where `chosen` has room and the thread has asked before.
  void Choose(const Int8Vector& vector, std::vector<std::uint32_t>& chosen) const;

  // Asks the cache for what Choose() reads.
  void Prefetch() const;

  // ln of the sum of exp(kSharpness * cosine) over the kNearest nearest of the rows that are read. The logarithm of a
  // kernel density, without its constant: experts' values compare, and one with more prompts in the place has more.
  // `clusters` are those of Choose().
  float LogSum(const Int8Vector& vector, std::span<const std::uint32_t> clusters) const;

  // The largest cosine of the rows that are read, [-1, 1].
  float Largest(const Int8Vector& vector, std::span<const std::uint32_t> clusters) const;

  std::size_t size() const { return rows_.size(); }

 private:
  // Calls row(cosine) for the rows of the clusters.
  template <class Row>
  void ForEachRead(const Int8Vector& vector, std::span<const std::uint32_t> clusters, Row&& row) const;

  Int8Rows rows_;
  Int8Rows centroids_;
  std::vector<std::uint32_t> begin_;
  std::size_t probes_;
};

}  // namespace pointsman::classifier
