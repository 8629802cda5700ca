// The bytes of records, against bytes that Apache Kafka 4.3.1 wrote; and what replay makes of strange ones.
#include "coordinator/group/records.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/metadata_hash.h"
#include "coordinator/group/testing/requests.h"
#include "coordinator/runtime/record_codec.h"
#include "protocol/consumer_group_current_member_assignment_record.gen.h"
#include "protocol/legacy_offset_commit_record.gen.h"
#include "protocol/offset_commit_record.gen.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)

const Uuid kTopicId = Uuid::from_halves(0x0102030405060708, 0x090a0b0c0d0e0f10);

std::string hex(BytesView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::byte each : bytes) {
    out += kDigits[std::to_integer<unsigned>(each) >> 4];
    out += kDigits[std::to_integer<unsigned>(each) & 15];
  }
  return out;
}

// Key and value of the only record.
std::pair<std::string, std::string> written(const GroupOutcome& out) {
  EXPECT_EQ(out.records().size(), 1u);
  const EncodedRecord& record = out.records().front();
  return {hex(record.key), record.value ? hex(*record.value) : "tombstone"};
}

TEST(Records, OffsetCommit) {
  CommittedOffset offset;
  offset.offset = 42;
  offset.leader_epoch = 3;
  offset.metadata = "m";
  offset.commit_timestamp_ms = 1'000;
  offset.topic_id = kTopicId;
  GroupOutcome out;
  append_offset(out, "g", "t", 5, offset);
  const auto [key, value] = written(out);
  EXPECT_EQ(key, "000100016700017400000005");
  EXPECT_EQ(value, "0004000000000000002a00000003026d00000000000003e80100100102030405060708090a0b0c0d0e0f10");
}

TEST(Records, OffsetCommitWithoutTopicIdOrWithItsOwnExpiry) {
  CommittedOffset offset;
  offset.offset = 42;
  offset.commit_timestamp_ms = 1'000;
  GroupOutcome out;
  append_offset(out, "g", "t", 5, offset);
  EXPECT_EQ(written(out).second, "0004000000000000002affffffff0100000000000003e800");
  out.clear();
  offset.metadata = "m";
  offset.expire_timestamp_ms = 2'000;
  append_offset(out, "g", "t", 5, offset);
  EXPECT_EQ(written(out).second, "0001000000000000002a00016d00000000000003e800000000000007d0");
}

TEST(Records, ClassicGroup) {
  Arena arena;
  const std::string_view subscription("\0\1", 2), assignment("\2", 1);
  protocol::GroupMetadataValue value;
  value.protocol_type = "consumer";
  value.generation = 7;
  value.protocol = "range";
  value.leader = "m-1";
  value.current_state_timestamp = 1'000;
  value.members = arena.array<protocol::GroupMetadataValue::MemberMetadata>(1);
  value.members[0] = {.member_id = "m-1",
                      .group_instance_id = "i",
                      .client_id = "c",
                      .client_host = "/127.0.0.1",
                      .rebalance_timeout = 60'000,
                      .session_timeout = 10'000,
                      .subscription = as_bytes(subscription),
                      .assignment = as_bytes(assignment)};
  GroupOutcome out;
  append_classic_group(out, "g", value);
  EXPECT_EQ(written(out).first, "0002000167");
  EXPECT_EQ(written(out).second,
            "00030008636f6e73756d657200000007000572616e676500036d2d3100000000000003e80000000100036d2d31000169"
            "000163000a2f"
            "3132372e302e302e310000ea60000027100000000200010000000102");
  out.clear();
  append_classic_group(out, "g", empty_generation_record(1'000));
  EXPECT_EQ(written(out).second, "0003000000000000ffffffff00000000000003e800000000");
}

TEST(Records, MemberOfAConsumerGroup) {
  ConsumerMember member;
  member.rack_id = "r";
  member.client_id = "c";
  member.client_host = "/127.0.0.1";
  member.subscribed_topics = {"b", "a"};
  member.rebalance_timeout_ms = 5'000;
  GroupOutcome out;
  append_member(out, "g", "m", member);
  EXPECT_EQ(written(out).first, "000500016700016d");
  EXPECT_EQ(written(out).second, "000000027202630b2f3132372e302e302e31030261026201000013880001000100");
  out.clear();
  member.instance_id = "i";
  member.rack_id.reset();
  member.subscribed_topics = {"a"};
  member.server_assignor = "range";
  member.classic = {6'000, {{"range", std::string("\0\0", 2)}}};
  append_member(out, "g", "m", member);
  EXPECT_EQ(written(out).second,
            "000002690002630b2f3132372e302e302e3102026101000013880672616e67650100110100001770020672616e676503"
            "00000000");
}

TEST(Records, TheRestOfAConsumerGroup) {
  GroupOutcome out;
  append_group_epoch(out, "g", 5, -2);
  EXPECT_EQ(written(out),
            (std::pair<std::string, std::string>("0003000167", "000000000005010008fffffffffffffffe")));
  out.clear();
  append_target(out, "g", "m", {{kTopicId, {0, 1}}});
  EXPECT_EQ(written(out).second, "0000020102030405060708090a0b0c0d0e0f100300000000000000010000");
  out.clear();
  append_target_epoch(out, "g", 5, 1'000);
  EXPECT_EQ(written(out).second, "00000000000501000800000000000003e8");
  out.clear();
  ConsumerMember member;
  member.epoch = 5;
  member.previous_epoch = 4;
  member.state = MemberState::kUnrevoked;
  member.assigned = {{kTopicId, {{0, 3}, {2, 5}}}};
  append_current_assignment(out, "g", "m", member);
  EXPECT_EQ(written(out).second,
            "0000000000050000000401020102030405060708090a0b0c0d0e0f100300000000000000020100090300000003000000"
            "050100");
  out.clear();
  append_regex(out, "g", "a.", {{"a2", "a1"}, 9, 1'000});
  EXPECT_EQ(written(out), (std::pair<std::string, std::string>(
                              "00100001670002612e", "000003036131036132000000000000000900000000000003e800")));
}

// XXH3 values as Kafka's hash library computes them.
TEST(MetadataHash, IsKafkas) {
  struct Metadata final : MetadataView {
    std::int64_t version() const override { return 1; }
    std::optional<Topic> topic(std::string_view name) const override {
      if (name == "foo") return Topic{kTopicId, name, 2};
      if (name == "b\xc3\xa4r\xf0\x9f\x98\x80") return Topic{kTopicId, name, 0};
      return std::nullopt;
    }
    std::optional<Topic> topic(const Uuid&) const override { return std::nullopt; }
    void for_each_topic(const std::function<void(const Topic&)>&) const override {}
    std::vector<std::string_view> racks(const Uuid&, std::int32_t partition) const override {
      if (partition == 0) return {"rack1", "rack0"};
      return {"rack1", "rack2"};
    }
  } metadata;
  const std::int64_t foo = topic_hash("foo", metadata);
  EXPECT_EQ(foo, -7881643745322667710);
  const std::int64_t bar = topic_hash("b\xc3\xa4r\xf0\x9f\x98\x80", metadata);
  EXPECT_EQ(bar, 7937641580787016961);
  EXPECT_EQ(topic_hash("none", metadata), 0);
  EXPECT_EQ(group_hash({{"foo", foo}, {"b\xc3\xa4r\xf0\x9f\x98\x80", bar}}), 4280056787247313938);
  EXPECT_EQ(group_hash({}), 0);
}

// --- Replay.

struct ReplayTest : testing::Test {
  template <class Key, class Value>
  void put(const Key& key, const Value& value, std::int16_t version) {
    Arena arena;
    raw(encode_record_key(key, arena), encode_prefixed(value, version, version, arena));
  }
  void raw(BytesView key, std::optional<BytesView> value) {
    machine.replay({offset += 1, protocol::kNoProducerId, key, value});
  }
  void raw(const std::string& key, const std::string& value) { raw(as_bytes(key), as_bytes(value)); }
  const Group* group() { return machine.groups().find("g"); }

  SeededRng rng{1};
  GroupMachine machine{std::make_shared<GroupConfig>(), std::make_shared<NoMetadata>(), rng};
  protocol::Offset offset = 0;
};

TEST_F(ReplayTest, ReadsEveryVersionOfAGroup) {
  Arena arena;
  for (std::int16_t version = 0; version <= 4; ++version) {
    protocol::GroupMetadataValue value;
    value.protocol_type = "consumer";
    value.generation = version;
    value.protocol = "range";
    value.leader = "m";
    value.members = arena.array<protocol::GroupMetadataValue::MemberMetadata>(1);
    value.members[0].member_id = "m";
    value.members[0].session_timeout = 10'000;
    if (version >= 1) value.members[0].rebalance_timeout = 20'000;
    put(protocol::GroupMetadataKey{.group = "g"}, value, version);
    ASSERT_TRUE(group()->classic);
    EXPECT_EQ(group()->classic->generation, version);
    EXPECT_EQ(group()->classic->find("m")->rebalance_timeout_ms, version == 0 ? 10'000 : 20'000);
  }
  EXPECT_EQ(machine.skipped_records(), 0u);
}

TEST_F(ReplayTest, ReadsEveryVersionOfAnOffset) {
  for (std::int16_t version = 0; version <= 4; ++version) {
    protocol::OffsetCommitValue value;
    value.offset = version;
    put(protocol::OffsetCommitKey{.group = "g", .topic = "t", .partition = 1}, value, version);
    EXPECT_EQ(group()->offsets.find("t", 1)->offset, version);
  }
  protocol::LegacyOffsetCommitValue legacy;
  legacy.offset = 9;
  put(protocol::LegacyOffsetCommitKey{.group = "g", .topic = "t", .partition = 1}, legacy, 0);
  EXPECT_EQ(group()->offsets.find("t", 1)->offset, 9);
}

TEST_F(ReplayTest, SkipsAndCountsWhatItCannotRead) {
  raw("", "");
  raw("\x01", "");
  raw(std::string("\x7f\xff", 2), "of the future");
  raw(std::string("\0\2", 2), "");
  raw(std::string("\0\2\0\1g", 5), std::string("\0\x09", 2));
  raw(std::string("\0\2\0\1g", 5), std::string("\0\3", 2));
  raw(std::string("\0\2\0\1g", 5), "");
  EXPECT_EQ(machine.skipped_records(), 7u);
  EXPECT_EQ(machine.groups().size(), 0u);
}

TEST_F(ReplayTest, TombstonesOfWhatIsNotThereDoNothing) {
  GroupOutcome out;
  Group group_of_one("g");
  GroupTimers timers;
  group_of_one.consumer = std::make_unique<ConsumerGroup>(group_of_one, timers);
  group_of_one.consumer->update("m", [](ConsumerMember&) {});
  append_consumer_group_tombstones(out, "g", *group_of_one.consumer);
  append_offset_tombstone(out, "g", "t", 1);
  append_classic_group_tombstone(out, "g");
  append_regex_tombstone(out, "g", "x");
  for (const EncodedRecord& record : out.records()) raw(record.key, record.value);
  EXPECT_EQ(machine.groups().size(), 0u);
  EXPECT_EQ(machine.skipped_records(), 0u);
}

TEST_F(ReplayTest, RecordsOfBothKindsLeaveTheLaterKind) {
  GroupOutcome out;
  append_group_epoch(out, "g", 5, 0);
  append_classic_group(out, "g", empty_generation_record(1));
  append_group_epoch(out, "g", 6, 0);
  raw(out.records()[0].key, out.records()[0].value);
  EXPECT_TRUE(group()->consumer);
  raw(out.records()[1].key, out.records()[1].value);
  EXPECT_TRUE(group()->classic && !group()->consumer);
  raw(out.records()[2].key, out.records()[2].value);
  EXPECT_TRUE(group()->consumer && !group()->classic);
}

TEST_F(ReplayTest, AssignmentWithoutEpochsIsAsOldAsItsMember) {
  Arena arena;
  protocol::ConsumerGroupCurrentMemberAssignmentValue value;
  value.member_epoch = 4;
  value.assigned_partitions =
      arena.array<protocol::ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions>(1);
  value.assigned_partitions[0].topic_id = kTopicId;
  value.assigned_partitions[0].partitions = arena.array<protocol::PartitionId>(2);
  value.assigned_partitions[0].partitions[1] = 1;
  value.assigned_partitions[0].assignment_epochs.reset();
  put(protocol::ConsumerGroupCurrentMemberAssignmentKey{.group_id = "g", .member_id = "m"}, value, 0);
  EXPECT_EQ(group()->consumer->find("m")->assigned, (OwnedPartitions{{kTopicId, {{0, 4}, {1, 4}}}}));
  value.member_epoch = -2;
  put(protocol::ConsumerGroupCurrentMemberAssignmentKey{.group_id = "g", .member_id = "m"}, value, 0);
  EXPECT_EQ(group()->consumer->find("m")->assigned.at(kTopicId).front().epoch, 0);
}

}  // namespace
}  // namespace milena::coordinator
