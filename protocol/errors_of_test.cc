#include "protocol/errors_of.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/arena.h"
#include "protocol/delete_groups.gen.h"
#include "protocol/heartbeat.gen.h"
#include "protocol/offset_fetch.gen.h"
#include "protocol/produce.gen.h"

namespace milena::protocol {
namespace {

template <class M>
std::vector<ErrorCode> errors_of(const M& message) {
  std::vector<ErrorCode> found;
  for_each_error(message, [&](ErrorCode code) { found.push_back(code); });
  return found;
}

TEST(ErrorsOf, TheOneOfTheWholeAnswer) {
  EXPECT_TRUE(errors_of(HeartbeatResponse{}).empty());
  EXPECT_EQ(errors_of(HeartbeatResponse{.error_code = ErrorCode::kUnknownMemberId}),
            std::vector{ErrorCode::kUnknownMemberId});
}

TEST(ErrorsOf, ThoseOfElementsOfElements) {
  Arena arena;
  ProduceResponse response;
  response.responses = arena.array<ProduceResponse::TopicProduceResponse>(2);
  for (auto& topic : response.responses) {
    topic.partition_responses =
        arena.array<ProduceResponse::TopicProduceResponse::PartitionProduceResponse>(2);
    topic.partition_responses[1].error_code = ErrorCode::kCorruptMessage;
  }
  EXPECT_EQ(errors_of(response), (std::vector{ErrorCode::kCorruptMessage, ErrorCode::kCorruptMessage}));
}

TEST(ErrorsOf, AMessageWithoutAny) {
  static_assert(!detail::tells_errors<HeartbeatRequest>());
  static_assert(!detail::tells_errors<ProduceRequest>());
  static_assert(detail::tells_errors<OffsetFetchResponse>());
  static_assert(detail::tells_errors<DeleteGroupsResponse>());
  EXPECT_TRUE(errors_of(HeartbeatRequest{}).empty());
}

}  // namespace
}  // namespace milena::protocol
