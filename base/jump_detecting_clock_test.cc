#include "base/jump_detecting_clock.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace milena {
namespace {

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour, kYear = 365 * kDay;

class JumpDetectingClockTest : public testing::Test {
 protected:
  void jump(std::int64_t ms) { hand_.set_wall_ms(hand_.wall_ms() + ms); }
  std::int64_t trusted() const { return trusted_wall_ms(clock_); }
  std::int64_t doubted() const { return clock_.wall_ms() - trusted(); }

  ManualClock hand_;
  std::vector<std::string> lines_;
  Logger log_{LogLevel::kInfo,
              [](void* lines, LogLevel, std::string_view line) {
                static_cast<std::vector<std::string>*>(lines)->emplace_back(line);
              },
              &lines_};
  JumpDetectingClock clock_{hand_, log_};
};

TEST_F(JumpDetectingClockTest, TimeThatPassesIsBelieved) {
  for (int i = 0; i < 1000; ++i) {
    hand_.advance(Instant{kDay});
    EXPECT_EQ(doubted(), 0);
  }
  EXPECT_TRUE(lines_.empty());
}

TEST_F(JumpDetectingClockTest, AJumpOfAnHourIsBelieved) {
  jump(kHour);
  EXPECT_EQ(doubted(), 0);
  jump(-kHour);
  EXPECT_EQ(doubted(), 0);
  EXPECT_TRUE(lines_.empty());
}

TEST_F(JumpDetectingClockTest, AJumpForwardOfTenYearsIsDoubtedForAnHour) {
  const std::int64_t before = trusted();
  jump(10 * kYear);
  EXPECT_EQ(trusted(), before);
  hand_.advance(Instant{kHour - 1});
  EXPECT_EQ(trusted(), before + kHour - 1) << "meanwhile time passes as before";
  hand_.advance(Instant{1});
  EXPECT_EQ(doubted(), 0);
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_NE(lines_[0].find("forward by 87600 hours"), std::string::npos) << lines_[0];
}

TEST_F(JumpDetectingClockTest, TheHourBeginsWhenTheJumpIsSeen) {
  jump(2 * kDay);
  hand_.advance(Instant{5 * kHour});
  EXPECT_NE(doubted(), 0) << "nobody has looked before";
}

TEST_F(JumpDetectingClockTest, AClockThatIsPutRightIsBelievedAtOnce) {
  jump(10 * kYear);
  EXPECT_EQ(doubted(), 10 * kYear);
  hand_.advance(Instant{kHour / 2});
  jump(-10 * kYear);
  EXPECT_EQ(doubted(), 0);
  hand_.advance(Instant{kHour});
  EXPECT_EQ(doubted(), 0);
  jump(10 * kYear);
  EXPECT_EQ(doubted(), 10 * kYear) << "the next jump has an hour of its own";
}

TEST_F(JumpDetectingClockTest, AJumpBackIsBelievedAtOnceAndTheWayForwardIsDoubted) {
  jump(-10 * kYear);
  EXPECT_EQ(doubted(), 0);
  jump(10 * kYear);
  EXPECT_EQ(doubted(), 10 * kYear);
}

TEST_F(JumpDetectingClockTest, AcrossARestartTheLastSeenTimeCounts) {
  clock_.resume_from(hand_.wall_ms() - kDay);
  EXPECT_EQ(doubted(), 0);
  clock_.resume_from(hand_.wall_ms() + 10 * kYear);
  EXPECT_EQ(doubted(), 0) << "back in time";
  EXPECT_TRUE(lines_.empty());
  clock_.resume_from(hand_.wall_ms() - kDay - 1);
  EXPECT_EQ(doubted(), kDay + 1);
  EXPECT_EQ(lines_.size(), 1u) << "said at the start";
  hand_.advance(Instant{kHour});
  EXPECT_EQ(doubted(), 0);
}

TEST_F(JumpDetectingClockTest, WithoutALastSeenTimeEverythingIsDoubtedForAnHour) {
  clock_.resume_from(std::nullopt);
  EXPECT_EQ(trusted(), 0);
  hand_.advance(Instant{kHour});
  EXPECT_EQ(doubted(), 0);
}

}  // namespace
}  // namespace milena
