// A client that goes away in the middle of a stream leaves nothing behind: no request, no upstream connection, no file.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/fakes/fault_server.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using testing_support::Eventually;
using testing_support::Question;
using testing_support::TestServer;

constexpr int kCalls = 200;

std::string OneExpert(const std::string& url) {
  return R"(
experts:
  only:
    openai: {url: ")" +
         url + R"(", model: m}
policies: {p: {score: pinned, experts: [only]}}
default_policy: p
)";
}

// Opens a stream, reads its first delta, cancels.
void CancelMidway(v1::Pointsman::Stub& stub) {
  grpc::ClientContext context;
  auto reader = stub.StreamComplete(&context, Question("x"));
  v1::CompleteEvent event;
  while (reader->Read(&event) && !event.has_delta()) {
  }
  context.TryCancel();
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST(Cancel, TwoHundredStreamsLeaveNothing) {
  testing::FaultServer upstream;
  TestServer server(OneExpert(upstream.url("/stall;chunks=3")));
  CancelMidway(server.stub());  // what is opened once and kept, is open now
  ASSERT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.open == 0; }));
  std::size_t files = testing_support::OpenFiles();

  std::vector<std::thread> clients;
  for (int t = 0; t < 8; ++t) {
    clients.emplace_back([&] {
      for (int i = 0; i < kCalls / 8; ++i) CancelMidway(server.stub());
    });
  }
  for (std::thread& client : clients) client.join();

  EXPECT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.aborted == kCalls + 1 && counts.open == 0; }))
      << upstream.counts().aborted << " aborted, " << upstream.counts().open << " open";
  EXPECT_TRUE(Eventually([&] { return server.server().in_flight() == 0; }));
  EXPECT_TRUE(Eventually([&] { return testing_support::OpenFiles() <= files; }))
      << testing_support::OpenFiles() << " files open, " << files << " before";
  auto after = testing_support::Stream(server.stub(), Question("x"), [](grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  });
  EXPECT_EQ(after.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST(Cancel, WholeAnswersToo) {
  testing::FaultServer upstream;
  TestServer server(OneExpert(upstream.url("/slow_first_byte")));
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    std::thread canceller([&] {
      upstream.WaitFor([&](const auto& counts) { return counts.requests == static_cast<std::uint64_t>(i) + 1; });
      context.TryCancel();
    });
    v1::CompleteResponse response;
    EXPECT_EQ(server.stub().Complete(&context, Question("x"), &response).error_code(), grpc::StatusCode::CANCELLED);
    canceller.join();
  }
  EXPECT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.aborted == 50 && counts.open == 0; }));
  EXPECT_TRUE(Eventually([&] { return server.server().in_flight() == 0; }));
}

TEST(Cancel, AClientThatStopsReadingIsEndedByTheDeadline) {
  testing::FaultServer upstream;
  TestServer server(OneExpert(upstream.url("/flood;bytes=65536")) + "limits: {max_deadline: 500ms}\n");
  grpc::ClientContext context;
  auto reader = server.stub().StreamComplete(&context, Question("x"));
  v1::CompleteEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_TRUE(Eventually([&] { return server.server().in_flight() == 0; }));  // nobody reads meanwhile
  EXPECT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.open == 0; }));
  while (reader->Read(&event)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

// The events of an answer from the cache follow each other by themselves.
struct CancelHitTest : ::testing::Test {
  testing::FaultServer upstream;
  TestServer server{OneExpert(upstream.url("/normal;chunks=1;bytes=1000000")) +
                    "cache: {memory: 64MiB}\nlimits: {max_deadline: 500ms}\n"};
  v1::CompleteRequest request = Question("x");

  CancelHitTest() {
    request.mutable_sampling()->set_temperature(0);
    const auto fresh = testing_support::Stream(server.stub(), request);
    EXPECT_TRUE(fresh.status.ok()) << fresh.status.error_message();
    const auto hit = testing_support::Stream(server.stub(), request);
    EXPECT_TRUE(hit.done());
    EXPECT_EQ(hit.trace().cache(), v1::CACHE_OUTCOME_EXACT);
    EXPECT_EQ(hit.text, fresh.text);
  }
};

TEST_F(CancelHitTest, AClientThatDoesNotReadIsEndedByTheDeadline) {
  // A connection whose window does not grow with what went over it before.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto stub = v1::Pointsman::NewStub(
      grpc::CreateCustomChannel(server.address(), grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  auto reader = stub->StreamComplete(&context, request);
  v1::CompleteEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_TRUE(event.has_route());
  EXPECT_TRUE(Eventually([&] { return server.server().in_flight() == 0; }));  // nobody reads meanwhile
  bool done = false;
  while (reader->Read(&event)) done = done || event.has_done();
  EXPECT_FALSE(done);
  EXPECT_FALSE(reader->Finish().ok());
}

TEST_F(CancelHitTest, ManyThatGoAwayLeaveNothing) {
  std::vector<std::thread> clients;
  for (int t = 0; t < 8; ++t) {
    clients.emplace_back([&, t] {
      for (int i = 0; i < kCalls / 8; ++i) {
        grpc::ClientContext context;
        auto reader = server.stub().StreamComplete(&context, request);
        v1::CompleteEvent event;
        for (int events = 0; events < (i + t) % 4 && reader->Read(&event); ++events) {
        }
        context.TryCancel();
        while (reader->Read(&event)) {
        }
        (void)reader->Finish();  // who goes late may have had it all
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(Eventually([&] { return server.server().in_flight() == 0; }));
  const auto after = testing_support::Stream(server.stub(), request);
  EXPECT_TRUE(after.status.ok()) << after.status.error_message();
  EXPECT_TRUE(after.done());
}

}  // namespace
}  // namespace pointsman
