#include "backends/http/transfer.h"

#include <gtest/gtest.h>

#include "tests/fakes/fault_server.h"
#include "tests/support/loop_runner.h"

namespace pointsman::http {
namespace {

using pointsman::testing::FaultServer;
using pointsman::testing::RunOn;

class TransferTest : public ::testing::Test {
 protected:
  EndpointOptions Options(std::string_view behaviour) {
    EndpointOptions options;
    options.url = server_.url(behaviour);
    return options;
  }

  static Awaitable<std::string> ReadAll(Transfer& transfer) {
    std::string all, piece;
    while (!transfer.ended() || transfer.ready()) {
      if (!transfer.ready()) co_await transfer.Wait();
      transfer.Take(piece);
      all += piece;
      if (piece.empty() && transfer.ended()) break;
    }
    co_return all;
  }
  static Awaitable<bool> WaitOnce(Transfer& transfer) {
    co_await transfer.Wait();
    co_return true;
  }

  FaultServer server_;
  Loop loop_{1};
  Multi multi_{loop_};
};

TEST_F(TransferTest, DeliversEveryByteInOrder) {
  Endpoint endpoint(multi_, Options("/normal;chunks=3000"));
  for (Reading reading : {Reading::kPieces, Reading::kWhole}) {
    Transfer transfer(endpoint, R"({"stream":true})", reading, Deadline::max());
    std::string all = RunOn(loop_, ReadAll(transfer));
    EXPECT_TRUE(transfer.outcome().ok());
    EXPECT_EQ(transfer.status(), 200);
    EXPECT_EQ(transfer.content_type(), "text/event-stream");
    std::size_t at = 0;
    for (int i = 0; i < 3000; ++i) {
      at = all.find("\"w" + std::to_string(i) + " \"", at);
      ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_TRUE(all.ends_with("data: [DONE]\n\n"));
  }
}

TEST_F(TransferTest, ASlowReaderHoldsTheSenderBack) {
  Endpoint endpoint(multi_, Options("/flood"));
  Transfer transfer(endpoint, R"({"stream":true})", Reading::kPieces, Deadline::max());
  std::string piece;
  std::uint64_t taken = 0;
  for (int round = 0; round < 50; ++round) {
    if (!transfer.ready()) RunOn(loop_, WaitOnce(transfer));
    // More is on its way than may be kept here; whatever the loop does with it, what is kept stays small.
    ASSERT_TRUE(server_.WaitFor([&](const FaultServer::Counts& c) { return c.bytes > taken + 4 * Call::kHoldAbove; }));
    loop_.restart();
    loop_.poll();
    transfer.Take(piece);
    EXPECT_LE(piece.size(), Call::kHoldAbove);
    taken += piece.size();
  }
  EXPECT_GT(taken, 10 * Call::kHoldAbove);
}

TEST_F(TransferTest, WaitingForWhatIsThereAlreadyReturnsAtOnce) {
  Endpoint endpoint(multi_, Options("/stall;chunks=1"));
  Transfer transfer(endpoint, R"({"stream":true})", Reading::kPieces, Deadline::max());
  while (!transfer.ready()) loop_.run_one();
  EXPECT_TRUE(RunOn(loop_, WaitOnce(transfer)));
  EXPECT_TRUE(RunOn(loop_, WaitOnce(transfer)));
}

TEST_F(TransferTest, ALongAnswerIsCutOff) {
  EndpointOptions options = Options("/flood");
  options.max_answer_bytes = 100'000;
  Endpoint endpoint(multi_, options);
  for (Reading reading : {Reading::kPieces, Reading::kWhole}) {
    Transfer transfer(endpoint, R"({"stream":true})", reading, Deadline::max());
    std::string all = RunOn(loop_, ReadAll(transfer));
    EXPECT_LE(all.size(), 100'000u);
    ASSERT_FALSE(transfer.outcome().ok());
    EXPECT_NE(transfer.outcome().error().message.find("longer than 100000 bytes"), std::string::npos);
  }
  EXPECT_EQ(multi_.active(), 0u);
  EXPECT_TRUE(server_.WaitFor([](const FaultServer::Counts& c) { return c.open == 0; }));
}

TEST_F(TransferTest, SendsALongBody) {
  Endpoint endpoint(multi_, Options("/normal"));
  std::string body(3'000'000, 'x');
  Transfer transfer(endpoint, body, Reading::kWhole, Deadline::max());
  RunOn(loop_, ReadAll(transfer));
  EXPECT_TRUE(transfer.outcome().ok());
  EXPECT_EQ(server_.last_body(), body);
  EXPECT_EQ(server_.last_head().find("100-continue"), std::string::npos);
}

TEST_F(TransferTest, ManyAtOnce) {
  Endpoint endpoint(multi_, Options("/normal;chunks=20;interval_us=500"));
  std::vector<std::unique_ptr<Transfer>> transfers;
  for (int i = 0; i < 300; ++i) {
    transfers.push_back(std::make_unique<Transfer>(endpoint, R"({"stream":true})", Reading::kPieces, Deadline::max()));
  }
  EXPECT_EQ(multi_.active(), 300u);
  for (auto& transfer : transfers) {
    std::string all = RunOn(loop_, ReadAll(*transfer));
    ASSERT_TRUE(transfer->outcome().ok()) << transfer->outcome().error().message;
    EXPECT_TRUE(all.ends_with("data: [DONE]\n\n"));
  }
  EXPECT_EQ(multi_.active(), 0u);
}

TEST_F(TransferTest, LoopbackNeverGoesThroughAProxy) {
  ::setenv("http_proxy", "http://127.0.0.1:9", 1);
  ::setenv("all_proxy", "http://127.0.0.1:9", 1);
  Endpoint endpoint(multi_, Options("/normal"));
  Transfer transfer(endpoint, "{}", Reading::kWhole, Deadline::max());
  RunOn(loop_, ReadAll(transfer));
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_TRUE(transfer.outcome().ok());
}

TEST(IsLoopback, KnowsThisMachine) {
  for (const char* url : {"http://localhost/v1", "https://localhost:8080", "http://127.0.0.1:80/x", "http://127.9.9.9",
                          "http://[::1]:8000/v1", "http://user:pw@127.0.0.1/", "http://a.localhost/"}) {
    EXPECT_TRUE(IsLoopback(url)) << url;
  }
  for (const char* url : {"https://api.example.com/v1", "http://127.0.0.1.example.com/", "http://10.0.0.1/",
                          "http://localhost.example.com", "http://example.com/localhost"}) {
    EXPECT_FALSE(IsLoopback(url)) << url;
  }
}

}  // namespace
}  // namespace pointsman::http
