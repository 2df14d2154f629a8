#include "router/pipeline/decide.h"

#include <cstdio>

#include "policies/gate/cascade_gate.h"
#include "router/pipeline/facts.h"
#include "router/pipeline/gate_scores.h"
#include "router/pipeline/trace.h"

namespace pointsman::pipeline {
namespace {

// The policy that decides: the one the request names, or the default.
Result<const config::Policy*> PolicyOf(const config::Config& config, const v1::Routing& routing) {
  const std::string& name = routing.policy().empty() ? config.default_policy : routing.policy();
  if (const config::Policy* policy = config.FindPolicy(name)) return policy;
  std::string known;
  for (const config::Policy& policy : config.policies) known += (known.empty() ? "" : ", ") + policy.name;
  return InvalidArgument("routing.policy", "unknown policy '" + name + "'; known: " + known);
}

double Microseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// Classifies the request, and says so in the trace.
policies::Evidence Classify(const Services& services, const v1::CompleteRequest& request, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  const ConversationTexts texts(request);
  const config::Classifier& settings = snapshot.config->classifier;
  const classifier::PartWeights weights = {settings.system, settings.history};
  Clock::time_point start = Clock::now();
  policies::Evidence evidence = classifier::Classify(*snapshot.classifier, texts.conversation(), weights);
  const double spent = Microseconds(start);
  services.metrics->Classified(spent / 1e6);
  Describe(snapshot, evidence, texts.conversation().last, request.routing().explain(), spent,
           *trace.mutable_evidence());
  return evidence;
}

// Predicts each expert's quality, and says so in the trace.
void Predict(const Services& services, const config::Policy& policy, const v1::CompleteRequest& request,
             policies::Evidence& evidence, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  std::string storage;
  std::string_view question = QuestionOf(request, storage);
  Clock::time_point start = Clock::now();
  pipeline::Predict(snapshot.files.predictors[IndexOf(*snapshot.config, policy)], question, evidence);
  const bool pair = std::get<config::Predicted>(policy.score).pair.has_value();
  Describe(*snapshot.config, evidence, pair, Microseconds(start), *trace.mutable_prediction());
}

// Asks the experts' own gates, and says so in the trace.
void ReadGates(const Services& services, const config::Policy& policy, const v1::CompleteRequest& request,
               policies::Evidence& evidence, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  const PolicyGates& gates = snapshot.files.gates[IndexOf(*snapshot.config, policy)];
  Clock::time_point start = Clock::now();
  ScoreByGates(gates, std::get<config::Gates>(policy.score).carry, request, snapshot.config->experts.size(), evidence);
  Describe(*snapshot.config, evidence, Microseconds(start), *trace.mutable_gates());
}

// Finds what copy experts would say; those that have nothing near enough cannot answer.
void FindCopies(const Snapshot& snapshot, const v1::CompleteRequest& request, policies::RequestFacts& facts,
                std::vector<std::string>& copied) {
  const std::vector<config::Expert>& experts = snapshot.config->experts;
  std::string storage;
  const std::string_view question = QuestionOf(request, storage);
  facts.cannot.resize(experts.size());
  copied.resize(experts.size());
  for (std::size_t e = 0; e < experts.size(); ++e) {
    if (snapshot.files.answers[e] == nullptr) continue;
    const classifier::StoredAnswers::Nearest nearest = snapshot.files.answers[e]->Find(question);
    if (nearest.similarity >= static_cast<float>(experts[e].zero_cost()->similarity)) {
      copied[e] = nearest.answer;
      continue;
    }
    char text[96];
    std::snprintf(text, sizeof text, "no stored question is near enough: the nearest has a similarity of %.2f of %.2f",
                  nearest.similarity, experts[e].zero_cost()->similarity);
    facts.cannot[e] = text;
  }
}

}  // namespace

std::size_t IndexOf(const config::Config& config, const config::Policy& policy) {
  return static_cast<std::size_t>(&policy - config.policies.data());
}

Result<Question> Understand(const Services& services, const v1::CompleteRequest& request, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  Result<const config::Policy*> policy = PolicyOf(*snapshot.config, request.routing());
  if (!policy) return std::move(policy).error();
  trace.set_policy((*policy)->name);
  Question question{*policy, std::nullopt};
  if (!request.routing().expert().empty()) return question;
  if (policies::NeedsEvidence(**policy) && snapshot.classifier) question.evidence = Classify(services, request, trace);
  const bool prediction = policies::NeedsPrediction(**policy) && !snapshot.files.predictors.empty();
  const bool gates = policies::NeedsGates(**policy) && !snapshot.files.gates.empty();
  if ((prediction || gates) && !question.evidence) question.evidence.emplace();
  if (prediction) Predict(services, **policy, request, *question.evidence, trace);
  if (gates) ReadGates(services, **policy, request, *question.evidence, trace);
  return question;
}

std::optional<double> Escalates(const Services& services, classifier::EncoderLane* lane, const Question& question) {
  if (lane == nullptr || !question.evidence || question.evidence->categories.empty()) return std::nullopt;
  const double confidence = lane->ConfidenceIn(*question.evidence);
  const classifier::EncoderLane::Choice choice = lane->Consider(confidence);
  if (choice == classifier::EncoderLane::Choice::kOverBudget) {
    services.metrics->Escalated(telemetry::Escalation::kOverBudget);
  }
  if (choice != classifier::EncoderLane::Choice::kEscalate) return std::nullopt;
  return confidence;
}

Awaitable<void> AskEncoder(const Services& services, classifier::EncoderLane& lane, Deadline deadline,
                           double confidence, const v1::CompleteRequest& request, policies::Evidence& evidence,
                           v1::Trace& trace) {
  std::string storage;
  std::string_view question = QuestionOf(request, storage);
  v1::SecondOpinion described;
  described.set_confidence(confidence);
  described.set_threshold(lane.threshold());
  described.set_fast_likeliest(evidence.categories[evidence.likeliest]);
  described.set_fast_probability(evidence.probabilities[evidence.likeliest]);
  classifier::SecondOpinion opinion = co_await lane.Refine(evidence, question, deadline);
  const std::chrono::duration<double> spent = opinion.spent;
  services.metrics->Escalated(opinion.used        ? telemetry::Escalation::kRefined
                              : opinion.timed_out ? telemetry::Escalation::kTimeout
                                                  : telemetry::Escalation::kFailed,
                              spent.count());
  described.set_used(opinion.used);
  described.set_failure(opinion.failure);
  described.set_milliseconds(spent.count() * 1e3);
  described.set_truncated(opinion.truncated);
  if (opinion.used) {
    evidence = std::move(opinion.evidence);
    const double classified = trace.evidence().classify_microseconds();
    trace.clear_evidence();
    Describe(*services.snapshot, evidence, question, request.routing().explain(), classified,
             *trace.mutable_evidence());
  }
  *trace.mutable_evidence()->mutable_second_opinion() = std::move(described);
}

Result<Decision> MakeDecision(const Services& services, const config::Mask* tenant, const Question& question,
                              const v1::CompleteRequest& request, v1::Trace& trace) {
  const Snapshot& snapshot = *services.snapshot;
  const config::Config& config = *snapshot.config;
  const std::size_t policy = IndexOf(config, *question.policy);
  Decision decision{question.policy, {}, {}, gate::DrawOf(trace.request_id())};
  policies::RequestFacts facts = FactsOf(request);
  facts.tenant = tenant;
  facts.random = decision.random;
  if (services.masses != nullptr) facts.mass = services.masses->Mass(policy);
  if (snapshot.copies) FindCopies(snapshot, request, facts, decision.copied);
  const policies::Evidence* evidence = question.evidence ? &*question.evidence : nullptr;
  Result<policies::Choice> choice = policies::Choose(config, *question.policy, facts, evidence);
  if (!choice) return std::move(choice).error();
  std::span<const StageGate> gates;
  if (policy < snapshot.files.cascades.size()) gates = snapshot.files.cascades[policy];
  Describe(config, *question.policy, gates, *choice, trace);
  decision.choice = *std::move(choice);
  return decision;
}

void CountDecision(const Services& services, const Decision& decision) {
  const Snapshot& snapshot = *services.snapshot;
  const std::size_t policy = IndexOf(*snapshot.config, *decision.policy);
  const policies::Choice& choice = decision.choice;
  services.metrics->Decided(snapshot.CategoryIndex(choice.category), policy, policies::First(choice.plan).expert);
  if (!choice.selected) return;
  services.metrics->Selected(policy, choice.models);
  if (services.masses != nullptr) services.masses->Observe(policy, choice.models);
}

}  // namespace pointsman::pipeline
