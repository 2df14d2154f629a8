// More requests than slots, cancelled requests, and the end of the worker.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/engine_harness.h"

namespace pointsman::testing {
namespace {

v1::CompleteRequest Story(unsigned max_tokens, unsigned number = 0) {
  v1::CompleteRequest request = Ask("Story number " + std::to_string(number) + " about the sea, please.");
  request.mutable_sampling()->set_max_tokens(max_tokens);
  return request;
}

bool Idle(EngineHarness& harness) {
  const v1::WorkerStatus status = harness.WorkerStatus();
  return status.models_size() == 1 && status.models(0).slots_busy() == 0 && status.models(0).queued() == 0;
}

TEST(Shedding, MoreRequestsThanSlotsQueueAndComplete) {
  EngineHarness harness({SmallModel()});
  ASSERT_TRUE(harness.Settled());
  std::vector<std::future<Answer>> answers;
  for (unsigned i = 0; i < 12; ++i) answers.push_back(harness.Start(Story(6, i)));
  for (std::future<Answer>& future : answers) {
    const Answer answer = future.get();
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_EQ(answer.usage->completion_tokens(), 6u);
  }
  EXPECT_TRUE(Eventually([&] { return Idle(harness); }));
  EXPECT_EQ(harness.WorkerStatus().models(0).tokens_generated(), 72u);
}

TEST(Shedding, AFullQueueRefuses) {
  config::Model model = SmallModel();
  model.slots = 1;
  model.queue = 2;
  EngineHarness harness({model});
  ASSERT_TRUE(harness.Settled());
  std::vector<std::future<Answer>> running;
  for (unsigned i = 0; i < 3; ++i) running.push_back(harness.Start(Story(400, i), 100'000));
  ASSERT_TRUE(Eventually([&] {
    const v1::WorkerStatus status = harness.WorkerStatus();
    return status.models(0).slots_busy() == 1 && status.models(0).queued() == 2;
  }));
  const Answer refused = harness.Complete(Story(1, 9));
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code, Code::kResourceExhausted);
  EXPECT_EQ(refused.error->error_class, ErrorClass::kRetryElsewhere);
  EXPECT_NE(refused.error->message.find("2 requests wait"), std::string::npos) << refused.error->message;
}

TEST(Shedding, FiftyCancelledStreamsFreeAllSlots) {
  EngineHarness harness({SmallModel()});
  ASSERT_TRUE(harness.Settled());
  std::vector<std::future<Answer>> streams;
  for (unsigned i = 0; i < 50; ++i) streams.push_back(harness.Start(Story(500, i), 1));
  for (std::future<Answer>& stream : streams) EXPECT_FALSE(stream.get().error);
  EXPECT_TRUE(Eventually([&] { return Idle(harness); }));
  // And the slots work.
  EXPECT_FALSE(harness.Complete(Story(3)).error);
}

TEST(Shedding, ADeadlineEndsAnAnswerAndFreesItsSlot) {
  EngineHarness harness({SmallModel()});
  ASSERT_TRUE(harness.Settled());
  v1::CompleteRequest request = Story(100'000);
  request.mutable_response_format()->set_grammar("root ::= \"a\"+ \"b\" \"c\"{2000}");  // goes on for long
  const Answer answer = harness.Start(request, 0, Clock::now() + std::chrono::milliseconds(300)).get();
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code, Code::kDeadlineExceeded);
  EXPECT_EQ(answer.error->error_class, ErrorClass::kCancelled);
  EXPECT_TRUE(Eventually([&] { return Idle(harness); }));
}

TEST(Shedding, AKilledWorkerFailsItsStreamsAndComesBack) {
  EngineHarness harness({SmallModel()});
  ASSERT_TRUE(harness.Settled());
  std::vector<std::future<Answer>> streams;
  for (unsigned i = 0; i < 8; ++i) streams.push_back(harness.Start(Story(900, i)));
  ASSERT_TRUE(Eventually([&] { return harness.chunks_seen >= 8; }));
  const int pid = harness.supervisor().Status().pid();
  ASSERT_GT(pid, 0);
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  unsigned failed = 0;
  for (std::future<Answer>& stream : streams) {
    const Answer answer = stream.get();
    if (!answer.error) continue;  // it was done already
    ++failed;
    EXPECT_EQ(answer.error->error_class, ErrorClass::kRetryElsewhere);
    EXPECT_EQ(answer.error->code, Code::kUnavailable);
    EXPECT_NE(answer.error->message.find("the engine worker ended"), std::string::npos) << answer.error->message;
  }
  EXPECT_GT(failed, 0u);
  EXPECT_TRUE(Eventually([&] { return harness.supervisor().Status().restarts() == 1; }));
  EXPECT_EQ(harness.supervisor().Status().last_error(), "signal 9 (Killed)");
  ASSERT_TRUE(Eventually([&] { return harness.supervisor().Unavailable("small").empty(); }));
  EXPECT_NE(harness.supervisor().Status().pid(), pid);
  const Answer answer = harness.Complete(Story(3));
  EXPECT_FALSE(answer.error) << answer.error->message;
}

TEST(Shedding, StoppingEndsWhatRuns) {
  std::future<Answer> stream;
  pid_t pid = 0;
  {
    EngineHarness harness({SmallModel()});
    ASSERT_TRUE(harness.Settled());
    pid = harness.supervisor().Status().pid();
    stream = harness.Start(Story(900));
    ASSERT_TRUE(Eventually([&] { return harness.chunks_seen >= 1; }));
    harness.Stop();
    const Answer answer = stream.get();
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->code, Code::kUnavailable);
    EXPECT_EQ(harness.supervisor().Status().state(), "off");
    EXPECT_EQ(harness.supervisor().Status().restarts(), 0u);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Shedding, TwoModelsShareTheCores) {
  config::Model a = SmallModel(), b = SmallModel();
  a.name = "a";
  b.name = "b";
  a.threads = b.threads = 0;
  EngineHarness harness({a, b});
  ASSERT_TRUE(harness.Settled());
  std::vector<std::future<Answer>> answers;
  for (unsigned i = 0; i < 4; ++i) {
    answers.push_back(harness.Start(Story(12, i), 0, Deadline::max(), harness.Expert(i % 2 == 0 ? "a" : "b")));
  }
  for (std::future<Answer>& answer : answers) EXPECT_EQ(answer.get().usage->completion_tokens(), 12u);
}

}  // namespace
}  // namespace pointsman::testing
