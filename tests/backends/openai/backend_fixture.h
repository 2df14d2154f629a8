// tests/backends/openai/backend_fixture.h: an OpenAI backend in front of the fault server.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "backends/http/multi.h"
#include "backends/openai/openai_backend.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/loop_runner.h"
#include "tests/support/outcome.h"

namespace pointsman::openai {

using backends::Chunk;
using pointsman::testing::FaultServer;
using pointsman::testing::Outcome;
using pointsman::testing::ReadAll;
using pointsman::testing::RunOn;

class OpenAiBackendTest : public ::testing::Test {
 protected:
  OpenAiBackendTest() {
    request_.add_messages()->set_role(v1::ROLE_USER);
    request_.mutable_messages(0)->add_parts()->set_text("Which way?");
    expert_.name = "remote";
    config_.model = "fault";
    config_.key = "sk-secret-1234";
    config_.key_source = "environment variable REMOTE_KEY";
  }

  Outcome Ask(std::string_view behaviour, bool stream = true, Deadline deadline = Deadline::max()) {
    config_.url = server_.url(behaviour);
    return AskConfigured(stream, deadline);
  }

  Outcome AskConfigured(bool stream, Deadline deadline = Deadline::max()) {
    expert_.backend = config_;
    OpenAiBackend backend(multi_, expert_);
    auto answer = backend.Open(request_, stream, deadline);
    return RunOn(loop_, ReadAll(*answer));
  }

  FaultServer server_;
  Loop loop_{1};
  http::Multi multi_{loop_};
  config::Expert expert_;
  config::OpenAiBackend config_;
  v1::CompleteRequest request_;
};

}  // namespace pointsman::openai
