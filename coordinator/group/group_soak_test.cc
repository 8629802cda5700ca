// Everything at once: members of both protocols in the same groups, migration in both directions, offsets,
// open transactions, topics that change, an operator that deletes, a log that fails, commits late and is
// compacted, and a coordinator that restarts. No model says what has to come; what must never come is watched
// after every step, and the log is read back at random moments (G9).
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/group/testing/requests.h"
#include "coordinator/runtime/record_codec.h"
#include "coordinator/runtime/testing/model_runs.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)

class Soak {
 public:
  explicit Soak(std::uint64_t seed)
      : rng_(seed), transactions_(rng_.one_in(2)), log_commits_late_(rng_.one_in(3)), h_(config(rng_), seed) {
    h_.log.watch(
        [this](const protocol::RecordBatchView& batch, bool succeeds) { note_append(batch, succeeds); });
    h_.log.commit_on_append(!log_commits_late_);
    for (std::size_t i = 0; i < 5; ++i) classic_.push_back({.index = i});
    for (std::size_t i = 0; i < 5; ++i) consumers_.push_back({.id = "c" + std::to_string(i)});
    classic_[4].instance_id = "i";
    consumers_[4].instance_id = "i";
    for (int t = 0; t < 3; ++t) h_.add_topic("t" + std::to_string(t), 4);
  }

  int play(int operations) {
    for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
      h_.advance(static_cast<std::int64_t>(rng_.below(rng_.one_in(40) ? 60'000 : 1'500)));
      if (rng_.one_in(400)) h_.advance(4'000'000);
      if (rng_.one_in(60))
        h_.log.fail_next(rng_.one_in(2) ? ErrorCode::kNotEnoughReplicas : ErrorCode::kKafkaStorageError);
      step();
      if (log_commits_late_ && rng_.one_in(4)) commit_log();
      hear();
      if (rng_.one_in(500)) read_log_back();
    }
    finish();
    return operations;
  }

 private:
  struct ClassicClient {
    std::size_t index = 0;
    std::optional<std::string> instance_id{};
    std::string group{};
    std::string id{};
    std::int32_t generation = -1;
    std::vector<std::string> members{};  // of its generation, if it leads
    Assignment owned{};
  };
  struct ConsumerClient {
    std::string id{};
    std::optional<std::string> instance_id{};
    std::string group{};
    std::int32_t epoch = 0;
    Assignment owned{};
  };
  enum class Kind { kJoin, kSync, kBeat };

  static GroupConfig config(SeededRng& rng) {
    GroupConfig config;
    config.group_initial_rebalance_delay_ms = rng.one_in(2) ? 0 : 3'000;
    config.consumer_assignment_interval_ms = rng.one_in(3) ? 1'000 : 0;
    config.offsets_retention_ms = 3'600'000;
    if (rng.one_in(4)) config.group_max_size = config.consumer_max_size = 3;
    const MigrationPolicy policies[] = {MigrationPolicy::kBidirectional, MigrationPolicy::kBidirectional,
                                        MigrationPolicy::kUpgrade, MigrationPolicy::kDowngrade,
                                        MigrationPolicy::kDisabled};
    config.consumer_migration_policy = policies[rng.below(5)];
    return config;
  }

  std::string some_group() { return "g" + std::to_string(rng_.below(2)); }

  void step() {
    ClassicClient& classic = classic_[rng_.below(classic_.size())];
    ConsumerClient& consumer = consumers_[rng_.below(consumers_.size())];
    if (classic.group.empty()) classic.group = some_group();
    if (consumer.group.empty()) consumer.group = some_group();
    switch (rng_.below(24)) {
      case 0:
      case 1:
      case 2:
      case 3:
        join(classic);
        break;
      case 4:
      case 5:
      case 6:
        sync(classic);
        break;
      case 7:
      case 8:
        h_.ask_late(
            heartbeat_request(h_, classic.group, classic.id, classic.generation, classic.instance_id));
        break;
      case 9:
        leave(classic);
        break;
      case 10:
      case 11:
      case 12:
      case 13:
      case 14:
      case 15:
        beat(consumer, consumer.epoch);
        break;
      case 16:
        beat(consumer, consumer.instance_id && rng_.one_in(2) ? -2 : -1);
        break;
      case 17:
        commit(classic.group, classic.id, classic.generation);
        break;
      case 18:
        commit(consumer.group, consumer.id, consumer.epoch);
        break;
      case 19:
        commit(some_group(), "", -1);
        break;
      case 20:
        if (transactions_) transact();
        break;
      case 21:
        if (rng_.one_in(4)) change_topic();
        break;
      case 22:
        if (rng_.one_in(4)) administrate();
        break;
      default:
        if (rng_.one_in(15)) restart();
    }
  }

  // Clients may ask for no time at all, or for all there is.
  std::int32_t rebalance_timeout_ms(std::int32_t usual) {
    if (!rng_.one_in(12)) return usual;
    return rng_.one_in(2) ? 0 : std::numeric_limits<std::int32_t>::max();
  }

  void join(ClassicClient& client) {
    if (client.id.empty() && !client.instance_id) client.group = some_group();
    std::vector<std::pair<std::string, std::int32_t>> owned;
    for (const auto& [topic_id, partitions] : client.owned) {
      const auto topic = h_.metadata->topic(topic_id);
      for (const std::int32_t p : partitions) {
        if (topic) owned.emplace_back(std::string(topic->name), p);
      }
    }
    JoinOptions options;
    options.member_id = client.id;
    options.instance_id = client.instance_id;
    options.session_timeout_ms = 10'000 + 100 * static_cast<std::int32_t>(client.index);
    options.rebalance_timeout_ms = rebalance_timeout_ms(20'000);
    options.protocols = {{"range", subscription_blob({"t0", rng_.one_in(3) ? "t1" : "t2"}, owned)}};
    if (rng_.one_in(30)) options.protocols = {{"range", "rubbish"}};
    if (rng_.one_in(3)) options.protocols.emplace_back("sticky", options.protocols[0].second);
    const ReplyToken token =
        h_.send(join_request(h_, client.group, options), static_cast<int>(5 + rng_.below(5)));
    open_[token] = {Kind::kJoin, client.index};
  }

  void sync(ClassicClient& client) {
    std::vector<std::pair<std::string, std::string>> assignments;
    std::int32_t next = 0;
    for (const std::string& member : client.members) {
      Assignment part;
      if (const auto topic = h_.metadata->topic("t0"); topic && next < topic->partitions)
        part[topic->id] = {next++};
      assignments.emplace_back(member, write_assignment(part, *h_.metadata, 3));
    }
    const ReplyToken token = h_.send(
        sync_request(h_, client.group, client.id, client.generation, assignments, client.instance_id));
    open_[token] = {Kind::kSync, client.index};
  }

  void leave(ClassicClient& client) {
    if (client.id.empty()) return;
    h_.ask_late(leave_request(h_, client.group, {{client.id, client.instance_id}}));
    client.id.clear();
    client.generation = -1;
    client.owned.clear();
  }

  void beat(ConsumerClient& client, std::int32_t epoch) {
    BeatOptions options;
    options.epoch = epoch;
    options.instance_id = client.instance_id;
    if (epoch == 0) {
      client.group = some_group();
      client.owned.clear();
      options.rebalance_timeout_ms = rebalance_timeout_ms(15'000);
      options.owned = Assignment{};
      if (rng_.one_in(3)) {
        options.regex = rng_.one_in(2) ? "t[01]" : "t.*";
      } else {
        options.topics = std::vector<std::string>{"t0", "t1"};
      }
    } else if (epoch > 0) {
      if (!rng_.one_in(4)) options.owned = client.owned;
      if (rng_.one_in(15)) options.topics = std::vector<std::string>{"t" + std::to_string(rng_.below(3))};
      if (rng_.one_in(15)) options.regex = rng_.one_in(2) ? "" : "t[12]";
    }
    const auto index = static_cast<std::size_t>(&client - consumers_.data());
    const ReplyToken token = h_.send(beat_request(h_, client.group, client.id, options));
    open_[token] = {Kind::kBeat, index};
    if (epoch < 0) client.epoch = 0;
  }

  void commit(const std::string& group, const std::string& member, std::int32_t generation) {
    h_.ask_late(
        commit_request(h_, group,
                       {{"t" + std::to_string(rng_.below(3)), static_cast<std::int32_t>(rng_.below(3)),
                         static_cast<std::int64_t>(rng_.below(1'000))}},
                       member, generation),
        9);
  }

  void transact() {
    using Topic = protocol::TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic;
    const auto producer = static_cast<std::int64_t>(rng_.below(3));
    if (rng_.one_in(3)) {
      const bool commits = rng_.one_in(2);
      h_.log.append_marker(producer, 0, commits);
      h_.shard.transaction_ended(producer, commits, h_.log.end());
      h_.shard.committed(h_.log.high_watermark());
      return;
    }
    protocol::TxnOffsetCommitRequest request;
    request.group_id = h_.keep(some_group());
    request.producer_id = producer;
    request.producer_epoch = 0;
    request.topics = h_.arena().array<Topic>(1);
    request.topics[0].name = "t0";
    request.topics[0].partitions = h_.arena().array<Topic::TxnOffsetCommitRequestPartition>(1);
    request.topics[0].partitions[0].committed_offset = static_cast<std::int64_t>(rng_.below(1'000));
    h_.ask_late(request);
  }

  void change_topic() {
    const std::string name = "t" + std::to_string(rng_.below(4));
    const auto topic = h_.metadata->topic(name);
    if (!topic) {
      h_.add_topic(name, 1 + static_cast<std::int32_t>(rng_.below(5)));
    } else if (rng_.one_in(3)) {
      h_.edit_metadata([&](FakeMetadata& m) { m.erase(name); }, {name}, false, {{topic->id, name}});
    } else {
      h_.edit_metadata([&](FakeMetadata& m) { m.grow(name, topic->partitions + 1); }, {name});
    }
  }

  void administrate() {
    const auto names = h_.arena().array<std::string_view>(1);
    names[0] = h_.keep(some_group());
    switch (rng_.below(4)) {
      case 0:
        h_.ask_late(protocol::DeleteGroupsRequest{.groups_names = names});
        break;
      case 1:
        h_.ask_late(protocol::DescribeGroupsRequest{.groups = names});
        break;
      case 2:
        h_.ask_late(protocol::ConsumerGroupDescribeRequest{.group_ids = names});
        break;
      default:
        h_.ask_late(protocol::ListGroupsRequest{});
    }
  }

  void commit_log() {
    h_.log.commit_all();
    h_.shard.committed(h_.log.high_watermark());
    h_.collect_now();
  }

  void restart() {
    commit_log();
    if (!transactions_ && rng_.one_in(2)) {
      h_.load(h_.log.compacted(rng_.one_in(2)));
    } else {
      h_.load();
    }
    unstored_.clear();
  }

  // Clients take what they were told.
  void hear() {
    for (auto at = open_.begin(); at != open_.end();) {
      const auto [kind, index] = at->second;
      if (h_.waits(at->first)) {
        ++at;
        continue;
      }
      if (kind == Kind::kJoin) {
        const auto response = h_.answer<protocol::JoinGroupResponse>(at->first);
        ClassicClient& client = classic_[index];
        const ErrorCode error = response.error_code;
        if (error == ErrorCode::kNone || error == ErrorCode::kMemberIdRequired) {
          client.id = response.member_id;
          client.generation = response.generation_id;
          client.members.clear();
          for (const auto& member : response.members) client.members.emplace_back(member.member_id);
        } else if (error == ErrorCode::kUnknownMemberId || error == ErrorCode::kFencedInstanceId) {
          client.id.clear();
        }
      } else if (kind == Kind::kSync) {
        const auto response = h_.answer<protocol::SyncGroupResponse>(at->first);
        Arena arena;
        if (response.error_code == ErrorCode::kNone) {
          const auto assignment = read_assignment(as_text(response.assignment), arena);
          if (assignment) classic_[index].owned = to_assignment(*assignment, *h_.metadata);
        }
      } else {
        const auto response = h_.answer<protocol::ConsumerGroupHeartbeatResponse>(at->first);
        ConsumerClient& client = consumers_[index];
        if (response.error_code == ErrorCode::kNone) {
          client.epoch = std::max(response.member_epoch, 0);
          if (response.assignment) client.owned = assignment_of(response);
        } else if (response.error_code != ErrorCode::kCoordinatorNotAvailable &&
                   response.error_code != ErrorCode::kNotCoordinator) {
          client.epoch = 0;
        }
      }
      at = open_.erase(at);
    }
  }

  // A classic group that became Empty while the log failed is Empty all the same; its record is not there.
  void note_append(const protocol::RecordBatchView& batch, bool succeeds) {
    protocol::Decompressor decompressor;
    std::vector<std::byte> buffer;
    auto records = *protocol::read_records(batch, decompressor, buffer);
    while (const auto record = *records.next()) {
      Arena arena;
      const BytesView key = record->key.value_or(BytesView{});
      if (record_type(key) != protocol::GroupMetadataKey::kInfo.key) continue;
      const std::string group(decode_record_key<protocol::GroupMetadataKey>(key, arena)->group);
      if (succeeds) {
        unstored_.erase(group);
      } else {
        unstored_.insert(group);
      }
    }
  }

  void read_log_back() {
    compare_with(h_.log.bytes());
    if (transactions_) return;
    compare_with(h_.log.compacted(true));
    compare_with(h_.log.compacted(false));
  }
  void compare_with(const std::vector<std::byte>& bytes) {
    GroupHarness other(*h_.config, 1);
    other.metadata = h_.metadata;
    other.now = h_.now;
    other.load(bytes);
    for (const Group* group : h_.shard.machine()->groups().sorted()) {
      const Group* read = other.group(group->id);
      ASSERT_NE(read, nullptr) << durable_text(*group);
      if (unstored_.contains(group->id)) continue;
      if (is_settled(*group)) {
        ASSERT_EQ(durable_text(*read), durable_text(*group));
      } else {
        ASSERT_TRUE(read->classic);
        ASSERT_LE(read->classic->generation, group->classic->generation);
      }
    }
    ASSERT_EQ(other.shard.machine()->groups().size(), h_.shard.machine()->groups().size());
    ASSERT_EQ(other.shard.machine()->skipped_records(), 0u);
  }

  // Nobody is left without an answer.
  void finish() {
    if (testing::Test::HasFailure()) return;
    read_log_back();
    commit_log();
    h_.shard.unload(ErrorCode::kNotCoordinator);
    h_.collect_now();
    for (const auto& [token, waiting] : open_)
      ASSERT_FALSE(h_.waits(token)) << "token " << token << " is lost";
  }

  SeededRng rng_;
  const bool transactions_;
  const bool log_commits_late_;
  GroupHarness h_;
  std::vector<ClassicClient> classic_;
  std::vector<ConsumerClient> consumers_;
  std::map<ReplyToken, std::pair<Kind, std::size_t>> open_;
  std::set<std::string> unstored_;
};

TEST(GroupSoakTest, NothingBreaksAndTheLogTellsAll) {
  int operations = 0;
  for_each_seed(40, [&](std::uint64_t seed) {
    if (testing::Test::HasFailure()) return;
    Soak soak(seed);
    operations += soak.play(2'500);
    EXPECT_FALSE(testing::Test::HasFailure()) << "look with MILENA_MODEL_SEED=" << seed;
  });
  RecordProperty("operations", operations);
}

}  // namespace
}  // namespace milena::coordinator
