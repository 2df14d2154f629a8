// router/pipeline/facts.h: what policies and the classifier may know of a request.
#pragma once

#include <string>

#include "pointsman/v1/pointsman.pb.h"
#include "policies/choose.h"
#include "router/classifier/conversation.h"

namespace pointsman::pipeline {

// Any thread.
policies::RequestFacts FactsOf(const v1::CompleteRequest& request);

// The text of a message: its parts, joined by '\n'. A view into it, or into `storage`, which keeps what it had. Any
// thread.
std::string_view TextOf(const v1::Message& message, std::string& storage);

// The text to classify: that of the last user message. Where a message has several text parts they are joined by '\n'
// in `storage`; else the view is into the request. Any thread.
std::string_view QuestionOf(const v1::CompleteRequest& request, std::string& storage);

// The request's texts for the classifier: views into the request, or into the storage.
class ConversationTexts {
 public:
  static constexpr int kEarlierTurns = 3;  // of the user, at most; the latest ones

  // `request` must outlive it.
  explicit ConversationTexts(const v1::CompleteRequest& request);
  ConversationTexts(const ConversationTexts&) = delete;
  ConversationTexts& operator=(const ConversationTexts&) = delete;

  const classifier::Conversation& conversation() const { return conversation_; }

 private:
  std::string system_, history_, last_;
  classifier::Conversation conversation_;
};

}  // namespace pointsman::pipeline
