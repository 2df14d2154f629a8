// Every fault of a remote expert, as the client sees it: status and message, streamed and whole. Set
// POINTSMAN_PRINT_FAULTS=1 to print the table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ostream>

#include "google/rpc/error_details.pb.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;
using testing_support::Detail;
using testing_support::Question;
using testing_support::TestServer;

struct Fault {
  const char* behaviour;
  grpc::StatusCode streamed;  // what a streaming client gets
  bool partial;               // some of the answer had been delivered
  const char* message;        // part of it
};

// What gtest prints of a parameter.
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.behaviour; }

class FaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(FaultTest, ClientGetsATypedErrorAndNeverACompleteLookingAnswer) {
  const Fault& fault = GetParam();
  testing::FaultServer upstream;
  TestServer server(R"(
experts:
  only:
    openai: {url: ")" + upstream.url(fault.behaviour) +
                        R"(", model: m, first_byte_timeout: 300ms, idle_timeout: 300ms}
    capabilities: [tools]
policies: {p: {score: pinned, experts: [only]}}
default_policy: p
)",
                    1);
  auto streamed = testing_support::Stream(server.stub(), Question("x"));
  if (std::getenv("POINTSMAN_PRINT_FAULTS") != nullptr) {
    std::printf("%-28s %2d %s%s\n", fault.behaviour, streamed.status.error_code(),
                streamed.status.error_message().c_str(), fault.partial ? "  [partial]" : "");
  }
  EXPECT_EQ(streamed.status.error_code(), fault.streamed) << streamed.status.error_message();
  EXPECT_THAT(streamed.status.error_message(), HasSubstr(fault.message));
  EXPECT_FALSE(streamed.done());
  EXPECT_EQ(Detail<v1::PartialAnswer>(streamed.status).has_value(), fault.partial);
  EXPECT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.open <= 1; }));  // kept alive, or closed
  EXPECT_TRUE(testing_support::Eventually([&] { return server.server().in_flight() == 0; }));
}

constexpr auto kUnavailable = grpc::StatusCode::UNAVAILABLE;

INSTANTIATE_TEST_SUITE_P(
    Faults, FaultTest,
    ::testing::Values(Fault{"/slow_first_byte", kUnavailable, false, "0.3 s"},
                      Fault{"/headers_only", kUnavailable, false, ""}, Fault{"/stall", kUnavailable, true, "0.3 s"},
                      Fault{"/reset", kUnavailable, true, ""}, Fault{"/reset;chunks=0", kUnavailable, false, ""},
                      Fault{"/cut", kUnavailable, true, ""}, Fault{"/truncate", kUnavailable, true, "terminator"},
                      Fault{"/no_done", kUnavailable, true, "[DONE]"}, Fault{"/half_frame", kUnavailable, true, ""},
                      Fault{"/half_json", kUnavailable, true, ""}, Fault{"/garbage", kUnavailable, false, ""},
                      Fault{"/huge_event", kUnavailable, false, ""}, Fault{"/wrong_type", kUnavailable, false, ""},
                      Fault{"/stream_error", kUnavailable, true, ""}, Fault{"/redirect", kUnavailable, false, "302"},
                      Fault{"/status;code=500", kUnavailable, false, "500"},
                      Fault{"/status;code=503", kUnavailable, false, "503"},
                      Fault{"/status;code=404", kUnavailable, false, "404"},
                      Fault{"/status;code=401", kUnavailable, false, "401"},
                      Fault{"/status;code=400", grpc::StatusCode::INVALID_ARGUMENT, false, ""},
                      Fault{"/context_length", grpc::StatusCode::INVALID_ARGUMENT, false, ""},
                      Fault{"/status;code=429;retry_after=7", grpc::StatusCode::RESOURCE_EXHAUSTED, false, "429"}),
    [](const auto& info) {
      std::string name = info.param.behaviour;
      for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
      }
      return name;
    });

struct FallbackTest : ::testing::Test {
  testing::FaultServer upstream;
  std::string Config(const std::string& first) {
    return R"(
experts:
  first:
    openai: {url: ")" +
           upstream.url(first) + R"(", model: m1, first_byte_timeout: 300ms, idle_timeout: 300ms}
  second:
    openai: {url: ")" +
           upstream.url("/normal") + R"(", model: m2}
policies: {p: {score: pinned, experts: [first, second]}}
default_policy: p
)";
  }
};

TEST_F(FallbackTest, HappensBeforeTheFirstToken) {
  for (const char* fault : {"/slow_first_byte", "/headers_only", "/reset;chunks=0", "/garbage", "/wrong_type",
                            "/status;code=500", "/status;code=429", "/status;code=401", "/stall;chunks=0"}) {
    TestServer server(Config(fault), 1);
    auto streamed = testing_support::Stream(server.stub(), Question("x"));
    ASSERT_TRUE(streamed.done()) << fault << ": " << streamed.status.error_message();
    EXPECT_EQ(streamed.events.back().done().expert(), "second") << fault;
    EXPECT_EQ(streamed.text, "w0 w1 w2 w3 w4 ") << fault;
    EXPECT_GE(streamed.trace().attempts_size(), 2) << fault;
  }
}

TEST_F(FallbackTest, NeverHappensAfterIt) {
  for (const char* fault : {"/stall", "/reset", "/truncate", "/half_json"}) {
    TestServer server(Config(fault), 1);
    auto streamed = testing_support::Stream(server.stub(), Question("x"));
    EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::UNAVAILABLE) << fault;
    auto partial = Detail<v1::PartialAnswer>(streamed.status);
    ASSERT_TRUE(partial) << fault;
    EXPECT_EQ(partial->text_bytes(), streamed.text.size()) << fault;
  }
}

TEST_F(FallbackTest, AWholeAnswerFallsBackEvenFromABrokenOne) {
  for (const char* fault : {"/half_json", "/reset", "/cut"}) {
    TestServer server(Config(fault), 1);
    grpc::ClientContext context;
    v1::CompleteResponse response;
    grpc::Status status = server.stub().Complete(&context, Question("x"), &response);
    ASSERT_TRUE(status.ok()) << fault << ": " << status.error_message();
    EXPECT_EQ(response.expert(), "second") << fault;
    EXPECT_EQ(response.message().parts(0).text(), "w0 w1 w2 w3 w4 ") << fault;
  }
}

TEST_F(FallbackTest, ACallersFaultIsNotTriedElsewhere) {
  TestServer server(Config("/status;code=400"), 1);
  auto streamed = testing_support::Stream(server.stub(), Question("x"));
  EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(upstream.counts().requests, 1u);
}

}  // namespace
}  // namespace pointsman
