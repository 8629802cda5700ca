#include "controller/raft/quorum_state.h"

#include <gtest/gtest.h>

#include <string>

namespace milena::controller {
namespace {

// As Apache Kafka wrote it.
constexpr std::string_view kLeaderOfEpochOne =
    R"({"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})";

std::string refusal(std::string_view content) {
  const auto state = decode_quorum_state(as_bytes(content));
  return state ? "accepted" : state.error().why;
}

TEST(QuorumState, ReadsAndWritesKafkasFile) {
  const QuorumState state{.leader_id = 1, .leader_epoch = 1};
  EXPECT_EQ(encode_quorum_state(state, 1), kLeaderOfEpochOne);
  EXPECT_EQ(decode_quorum_state(as_bytes(kLeaderOfEpochOne)), state);
}

TEST(QuorumState, AVoteComesBackWithItsDirectory) {
  const QuorumState state{
      .leader_epoch = 7, .voted_id = 3, .voted_directory_id = *Uuid::parse("JEXY6aqzQY-32P5TStzaFg")};
  EXPECT_EQ(decode_quorum_state(as_bytes(encode_quorum_state(state, 1))), state);
}

TEST(QuorumState, VersionZeroNamesTheConfiguredVoters) {
  const QuorumState state{.leader_id = 1, .leader_epoch = 2, .current_voters = {1, 2}};
  EXPECT_EQ(encode_quorum_state(state, 0),
            R"({"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,)"
            R"("currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0})");
  EXPECT_EQ(decode_quorum_state(as_bytes(encode_quorum_state(state, 0))), state);
}

TEST(QuorumState, IgnoresFieldsOfNewerVersionsAndATrailingNewline) {
  EXPECT_TRUE(decode_quorum_state(
      as_bytes("{\"leaderId\":-1,\"leaderEpoch\":0,\"votedId\":-1,\"new\":[{}],\"data_version\":1}\n")));
}

TEST(QuorumState, RefusesWhatItCannotBeSureOf) {
  EXPECT_EQ(refusal(""), "quorum-state is not a JSON object");
  EXPECT_EQ(refusal("[]"), "quorum-state is not a JSON object");
  EXPECT_EQ(refusal(kLeaderOfEpochOne.substr(0, 40)), "quorum-state is not a JSON object");
  EXPECT_EQ(refusal(std::string(kLeaderOfEpochOne) + "x"), "quorum-state is not a JSON object");
  EXPECT_EQ(refusal(std::string(1000, '[')), "quorum-state is not a JSON object");
  EXPECT_EQ(refusal(std::string(70'000, ' ')), "quorum-state is too long");
  EXPECT_EQ(refusal(R"({"leaderId":1,"leaderEpoch":1})"), "quorum-state lacks a field");
  EXPECT_EQ(refusal(R"({"leaderId":1,"leaderEpoch":1,"data_version":2})"),
            "quorum-state has an unknown data_version");
  EXPECT_EQ(refusal(R"({"leaderId":1,"leaderEpoch":-1,"data_version":1})"),
            "quorum-state has a number that is out of range");
  EXPECT_EQ(refusal(R"({"leaderId":"1","leaderEpoch":1,"data_version":1})"),
            "quorum-state has a number that is out of range");
  EXPECT_EQ(refusal(R"({"leaderId":1,"leaderEpoch":4294967296,"data_version":1})"),
            "quorum-state has a number that is out of range");
  EXPECT_EQ(refusal(R"({"leaderId":1,"leaderEpoch":1,"votedDirectoryId":"x","data_version":1})"),
            "quorum-state has a directory id that is none");
  EXPECT_EQ(refusal(R"({"leaderId":1,"leaderEpoch":1,"currentVoters":[1],"data_version":0})"),
            "quorum-state has a voter that is no object");
}

}  // namespace
}  // namespace milena::controller
