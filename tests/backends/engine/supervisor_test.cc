// The supervisor with children that are no workers: it must start, watch, restart and stop them all the same.
#include "backends/engine/supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/engine_harness.h"

namespace pointsman::testing {
namespace {

engine::SupervisorOptions Child(const std::string& program, std::vector<std::string> arguments) {
  engine::SupervisorOptions options;
  config::Model model;
  model.name = "small";
  options.engine.models = {model};
  options.program = program;
  options.arguments = std::move(arguments);
  options.backoff_min = std::chrono::milliseconds(1);
  options.backoff_max = std::chrono::milliseconds(4);
  return options;
}

TEST(Supervisor, IsOffWithoutModels) {
  EngineHarness harness(engine::SupervisorOptions{});
  EXPECT_EQ(harness.supervisor().Status().state(), "off");
  EXPECT_TRUE(harness.supervisor().Settled());
  EXPECT_EQ(harness.supervisor().Unavailable("small"), "the engine is off");
}

TEST(Supervisor, RestartsAChildThatEndsAndSaysHowItEnded) {
  EngineHarness harness(Child("/bin/sh", {"-c", "exit 7"}));
  EXPECT_TRUE(Eventually([&] { return harness.supervisor().Status().restarts() >= 3; }));
  const v1::EngineStatus status = harness.supervisor().Status();
  EXPECT_EQ(status.last_error(), "exit code 7");
  EXPECT_EQ(status.state(), "restarting");
  EXPECT_EQ(harness.supervisor().channel(), nullptr);
  EXPECT_NE(harness.supervisor().Unavailable("small").find("exit code 7"), std::string::npos);
}

TEST(Supervisor, NamesTheSignalThatEndedAChild) {
  EngineHarness harness(Child("/bin/sh", {"-c", "kill -SEGV $$"}));
  EXPECT_TRUE(Eventually([&] { return harness.supervisor().Status().restarts() >= 1; }));
  EXPECT_EQ(harness.supervisor().Status().last_error().find("signal 11"), 0u);
}

TEST(Supervisor, SaysThatAProgramCannotBeStarted) {
  EngineHarness harness(Child("/nowhere/pointsman", {}));
  EXPECT_TRUE(Eventually([&] { return harness.supervisor().Status().restarts() >= 2; }));
  EXPECT_NE(harness.supervisor().Status().last_error().find("/nowhere/pointsman"), std::string::npos);
}

TEST(Supervisor, BacksOffLongerAndLonger) {
  engine::SupervisorOptions options = Child("/bin/false", {});
  options.backoff_min = std::chrono::milliseconds(40);
  options.backoff_max = std::chrono::milliseconds(10'000);
  const Deadline start = Clock::now();
  EngineHarness harness(options);
  EXPECT_TRUE(Eventually([&] { return harness.supervisor().Status().restarts() >= 4; }));
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(40 + 80 + 160));
}

TEST(Supervisor, StopsAChildThatIgnoresSigterm) {
  engine::SupervisorOptions options = Child("/bin/sh", {"-c", "trap '' TERM; exec sleep 1000"});
  options.stop_wait = std::chrono::milliseconds(50);
  pid_t pid = 0;
  {
    EngineHarness harness(options);
    ASSERT_TRUE(Eventually([&] { return (pid = harness.supervisor().Status().pid()) != 0; }));
  }
  EXPECT_EQ(kill(pid, 0), -1);  // gone, and reaped
  EXPECT_EQ(errno, ESRCH);
}

TEST(Supervisor, WaitsForAChildThatNeverGetsReady) {
  EngineHarness harness(Child("/bin/sleep", {"1000"}));
  ASSERT_TRUE(Eventually([&] { return harness.supervisor().Status().pid() != 0; }));
  EXPECT_FALSE(harness.supervisor().Settled());
  EXPECT_EQ(harness.supervisor().Unavailable("small"), "the engine is starting");
  EXPECT_EQ(harness.Complete(Ask("hello")).error->code, Code::kUnavailable);
}

}  // namespace
}  // namespace pointsman::testing
