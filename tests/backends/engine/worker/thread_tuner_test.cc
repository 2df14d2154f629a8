#include "backends/engine/worker/thread_tuner.h"

#include <gtest/gtest.h>

namespace pointsman::engine {
namespace {

// Runs steps of one token that take `wide` seconds with two threads and `narrow` with one; the share of wide ones.
double Steps(ThreadTuner& tuner, int steps, double wide, double narrow) {
  int went_wide = 0;
  for (int i = 0; i < steps; ++i) {
    const unsigned threads = tuner.Choose(2, 1);
    went_wide += threads == 2;
    tuner.Report(threads, 1, threads == 2 ? wide : narrow);
  }
  return static_cast<double>(went_wide) / steps;
}

TEST(ThreadTuner, GoesWideOnFreeCoresAndTriesNarrowOnce) {
  ThreadTuner tuner;
  EXPECT_EQ(Steps(tuner, 5000, 0.006, 0.011), 4999.0 / 5000);
}

TEST(ThreadTuner, FindsOutWhenTheCoresWereNeverFree) {
  ThreadTuner tuner;
  EXPECT_LT(Steps(tuner, 2000, 0.300, 0.020), 0.02);
}

TEST(ThreadTuner, GivesWideUpWhenItCollapses) {
  ThreadTuner tuner;
  Steps(tuner, 100, 0.006, 0.011);
  EXPECT_LT(Steps(tuner, 2000, 0.300, 0.020), 0.02);
}

TEST(ThreadTuner, ReturnsToWideWhenTheCoresAreFreeAgain) {
  ThreadTuner tuner;
  Steps(tuner, 100, 0.006, 0.011);
  Steps(tuner, 2000, 0.300, 0.020);
  Steps(tuner, 2000, 0.006, 0.011);
  EXPECT_EQ(Steps(tuner, 1000, 0.006, 0.011), 1.0);
}

TEST(ThreadTuner, AGrowingContextCostsLittle) {
  ThreadTuner tuner;
  int went_wide = 0;
  double seconds = 0.006;
  for (int i = 0; i < 4000; ++i) {
    const unsigned threads = tuner.Choose(2, 4);
    went_wide += threads == 2;
    tuner.Report(threads, 4, threads == 2 ? seconds : 1.8 * seconds);
    seconds *= 1.0005;  // seven times slower in the end
  }
  EXPECT_GT(went_wide, 3900);
}

TEST(ThreadTuner, OneSlowStepIsNoCollapse) {
  ThreadTuner tuner;
  Steps(tuner, 100, 0.006, 0.011);
  tuner.Choose(2, 1);
  tuner.Report(2, 1, 0.020);
  EXPECT_EQ(tuner.Choose(2, 1), 2u);
}

TEST(ThreadTuner, TakesOneWhereOneIsWished) {
  ThreadTuner tuner;
  EXPECT_EQ(tuner.Choose(1, 64), 1u);
  EXPECT_EQ(tuner.Choose(0, 64), 1u);
}

}  // namespace
}  // namespace pointsman::engine
