// The program's memory while its cache takes in and throws out answers: scripts/bench --soak in small.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include "tests/fakes/fault_server.h"
#include "tests/support/child.h"
#include "tests/support/health.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_server.h"

namespace pointsman {
namespace {

using testing_support::Eventually;
using testing_support::Question;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kCapacity = 16 * kMiB;
constexpr int kRequests = 30'000, kQuestions = 15'000, kClients = 4;
constexpr int kAnswerBytes[] = {300, 900, 2'000, 4'000, 6'000};  // by expert; the questions take them in turn

// The program under test as a process of its own; it dies with the test.
class ServingProgram {
 public:
  explicit ServingProgram(const std::string& yaml)
      : address_("127.0.0.1:" + std::to_string(testing::FreePort())),
        child_(testing::Spawn({testing_support::Program(), "serve", "--config",
                               folder_.Write("config.yaml", yaml).string(), "--listen", address_})) {}
  ~ServingProgram() {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  ServingProgram(const ServingProgram&) = delete;
  ServingProgram& operator=(const ServingProgram&) = delete;

  const std::string& address() const { return address_; }

  // Anonymous memory that is resident, in bytes.
  std::size_t Memory() const {
    std::ifstream file("/proc/" + std::to_string(child_) + "/status");
    std::string word;
    while (file >> word) {
      std::size_t kilobytes = 0;
      if (word == "RssAnon:" && file >> kilobytes) return kilobytes * 1024;
    }
    return 0;
  }

 private:
  testing::TempDir folder_;
  const std::string address_;
  const pid_t child_;
};

TEST(CacheMemoryTest, StaysFlatAndNearTheCapacityWhileAnswersComeAndGo) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps freed memory";
#endif
  testing::FaultServer upstream;
  std::string yaml = "experts:\n", names;
  for (std::size_t i = 0; i < std::size(kAnswerBytes); ++i) {
    const std::string url = upstream.url("/normal;chunks=1;bytes=" + std::to_string(kAnswerBytes[i]));
    yaml += "  e" + std::to_string(i) + ": {openai: {url: \"" + url + "\", model: m}}\n";
  }
  yaml += "policies:\n  p: {score: pinned, experts: [e0]}\ncache: {memory: 16MiB}\n";
  const ServingProgram program(yaml);
  const auto channel = grpc::CreateChannel(program.address(), grpc::InsecureChannelCredentials());
  ASSERT_TRUE(Eventually([&] { return testing_support::Health(channel, "") == testing_support::kServing; }));
  const auto stub = v1::Pointsman::NewStub(channel);
  const auto admin = v1::Admin::NewStub(channel);
  const std::size_t before = program.Memory();
  ASSERT_GT(before, 0u);

  std::atomic<int> failed{0}, hits{0};
  const auto ask = [&](int requests, unsigned seed) {
    std::vector<std::thread> clients;
    for (int client = 0; client < kClients; ++client) {
      clients.emplace_back([&, client] {
        std::mt19937 random(seed + static_cast<unsigned>(client));
        for (int i = 0; i < requests / kClients; ++i) {
          const auto number = random() % kQuestions;
          v1::CompleteRequest request = Question("question " + std::to_string(number));
          request.mutable_sampling()->set_temperature(0);
          request.mutable_routing()->set_expert("e" + std::to_string(number % std::size(kAnswerBytes)));
          grpc::ClientContext context;
          v1::CompleteResponse response;
          failed += !stub->Complete(&context, request, &response).ok();
          hits += response.trace().cache() == v1::CACHE_OUTCOME_EXACT;
        }
      });
    }
    for (std::thread& client : clients) client.join();
    grpc::ClientContext context;
    v1::GetStatusResponse status;
    EXPECT_TRUE(admin->GetStatus(&context, {}, &status).ok());
    return status.cache();
  };
  const v1::CacheStatus at_half = ask(kRequests / 2, 1);
  const std::size_t half = program.Memory();
  const v1::CacheStatus at_end = ask(kRequests / 2, 100);
  const std::size_t end = program.Memory();

  EXPECT_EQ(failed, 0);
  EXPECT_GT(hits, kRequests / 20);
  EXPECT_GT(at_half.evictions(), 0u) << "the cache was never full: this shows nothing";
  EXPECT_GT(at_end.evictions(), at_half.evictions() + static_cast<std::uint64_t>(kRequests) / 8);
  EXPECT_LE(at_end.bytes(), kCapacity);
  EXPECT_GT(at_end.bytes(), kCapacity * 9 / 10);
  // What it says it holds is what the process has grown by, but for what serving itself takes.
  EXPECT_LE(end - before, kCapacity * 13 / 10);
  EXPECT_GE(end - before, kCapacity * 8 / 10);
  EXPECT_LE(end, half + kCapacity / 10);
  std::printf("memory: %.1f MiB before, %.1f at half, %.1f at the end; the cache says %.1f of %.0f MiB\n",
              static_cast<double>(before) / kMiB, static_cast<double>(half) / kMiB, static_cast<double>(end) / kMiB,
              static_cast<double>(at_end.bytes()) / kMiB, static_cast<double>(kCapacity) / kMiB);
}

}  // namespace
}  // namespace pointsman
