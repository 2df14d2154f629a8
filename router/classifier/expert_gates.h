// router/classifier/expert_gates.h: how much each expert's own gate wants a request. CPU only, in the loop.
//
// PHATGOOSE (arXiv 2402.05859) gives every expert a gate that is trained after the fact on that expert's own data only;
// adding or removing an expert touches no other gate. There a gate reads the hidden activations of each token in each
// module; here, ours, it reads the whole request's text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pointsman/v1/gate.pb.h"
#include "router/classifier/nearest_examples.h"
#include "router/classifier/ngram_gates.h"
#include "router/classifier/static_embedding.h"

namespace pointsman::classifier {

// What a logit is made of. u is the text's unit vector of d values, u~ and v~ are standardised (gate_routing.h).
enum class GateForm {
  kEnsemble,           // kNeighbours + 0.3 * kNgrams; the default: it measures best (docs/policies/gates.md)
  kNeighbours,         // ln sum exp(16 cosine) over the 20 nearest of the own prompts
  kNgrams,             // logit of a logistic regression on hashed n-grams, own prompts against the pool
  kLogistic,           // likewise on u
  kPhatgoose,          // u~ . v~ / sqrt(d), v trained with a sigmoid on own prompts alone (figure 2)
  kAverageActivation,  // u~ . v~ / sqrt(d), v the mean of the own prompts' vectors (the paper's baseline)
  kRetrieval,          // largest cosine with an own prompt (the paper's baseline)
};
inline constexpr GateForm kGateForms[] = {GateForm::kEnsemble, GateForm::kNeighbours, GateForm::kNgrams,
                                          GateForm::kLogistic, GateForm::kPhatgoose,  GateForm::kAverageActivation,
                                          GateForm::kRetrieval};

// "ensemble", "neighbours", "ngrams", "logistic", "phatgoose", "average_activation", "retrieval".
const char* Name(GateForm form);
// The form of that name; none for another word.
std::optional<GateForm> GateFormOf(std::string_view name);

struct GateFile {
  std::string expert;          // whose gate the file must hold
  std::filesystem::path file;  // of `pointsman train gate`
};

// Immutable; any thread.
class ExpertGates {
 public:
  // Reads the files and the token vectors of `classifier_artifact`. Blocking. Errors name the file and the mend: those
  // of ReadGate and of the artifact, an artifact without token vectors, a gate of another expert, a gate that was
  // trained with other token vectors, no gate at all.
  static Result<std::shared_ptr<const ExpertGates>> Load(std::span<const GateFile> gates,
                                                         const std::filesystem::path& classifier_artifact,
                                                         GateForm form);

  // The gates have no Flaw() and were trained with `embedding`, which is not null.
  ExpertGates(std::span<const v1::ExpertGate> gates, std::shared_ptr<const StaticEmbedding> embedding, GateForm form);

  std::size_t size() const { return size_; }

  // logits[e] of gate e, in the order of Load; size() values. `text` is UTF-8, of which at most kGateMaxBytes are read.
  // logits[e] depends on the text, the token vectors and gate e alone, bit for bit. Never fails. No allocation but for
  // a thread's first calls.
  void Logits(std::string_view text, std::span<float> logits) const;

 private:
  // The logits of a form that reads own prompts; those of the n-grams are in `logits` already, where it reads them.
  void FromExamples(const Int8Vector& query, std::span<float> logits) const;

  GateForm form_;
  std::size_t size_;
  std::shared_ptr<const StaticEmbedding> embedding_;
  // Those that the form needs; the others are empty.
  std::vector<NearestExamples> examples_;
  std::optional<NgramGates> ngrams_;
  std::vector<float> vectors_;  // [gate][dimensions]
  std::vector<float> bias_;
};

}  // namespace pointsman::classifier
