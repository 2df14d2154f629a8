// router/pipeline/facts.h: what policies and the classifier may know of a request.
#pragma once

#include <string>

#include "pointsman/v1/pointsman.pb.h"
#include "policies/choose.h"

namespace pointsman::pipeline {

// Any thread.
policies::RequestFacts FactsOf(const v1::CompleteRequest& request);

// The text to classify: that of the last user message. Where a message has several text parts they are joined by '\n'
// in `storage`; else the view is into the request. Any thread.
std::string_view QuestionOf(const v1::CompleteRequest& request, std::string& storage);

}  // namespace pointsman::pipeline
