#include "broker/coordinators/producer_ids.h"

#include <gtest/gtest.h>

#include <vector>

#include "broker/metadata/testing/fake_controller.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::AllocateProducerIdsRequest;
using protocol::AllocateProducerIdsResponse;
using protocol::ProducerId;

class ProducerIdsTest : public ::testing::Test {
 protected:
  void take() {
    ids_.take([this](Result<ProducerId> id) {
      if (id) taken_.push_back(*id);
      if (!id) errors_.push_back(id.error().code);
    });
  }
  void give_block(std::int64_t first, std::int32_t count) {
    controller_.answer(AllocateProducerIdsResponse{.producer_id_start = first, .producer_id_len = count});
  }

  testing::FakeController controller_;
  std::int64_t epoch_ = 7;
  ProducerIds ids_{controller_, 1, [this] { return epoch_; }};
  std::vector<ProducerId> taken_;
  std::vector<ErrorCode> errors_;
};

TEST_F(ProducerIdsTest, ABlockIsAskedForOnceHoweverManyWait) {
  take();
  take();
  ASSERT_EQ(controller_.waiting(), 1u);
  EXPECT_EQ(controller_.oldest<AllocateProducerIdsRequest>().broker_id, protocol::BrokerId(1));
  EXPECT_EQ(controller_.oldest<AllocateProducerIdsRequest>().broker_epoch, 7);
  EXPECT_TRUE(taken_.empty());
  give_block(1000, 3);
  EXPECT_EQ(taken_, (std::vector<ProducerId>{1000, 1001}));
  take();
  EXPECT_EQ(taken_.back(), ProducerId(1002)) << "at once";
  EXPECT_EQ(controller_.waiting(), 0u);
}

TEST_F(ProducerIdsTest, WhoeverABlockIsTooSmallForWaitsForTheNext) {
  for (int i = 0; i < 3; ++i) take();
  epoch_ = 8;  // the broker has registered anew
  give_block(1000, 1);
  EXPECT_EQ(taken_, std::vector<ProducerId>{1000});
  ASSERT_EQ(controller_.waiting(), 1u);
  EXPECT_EQ(controller_.oldest<AllocateProducerIdsRequest>().broker_epoch, 8);
  give_block(2000, 1000);
  EXPECT_EQ(taken_, (std::vector<ProducerId>{1000, 2000, 2001}));
}

TEST_F(ProducerIdsTest, ARefusalReachesEveryoneAndTheNextTakerAsksAgain) {
  take();
  take();
  controller_.answer(AllocateProducerIdsResponse{.error_code = ErrorCode::kStaleBrokerEpoch});
  EXPECT_EQ(errors_, (std::vector<ErrorCode>(2, ErrorCode::kStaleBrokerEpoch)));
  take();
  ASSERT_EQ(controller_.waiting(), 1u);
  controller_.answer(fail(ErrorCode::kKafkaStorageError, "the metadata log cannot be written"));
  EXPECT_EQ(errors_.back(), ErrorCode::kKafkaStorageError);
  take();
  give_block(0, 1000);
  EXPECT_EQ(taken_, std::vector<ProducerId>{0});
}

}  // namespace
}  // namespace milena::broker
