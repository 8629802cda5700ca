#include "controller/controller_message.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "controller/controller.h"
#include "controller/testing/controller_rig.h"
#include "protocol/error_code.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::kRigKraftVersion;
using test_support::list_of;

Outcome<ControllerResponse> decided(ControllerRig& rig, ControllerRequest request, std::int16_t version = 0,
                                    FeatureLevel kraft_version = kRigKraftVersion) {
  return decide(rig.controller, {.request = std::move(request), .version = version}, rig.now_ms,
                kraft_version, rig.arena);
}

// Whether the request at each place is answered by the response at the same place.
template <std::size_t... I>
std::vector<bool> answers_in_place(ControllerRig& rig, std::index_sequence<I...>) {
  return {decided(rig, std::variant_alternative_t<I, ControllerRequest>{}).response.index() == I...};
}

TEST(ControllerMessage, EveryRequestIsAnsweredByItsResponse) {
  ControllerRig rig;
  static_assert(std::variant_size_v<ControllerRequest> == std::variant_size_v<ControllerResponse>);
  constexpr std::size_t kKinds = std::variant_size_v<ControllerRequest>;
  EXPECT_EQ(answers_in_place(rig, std::make_index_sequence<kKinds>{}), std::vector<bool>(kKinds, true));
}

TEST(ControllerMessage, WhatIsDecidedIsWhatTheVerbDecides) {
  ControllerRig rig;
  rig.add_broker(1);
  const auto outcome =
      decided(rig, protocol::CreateTopicsRequest{
                       .topics = list_of<protocol::CreateTopicsRequest::CreatableTopic>(
                           rig.arena, {{.name = "orders", .num_partitions = 2, .replication_factor = 1}})});
  EXPECT_EQ(rig.image().topic("orders"), nullptr);
  rig.commit(outcome.records);
  ASSERT_NE(rig.image().topic("orders"), nullptr);
  const auto& response = std::get<protocol::CreateTopicsResponse>(outcome.response);
  EXPECT_EQ(response.topics[0].topic_id, rig.image().topic("orders")->id);
}

TEST(ControllerMessage, TheVersionOfTheRequestAndOfTheQuorumCount) {
  ControllerSettings settings = test_support::rig_settings();
  settings.delete_topic_enable = false;
  ControllerRig rig(settings);
  const auto deletion_error = [&](std::int16_t version) {
    protocol::DeleteTopicsRequest request{.topic_names = list_of<std::string_view>(rig.arena, {"orders"})};
    const auto outcome = decided(rig, request, version);
    return std::get<protocol::DeleteTopicsResponse>(outcome.response).responses[0].error_code;
  };
  EXPECT_EQ(deletion_error(2), ErrorCode::kInvalidRequest);
  EXPECT_EQ(deletion_error(3), ErrorCode::kTopicDeletionDisabled);

  // A broker that does not speak the quorum's kraft.version is refused.
  const auto registered = [&](FeatureLevel kraft_version) {
    using Request = protocol::BrokerRegistrationRequest;
    const Request request{
        .broker_id = 1,
        .cluster_id = rig.settings.cluster_id,
        .incarnation_id = Uuid::from_halves(1, 1),
        .features = list_of<Request::Feature>(
            rig.arena, {{.name = kMetadataVersion,
                         .min_supported_version = 7,
                         .max_supported_version = kNewestMetadataVersion},
                        {.name = "kraft.version", .min_supported_version = 0, .max_supported_version = 1}}),
        .log_dirs = list_of<Uuid>(rig.arena, {Uuid::from_halves(1, 2)})};
    const auto outcome = decided(rig, request, 4, kraft_version);
    return std::get<protocol::BrokerRegistrationResponse>(outcome.response).error_code;
  };
  EXPECT_EQ(registered(1), ErrorCode::kNone);
  EXPECT_EQ(registered(2), ErrorCode::kUnsupportedVersion);
}

}  // namespace
}  // namespace milena::controller
