#include "router/classifier/expert_gates.h"

#include <algorithm>
#include <array>

#include "router/classifier/artifact.h"
#include "router/classifier/ensemble.h"
#include "router/classifier/envelope.h"
#include "router/classifier/gate_file.h"
#include "router/classifier/gate_routing.h"

namespace pointsman::classifier {
namespace {

constexpr float kNgramShare = 0.3F;  // of the n-grams' logit in the ensemble's

bool ReadsNgrams(GateForm form) { return form == GateForm::kEnsemble || form == GateForm::kNgrams; }
bool ReadsExamples(GateForm form) {
  return form == GateForm::kEnsemble || form == GateForm::kNeighbours || form == GateForm::kRetrieval;
}
bool IsStandardised(GateForm form) { return form == GateForm::kPhatgoose || form == GateForm::kAverageActivation; }

const google::protobuf::RepeatedField<float>& VectorOf(const v1::ExpertGate& gate, GateForm form) {
  switch (form) {
    case GateForm::kPhatgoose: return gate.phatgoose();
    case GateForm::kAverageActivation: return gate.average_activation();
    default: return gate.logistic();
  }
}

float Product(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) sum += a[d] * b[d];
  return sum;
}

}  // namespace

const char* Name(GateForm form) {
  switch (form) {
    case GateForm::kEnsemble: return "ensemble";
    case GateForm::kNeighbours: return "neighbours";
    case GateForm::kNgrams: return "ngrams";
    case GateForm::kLogistic: return "logistic";
    case GateForm::kPhatgoose: return "phatgoose";
    case GateForm::kAverageActivation: return "average_activation";
    case GateForm::kRetrieval: return "retrieval";
  }
  return "";
}

std::optional<GateForm> GateFormOf(std::string_view name) {
  for (const GateForm form : kGateForms) {
    if (name == Name(form)) return form;
  }
  return std::nullopt;
}

Result<std::shared_ptr<const ExpertGates>> ExpertGates::Load(std::span<const GateFile> gates,
                                                             const std::filesystem::path& classifier_artifact,
                                                             GateForm form) {
  if (gates.empty()) return InvalidArgument("gates", "no gate is named: `pointsman train gate` makes one an expert");
  auto read = MapParts(classifier_artifact);
  if (!read) return std::move(read).error();
  const v1::StaticEmbedding& embedding = read->artifact.embedding();
  const std::string flaw = read->artifact.has_embedding() ? Flaw(embedding, read->tables.vectors.size())
                                                          : "it has no token vectors, which gates need";
  if (!flaw.empty()) return InvalidArgument("classifier", classifier_artifact.string() + ": " + flaw);
  const std::string checksum = Checksum(read->embedding.bytes());  // what EmbeddingChecksum() says
  std::vector<v1::ExpertGate> loaded;
  for (const GateFile& wanted : gates) {
    auto gate = ReadGate(wanted.file);
    if (!gate) return std::move(gate).error();
    if (gate->expert() != wanted.expert) {
      return BadGate(wanted.file, "it is the gate of \"" + gate->expert() + "\", not of \"" + wanted.expert +
                                      "\": name that expert, or train one with --expert " + wanted.expert);
    }
    if (gate->embedding() != checksum || gate->dimensions() != embedding.dimensions()) {
      return BadGate(wanted.file, "it was trained with other token vectors than those of " +
                                      classifier_artifact.string() + ": train it anew with --embedding " +
                                      classifier_artifact.string());
    }
    loaded.push_back(*std::move(gate));
  }
  return std::make_shared<const ExpertGates>(
      loaded, std::make_shared<const StaticEmbedding>(embedding, read->tables.vectors), form);
}

ExpertGates::ExpertGates(std::span<const v1::ExpertGate> gates, std::shared_ptr<const StaticEmbedding> embedding,
                         GateForm form)
    : form_(form), size_(gates.size()), embedding_(std::move(embedding)) {
  if (ReadsNgrams(form)) ngrams_.emplace(gates);
  for (const v1::ExpertGate& gate : gates) {
    if (ReadsExamples(form)) examples_.emplace_back(gate.examples(), gate.dimensions());
    if (ReadsExamples(form) || ReadsNgrams(form)) continue;
    const auto& vector = VectorOf(gate, form);
    vectors_.insert(vectors_.end(), vector.begin(), vector.end());
    if (IsStandardised(form)) Standardise(std::span(vectors_).last(embedding_->dimensions()));
    bias_.push_back(gate.logistic_bias());
  }
}

// The own prompts of many experts do not fit the cache: while one expert's rows are read, those that the next one will
// read are on their way, and the centroids of the one after it.
void ExpertGates::FromExamples(const Int8Vector& query, std::span<float> logits) const {
  thread_local std::vector<std::uint32_t> clusters, next;
  if (size_ == 0) return;
  examples_[0].Choose(query, next);
  for (std::size_t e = 0; e < size_; ++e) {
    std::swap(clusters, next);
    if (e + 2 < size_) examples_[e + 2].Prefetch();
    if (e + 1 < size_) examples_[e + 1].Choose(query, next);
    const bool largest = form_ == GateForm::kRetrieval;
    const float own = largest ? examples_[e].Largest(query, clusters) : examples_[e].LogSum(query, clusters);
    logits[e] = form_ == GateForm::kEnsemble ? own + kNgramShare * logits[e] : own;
  }
}

void ExpertGates::Logits(std::string_view text, std::span<float> logits) const {
  if (ngrams_) {
    ngrams_->Logits(text, logits);
    if (form_ == GateForm::kNgrams) return;
  }
  std::array<float, kMaxDimensions> storage;
  const std::span<float> vector(storage.data(), embedding_->dimensions());
  EmbedText(*embedding_, text, kGateMaxBytes, vector);
  if (ReadsExamples(form_)) {
    FromExamples(Int8Vector(vector), logits);
    return;
  }
  if (IsStandardised(form_)) Standardise(vector);
  for (std::size_t e = 0; e < size_; ++e) {
    const std::span<const float> gate(&vectors_[e * vector.size()], vector.size());
    logits[e] = IsStandardised(form_) ? ScaledProduct(vector, gate) : Product(vector, gate) + bias_[e];
  }
}

}  // namespace pointsman::classifier
