#include "protocol/error_code.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace milena {
namespace {

constexpr int kFirst = -1, kLast = 136;

TEST(ErrorCode, EveryCodeHasANameOfItsOwnAndASentence) {
  std::set<std::string_view> names, messages;
  for (int code = kFirst; code <= kLast; ++code) {
    names.insert(error_name(static_cast<ErrorCode>(code)));
    messages.insert(error_message(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kLast - kFirst + 1));
  EXPECT_EQ(messages.size(), names.size());
  EXPECT_EQ(error_message(ErrorCode::kNone), "");
}

TEST(ErrorCode, NamesStandAtTheirNumbers) {
  EXPECT_EQ(error_name(ErrorCode::kNone), "NONE");
  EXPECT_EQ(error_name(static_cast<ErrorCode>(6)), "NOT_LEADER_OR_FOLLOWER");
  EXPECT_EQ(error_name(static_cast<ErrorCode>(87)), "INVALID_RECORD");
  EXPECT_EQ(error_name(ErrorCode::kControllerIdNotRegistered), "CONTROLLER_ID_NOT_REGISTERED");
}

TEST(ErrorCode, RetriableIsWhatKafkasClientsRetry) {
  EXPECT_TRUE(is_retriable(ErrorCode::kNotLeaderOrFollower));
  EXPECT_TRUE(is_retriable(ErrorCode::kCorruptMessage));
  EXPECT_TRUE(is_retriable(ErrorCode::kConcurrentTransactions));
  EXPECT_FALSE(is_retriable(ErrorCode::kNone));
  EXPECT_FALSE(is_retriable(ErrorCode::kRebalanceInProgress));
  EXPECT_FALSE(is_retriable(ErrorCode::kUnknownServerError));
}

TEST(ErrorCode, CodesOfTheFutureReadAsUnknownServerError) {
  for (const int code : {-2, kLast + 1, -32768, 32767})
    EXPECT_EQ(error_name(static_cast<ErrorCode>(code)), "UNKNOWN_SERVER_ERROR");
}

}  // namespace
}  // namespace milena
