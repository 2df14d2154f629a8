#include "router/pipeline/like_questions.h"

#include <algorithm>
#include <numeric>

#include "policies/gate/cascade_gate.h"
#include "router/cache/question_guards.h"
#include "router/pipeline/facts.h"

namespace pointsman::pipeline {
namespace {

// Whether the last message is a question of the user, in words, and what stands before it may be there.
bool Comparable(const v1::CompleteRequest& request, bool conversations) {
  if (request.tools_size() > 0 || request.messages_size() == 0) return false;
  const v1::Message& last = request.messages(request.messages_size() - 1);
  if (last.role() != v1::ROLE_USER) return false;
  for (const v1::Part& part : last.parts()) {
    if (!part.has_text()) return false;
  }
  if (conversations) return true;
  return std::all_of(request.messages().begin(), request.messages().end() - 1,
                     [](const v1::Message& message) { return message.role() == v1::ROLE_SYSTEM; });
}

std::string TextOf(const v1::CompleteResponse& response) {
  std::string text;
  for (const v1::Part& part : response.message().parts()) text += part.text();
  return text;
}

std::string Bare(const std::string& text) {
  std::string bare;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) bare += c;
    if (c >= 'A' && c <= 'Z') bare += static_cast<char>(c - 'A' + 'a');
  }
  return bare;
}

}  // namespace

LikeQuestions::LikeQuestions(const Services& services, const Cached& cached, const v1::CompleteRequest& request)
    : services_(services), cached_(cached) {
  if (services.questions == nullptr || !cached.on() || request.routing().cache().exact()) return;
  const config::Config& config = *services.snapshot->config;
  policy_ = static_cast<std::size_t>(cached.policy() - config.policies.data());
  index_ = (*services.questions)[policy_].get();
  if (index_ == nullptr || !cached.MayHold()) return;
  if (!Comparable(request, cached.policy()->cache.semantic->conversations)) return;
  std::string storage;
  asked_ = index_->matcher().Read(QuestionOf(request, storage));
  if (!asked_) return;
  v1::CompleteRequest frame = request;  // all but the question must be equal
  frame.mutable_messages(frame.messages_size() - 1)->clear_parts();
  group_ = cached.KeyOf(frame);
}

Awaitable<std::optional<LikeAnswer>> LikeQuestions::Find() const {
  constexpr int kTries = 4;  // matches whose answers may have gone
  const double threshold = services_.snapshot->files.matchers[policy_].threshold;
  for (int tried = 0; tried < kTries; ++tried) {
    const std::optional<cache::LikeQuestion> like = index_->Find(group_, *asked_, threshold, Clock::now());
    if (!like) co_return std::nullopt;
    const char* store = "memory";
    std::optional<cache::Entry> entry = co_await cached_.FindOther(like->key, like->question, store);
    if (entry) {
      LikeAnswer answer{*std::move(entry), store, like->probability, like->similarity};
      co_return answer;
    }
    index_->Remove(group_, *asked_, like->key);
  }
  co_return std::nullopt;
}

void LikeQuestions::Add() const {
  if (on()) index_->Add(group_, *asked_, cached_.key(), cached_.question(), Clock::now());
}

bool LikeQuestions::Audits(const std::string& request_id) const {
  return gate::DrawOf(request_id + "/audit") < cached_.policy()->cache.semantic->audit;
}

void LikeQuestions::Compare(const LikeAnswer& kept, const v1::CompleteResponse& fresh, v1::Trace& trace) const {
  const bool same = SayTheSame(index_->matcher().classifier(), TextOf(*kept.entry.response), TextOf(fresh));
  services_.metrics->Audited(policy_, same);
  trace.set_cache_audit(same ? "same" : "different");
  trace.set_cached_request_id(kept.entry.response->id());
  trace.set_cache_similarity(kept.similarity);
  trace.set_cache_probability(kept.probability);
}

bool SayTheSame(const classifier::Classifier& classifier, const std::string& a, const std::string& b) {
  constexpr float kAlike = 0.8F;
  if (Bare(a) == Bare(b)) return true;
  const auto numbers = static_cast<std::size_t>(cache::Guard::kNumbers);
  if (cache::GuardsOf(a).hashes[numbers] != cache::GuardsOf(b).hashes[numbers]) return false;
  std::vector<float> x(classifier.dimensions()), y(classifier.dimensions());
  if (!classifier.Embed(a, x) || !classifier.Embed(b, y)) return false;
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0F) >= kAlike;
}

}  // namespace pointsman::pipeline
