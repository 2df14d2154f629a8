// The whole server over real gRPC: services, statuses, metadata, health, reflection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "google/rpc/error_details.pb.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/health.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using ::testing::HasSubstr;
using testing_support::Detail;
using testing_support::Eventually;
using testing_support::Question;
using testing_support::TestServer;

std::string TwoExperts(const std::string& first, const std::string& second) {
  return R"(
experts:
  first:
    openai: {url: ")" +
         first + R"(", model: m1}
    capabilities: [tools, json_schema, logprobs]
    price: {input: 1, output: 2}
    context: 1000
    parameters: 7
    description: the first one
  second:
    openai: {url: ")" +
         second + R"(", model: m2}
policies:
  p: {score: pinned, experts: [first, second]}
default_policy: p
cache: {memory: 1MiB}
)";
}

struct ServerTest : ::testing::Test {
  testing::FaultServer upstream;
  TestServer server{TwoExperts(upstream.url("/normal"), upstream.url("/normal"))};
};

TEST_F(ServerTest, CompletesAQuestion) {
  grpc::ClientContext context;
  v1::CompleteResponse response;
  grpc::Status status = server.stub().Complete(&context, Question("hello"), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.message().parts(0).text(), "w0 w1 w2 w3 w4 ");
  EXPECT_EQ(response.expert(), "first");
  EXPECT_EQ(response.finish_reason(), v1::FINISH_REASON_STOP);
  EXPECT_GT(response.usage().cost_usd(), 0);
  EXPECT_FALSE(response.trace().request_id().empty());
}

TEST_F(ServerTest, StreamsAQuestion) {
  auto streamed = testing_support::Stream(server.stub(), Question("hello"));
  ASSERT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  ASSERT_TRUE(streamed.done());
  EXPECT_TRUE(streamed.events.front().has_route());
  EXPECT_EQ(streamed.text, "w0 w1 w2 w3 w4 ");
  EXPECT_EQ(streamed.events[streamed.events.size() - 2].event_case(), v1::CompleteEvent::kUsage);
}

TEST_F(ServerTest, RoutesWithoutRunning) {
  grpc::ClientContext context;
  v1::RouteRequest request;
  *request.mutable_request() = Question("hello");
  v1::RouteResponse response;
  ASSERT_TRUE(server.stub().Route(&context, request, &response).ok());
  EXPECT_EQ(response.trace().plan().ask().candidates(0).expert(), "first");
  EXPECT_EQ(upstream.counts().requests, 0u);
}

TEST_F(ServerTest, ListsTheExperts) {
  grpc::ClientContext context;
  v1::ListExpertsResponse response;
  ASSERT_TRUE(server.stub().ListExperts(&context, {}, &response).ok());
  ASSERT_EQ(response.experts_size(), 2);
  EXPECT_EQ(response.experts(0).name(), "first");
  EXPECT_EQ(response.experts(0).backend(), "openai");
  EXPECT_EQ(response.experts(0).model(), "m1");
  EXPECT_EQ(response.experts(0).description(), "the first one");
  EXPECT_EQ(response.experts(0).context(), 1000u);
  EXPECT_TRUE(response.experts(0).available());
  EXPECT_EQ(response.experts(0).capabilities_size(), 3);
}

TEST_F(ServerTest, ReportsItsStatus) {
  auto streamed = testing_support::Stream(server.stub(), Question("hello"));
  ASSERT_TRUE(streamed.done());
  grpc::ClientContext context;
  v1::GetStatusResponse response;
  ASSERT_TRUE(server.admin().GetStatus(&context, {}, &response).ok());
  EXPECT_EQ(response.requests(), 1u);
  EXPECT_EQ(response.in_flight(), 0u);
  EXPECT_EQ(response.shards(), 2u);
  EXPECT_EQ(response.engine().state(), "off");
  EXPECT_EQ(response.cache().capacity_bytes(), 1u << 20);
  EXPECT_EQ(response.snapshot().size(), 16u);
}

TEST_F(ServerTest, KeepsTheClientsRequestIdAndMakesOneElse) {
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "mine-1");
  v1::CompleteResponse response;
  ASSERT_TRUE(server.stub().Complete(&context, Question("hello"), &response).ok());
  EXPECT_EQ(response.id(), "mine-1");
  EXPECT_EQ(context.GetServerInitialMetadata().find("x-request-id")->second, "mine-1");
  grpc::ClientContext other;
  ASSERT_TRUE(server.stub().Complete(&other, Question("hello"), &response).ok());
  EXPECT_EQ(response.id().size(), 32u);
}

TEST_F(ServerTest, RefusesAMalformedRequestWithEveryField) {
  grpc::ClientContext context;
  v1::CompleteResponse response;
  v1::CompleteRequest request = Question("hello");
  request.mutable_sampling()->set_temperature(9);
  request.mutable_sampling()->set_top_p(0);
  grpc::Status status = server.stub().Complete(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  auto details = Detail<google::rpc::BadRequest>(status);
  ASSERT_TRUE(details);
  EXPECT_EQ(details->field_violations_size(), 2);
}

TEST_F(ServerTest, NamesTheMissingCapability) {
  v1::CompleteRequest request = Question("what is this?");
  request.mutable_messages(0)->add_parts()->mutable_image()->set_url("https://example.org/a.png");
  auto streamed = testing_support::Stream(server.stub(), request);
  EXPECT_EQ(streamed.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(streamed.status.error_message(), HasSubstr("cannot read images"));
  EXPECT_TRUE(Detail<google::rpc::BadRequest>(streamed.status));
}

TEST_F(ServerTest, AnswersFromTheCache) {
  v1::CompleteRequest request = Question("the same question");
  request.mutable_sampling()->set_temperature(0);
  auto fresh = testing_support::Stream(server.stub(), request);
  ASSERT_TRUE(fresh.done()) << fresh.status.error_message();
  auto cached = testing_support::Stream(server.stub(), request);
  ASSERT_TRUE(cached.done());
  EXPECT_EQ(cached.text, fresh.text);
  EXPECT_EQ(cached.trace().cache(), v1::CACHE_OUTCOME_EXACT);
  EXPECT_EQ(upstream.counts().requests, 1u);
}

TEST_F(ServerTest, HealthAndReflectionAreAlwaysOn) {
  for (const char* service : {"", "pointsman.v1.Pointsman", "pointsman.v1.Admin"}) {
    EXPECT_EQ(testing_support::Health(server.channel(), service), testing_support::kServing) << service;
  }
  auto services = testing_support::ReflectedServices(server.channel());
  EXPECT_THAT(services,
              ::testing::IsSupersetOf({"pointsman.v1.Pointsman", "pointsman.v1.Admin", "grpc.health.v1.Health"}));
}

TEST_F(ServerTest, MetricsTellOfTheRequest) {
  auto streamed = testing_support::Stream(server.stub(), Question("hello"));
  ASSERT_TRUE(streamed.done());
  ASSERT_TRUE(Eventually(
      [&] { return server.server().RenderMetrics().find("pointsman_requests_total") != std::string::npos; }));
  std::string page = server.server().RenderMetrics();
  EXPECT_THAT(page, HasSubstr("expert=\"first\""));
  EXPECT_THAT(page, ::testing::Not(HasSubstr("hello")));
}

TEST_F(ServerTest, AnotherServerOnThePortIsAnError) {
  std::string yaml = TwoExperts(upstream.url("/normal"), upstream.url("/normal"));
  EXPECT_THROW(TestServer(yaml, 1, server.address()), std::runtime_error);
}

TEST(TenantsTest, EveryRpcWantsAKey) {
  testing::FaultServer upstream;
  setenv("TEST_KEY_ACME", "secret-a", 1);
  setenv("TEST_KEY_OPS", "secret-o", 1);
  TestServer server(TwoExperts(upstream.url("/normal"), upstream.url("/normal")) + R"(
tenants:
  acme: {key: {env: TEST_KEY_ACME}}
  ops: {key: {env: TEST_KEY_OPS}, admin: true}
)");
  auto with = [](const char* key) {
    return [key](grpc::ClientContext& context) { context.AddMetadata("authorization", std::string("Bearer ") + key); };
  };
  EXPECT_EQ(testing_support::Stream(server.stub(), Question("x")).status.error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(testing_support::Stream(server.stub(), Question("x"), with("wrong")).status.error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  auto acme = testing_support::Stream(server.stub(), Question("x"), with("secret-a"));
  ASSERT_TRUE(acme.done());
  EXPECT_EQ(acme.trace().tenant(), "acme");

  v1::GetStatusResponse status;
  grpc::ClientContext as_acme, as_ops;
  with("secret-a")(as_acme);
  with("secret-o")(as_ops);
  EXPECT_EQ(server.admin().GetStatus(&as_acme, {}, &status).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(server.admin().GetStatus(&as_ops, {}, &status).ok());
}

TEST(TenantsTest, NeverShareACacheEntry) {
  testing::FaultServer upstream;
  setenv("TEST_KEY_ACME", "secret-a", 1);
  setenv("TEST_KEY_OPS", "secret-o", 1);
  TestServer server(TwoExperts(upstream.url("/normal"), upstream.url("/normal")) + R"(
tenants:
  acme: {key: {env: TEST_KEY_ACME}}
  ops: {key: {env: TEST_KEY_OPS}}
)");
  v1::CompleteRequest request = Question("the same question");
  request.mutable_sampling()->set_temperature(0);
  for (const char* key : {"secret-a", "secret-o", "secret-a", "secret-o"}) {
    auto streamed = testing_support::Stream(server.stub(), request, [key](grpc::ClientContext& context) {
      context.AddMetadata("authorization", std::string("Bearer ") + key);
    });
    ASSERT_TRUE(streamed.done());
  }
  EXPECT_EQ(upstream.counts().requests, 2u);
}

TEST(LimitsTest, AFullServerSaysWhenToComeBack) {
  testing::FaultServer upstream;
  TestServer server(TwoExperts(upstream.url("/stall"), upstream.url("/normal")) + "limits: {in_flight: 1}\n");
  grpc::ClientContext held;
  auto reader = server.stub().StreamComplete(&held, Question("hold"));
  v1::CompleteEvent event;
  ASSERT_TRUE(reader->Read(&event));  // route
  auto refused = testing_support::Stream(server.stub(), Question("x"));
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Detail<google::rpc::RetryInfo>(refused.status));
  held.TryCancel();
  while (reader->Read(&event)) {
  }
  reader->Finish();
  EXPECT_TRUE(Eventually([&] { return server.server().in_flight() == 0; }));
}

TEST(DeadlineTest, IsCarriedToTheUpstream) {
  testing::FaultServer upstream;
  TestServer server(TwoExperts(upstream.url("/slow_first_byte"), upstream.url("/slow_first_byte")));
  for (bool streaming : {false, true}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
    grpc::Status status;
    if (streaming) {
      auto reader = server.stub().StreamComplete(&context, Question("x"));
      v1::CompleteEvent event;
      while (reader->Read(&event)) {
      }
      status = reader->Finish();
    } else {
      v1::CompleteResponse response;
      status = server.stub().Complete(&context, Question("x"), &response);
    }
    EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  EXPECT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.open == 0; }));
  EXPECT_TRUE(Eventually([&] { return server.server().in_flight() == 0; }));
}

TEST(DeadlineTest, MissingOnesAreCutToTheLimit) {
  testing::FaultServer upstream;
  TestServer server(TwoExperts(upstream.url("/slow_first_byte"), upstream.url("/slow_first_byte")) +
                    "limits: {max_deadline: 200ms}\n");
  grpc::ClientContext context;
  v1::CompleteResponse response;
  EXPECT_EQ(server.stub().Complete(&context, Question("x"), &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST(ShutdownTest, EndsStreamsWithUnavailable) {
  testing::FaultServer upstream;
  TestServer server(TwoExperts(upstream.url("/stall"), upstream.url("/stall")));
  std::vector<std::thread> clients;
  std::atomic<int> started{0}, unavailable{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      grpc::ClientContext context;
      auto reader = server.stub().StreamComplete(&context, Question("x"));
      v1::CompleteEvent event;
      bool counted = false;
      while (reader->Read(&event)) {
        if (event.has_delta() && !counted) {
          counted = true;
          ++started;
        }
      }
      const grpc::Status status = reader->Finish();
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
      if (status.error_code() == grpc::StatusCode::UNAVAILABLE) ++unavailable;
    });
  }
  ASSERT_TRUE(Eventually([&] { return started == 8; }));
  server.server().Shutdown(std::chrono::milliseconds(0));
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(unavailable, 8);
  EXPECT_TRUE(upstream.WaitFor([](const auto& counts) { return counts.open == 0; }));
}

TEST(ShutdownTest, LetsRequestsInFlightEnd) {
  testing::FaultServer upstream;
  TestServer server(TwoExperts(upstream.url("/normal;interval_us=50000"), upstream.url("/normal")));
  std::atomic<bool> started{false};
  testing_support::Streamed streamed;
  std::thread client([&] {
    grpc::ClientContext context;
    auto reader = server.stub().StreamComplete(&context, Question("x"));
    v1::CompleteEvent event;
    while (reader->Read(&event)) {
      started = true;
      streamed.events.push_back(event);
    }
    streamed.status = reader->Finish();
  });
  ASSERT_TRUE(Eventually([&] { return started.load(); }));
  server.server().Shutdown(std::chrono::seconds(60));
  client.join();
  EXPECT_TRUE(streamed.status.ok()) << streamed.status.error_message();
  EXPECT_TRUE(streamed.done());
}

}  // namespace
}  // namespace pointsman
