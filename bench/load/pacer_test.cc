#include "bench/load/pacer.h"

#include <gtest/gtest.h>

namespace milena::bench {
namespace {

TEST(Pacer, EventsAreDueAtEvenIntervalsFromTheStart) {
  Pacer pacer(1000, 5 * kSecond);
  EXPECT_TRUE(pacer.is_due(5 * kSecond));
  EXPECT_EQ(pacer.take(), 5 * kSecond);
  EXPECT_FALSE(pacer.is_due(5 * kSecond + 999'999));
  EXPECT_TRUE(pacer.is_due(5 * kSecond + 1'000'000));
  EXPECT_EQ(pacer.take(), 5 * kSecond + 1'000'000);
}

TEST(Pacer, WhatWasTakenLateIsStillDueWhenItWas) {
  Pacer pacer(100, 0);
  const std::int64_t late = kSecond;
  int taken = 0;
  for (std::int64_t expected = 0; pacer.is_due(late); expected += 10'000'000, ++taken) {
    EXPECT_EQ(pacer.take(), expected);
  }
  EXPECT_EQ(taken, 101);
}

TEST(Pacer, ARateThatDividesNothingKeepsItsSpeed) {
  Pacer pacer(3, 0);
  for (int i = 0; i < 3 * 3600; ++i) pacer.take();
  EXPECT_EQ(pacer.next_due_ns(), 3600 * kSecond);
}

}  // namespace
}  // namespace milena::bench
