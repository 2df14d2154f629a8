#include "router/admission/admission.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace pointsman::admission {
namespace {

TEST(Authenticate, LetsEverybodyInWhereThereAreNoTenants) {
  auto caller = Authenticate(config::Config(), "");
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->tenant, "default");
  EXPECT_TRUE(caller->admin);
}

TEST(Authenticate, KnowsTenantsByTheirKeys) {
  config::Config config;
  config.tenants.resize(2);
  config.tenants[0].name = "acme";
  config.tenants[0].key = "key-a";
  config.tenants[1].name = "ops";
  config.tenants[1].key = "key-b";
  config.tenants[1].admin = true;
  EXPECT_EQ(Authenticate(config, "Bearer key-a")->tenant, "acme");
  EXPECT_FALSE(Authenticate(config, "Bearer key-a")->admin);
  EXPECT_TRUE(Authenticate(config, "Bearer key-b")->admin);
  for (const char* wrong : {"", "Bearer ", "Bearer key", "Bearer key-a ", "key-a", "bearer key-a"}) {
    auto caller = Authenticate(config, wrong);
    ASSERT_FALSE(caller) << wrong;
    EXPECT_EQ(caller.error().code, Code::kUnauthenticated);
    EXPECT_EQ(caller.error().message.find("key-"), std::string::npos) << "the message repeats a key";
  }
}

TEST(Admission, RefusesAboveTheLimitAndTakesAgainAfter) {
  Admission admission(2);
  auto a = admission.Admit();
  auto b = admission.Admit();
  auto refused = admission.Admit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_GT(refused.error().retry_after.count(), 0);
  EXPECT_EQ(admission.in_flight(), 2);
  { Ticket gone = *std::move(a); }
  EXPECT_EQ(admission.in_flight(), 1);
  EXPECT_TRUE(admission.Admit());
}

TEST(Admission, NeverExceedsTheLimitUnderContention) {
  Admission admission(8);
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) {
        auto ticket = admission.Admit();
        if (!ticket) continue;
        int now = admission.in_flight();
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admission.in_flight(), 0);
  EXPECT_LE(most, 8 + 4);  // a refused caller counts for an instant
}

}  // namespace
}  // namespace pointsman::admission
