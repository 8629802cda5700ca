// The consumer group against ConsumerModel: random clients, right and wrong heartbeats, topics that change,
// time, restarts. Every answer and the state after it are compared; what clients hold is watched for two
// owners.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/group/testing/consumer_model.h"
#include "coordinator/group/testing/requests.h"
#include "coordinator/runtime/testing/model_runs.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using Partition = ConsumerModel::Partition;
using Partitions = ConsumerModel::Partitions;
using Response = protocol::ConsumerGroupHeartbeatResponse;

constexpr std::int32_t kSessionMs = 45'000;

class Schedule {
 public:
  explicit Schedule(std::uint64_t seed)
      : rng_(seed), max_size_(rng_.one_in(4) ? 3 : 100), h_(config(), seed), model_(kSessionMs, max_size_) {
    for (std::size_t i = 0; i < 7; ++i) {
      Client client;
      client.id = "m" + std::to_string(i);
      if (i >= 4) client.instance_id = "i" + std::to_string(i % 2);
      clients_.push_back(client);
    }
    change_topic();
    change_topic();
  }

  int play(int operations) {
    for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
      advance(static_cast<std::int64_t>(rng_.below(rng_.one_in(25) ? 50'000 : 2'000)));
      step();
      compare();
    }
    converge();
    return operations;
  }

 private:
  struct Client {
    std::string id{};
    std::optional<std::string> instance_id{};
    std::int32_t epoch = 0;  // as it was told; 0: it has to join
    Partitions holds{};      // what it works on
    Partitions told{};       // what it should
  };

  GroupConfig config() const {
    GroupConfig config;
    config.consumer_session_timeout_ms = kSessionMs;
    config.consumer_max_size = static_cast<std::int32_t>(max_size_);
    config.offsets_retention_check_interval_ms = std::int64_t{1} << 50;
    return config;
  }
  std::int64_t now() const { return h_.now.instant.count(); }
  void advance(std::int64_t ms) {
    h_.advance(ms);
    model_.advance(now());
  }

  void step() {
    Client& client = clients_[rng_.below(clients_.size())];
    switch (rng_.below(14)) {
      case 10:
        leave(client);
        break;
      case 11:
        if (rng_.one_in(3)) change_topic();
        break;
      case 12:
        commit(client);
        break;
      case 13:
        if (rng_.one_in(10)) restart();
        break;
      default:
        heartbeat(client);
    }
  }

  void change_topic() {
    const std::string name = "t" + std::to_string(rng_.below(4));
    const auto known = h_.metadata->topic(name);
    if (!known) {
      h_.add_topic(name, 1 + static_cast<std::int32_t>(rng_.below(6)));
    } else if (rng_.one_in(4)) {
      h_.edit_metadata([&](FakeMetadata& m) { m.erase(name); }, {name}, false, {{known->id, name}});
    } else {
      h_.edit_metadata([&](FakeMetadata& m) { m.grow(name, known->partitions + 1); }, {name});
    }
    ConsumerModel::Topics topics;
    for (const auto& [topic, entry] : h_.metadata->topics())
      topics[topic] = {entry.id.to_string(), entry.partitions};
    model_.set_topics(topics);
  }

  std::set<std::string> some_topics() {
    std::set<std::string> topics;
    for (int t = 0; t < 4; ++t) {
      if (rng_.one_in(2)) topics.insert("t" + std::to_string(t));
    }
    return topics;
  }

  static Uuid uuid_of(const std::string& text) { return Uuid::parse(text).value_or(Uuid{}); }
  static Assignment to_assignment(const Partitions& partitions) {
    Assignment out;
    for (const auto& [id, partition] : partitions) out[uuid_of(id)].push_back(partition);
    return out;
  }
  static Partitions to_partitions(const Assignment& assignment) {
    Partitions out;
    for (const auto& [id, partitions] : assignment) {
      for (const std::int32_t partition : partitions) out.emplace(id.to_string(), partition);
    }
    return out;
  }

  void heartbeat(Client& client) {
    ConsumerModel::Heartbeat request;
    request.member_id = client.id;
    request.instance_id = client.instance_id;
    request.epoch = client.epoch;
    if (rng_.one_in(15)) request.epoch = static_cast<std::int32_t>(rng_.below(6));
    if (rng_.one_in(40)) request.instance_id = "i0";
    // It gives up what it should not have, now or later.
    if (!rng_.one_in(3)) {
      std::erase_if(client.holds, [&](const Partition& p) { return !client.told.contains(p); });
    }
    if (request.epoch == 0) {
      request.rebalance_timeout_ms = 30'000 + static_cast<std::int32_t>(rng_.below(30'000));
      request.topics = some_topics();
      request.owned = Partitions{};
    } else {
      if (rng_.one_in(12)) request.topics = some_topics();
      if (!rng_.one_in(4)) request.owned = client.holds;
      if (rng_.one_in(12)) request.rebalance_timeout_ms = 40'000;
    }
    send(client, request);
  }

  void leave(Client& client) {
    ConsumerModel::Heartbeat request;
    request.member_id = client.id;
    request.instance_id = client.instance_id;
    request.epoch = client.instance_id && rng_.one_in(2) ? -2 : -1;
    send(client, request);
  }

  void send(Client& client, const ConsumerModel::Heartbeat& request) {
    BeatOptions options;
    options.epoch = request.epoch;
    options.instance_id = request.instance_id;
    options.rebalance_timeout_ms = request.rebalance_timeout_ms;
    if (request.topics) options.topics.emplace(request.topics->begin(), request.topics->end());
    if (request.owned) options.owned = to_assignment(*request.owned);
    if (request.epoch == 0) client.holds.clear();
    const auto response = h_.ask<Response>(beat_request(h_, "g", request.member_id, options));
    const auto expected = model_.heartbeat(now(), request, [&] { return targets(); });
    ASSERT_EQ(response.error_code, expected.error) << response.error_message.value_or("");
    if (expected.error != ErrorCode::kNone) {
      if (request.epoch == client.epoch) {
        client.epoch = 0;
        client.holds.clear();
      }
      return;
    }
    ASSERT_EQ(response.member_epoch, expected.epoch);
    ASSERT_EQ(response.assignment.has_value(), expected.assignment.has_value());
    if (request.epoch < 0) {
      client.epoch = 0;
      client.holds.clear();
      client.told.clear();
      return;
    }
    client.epoch = response.member_epoch;
    if (response.assignment) {
      client.told = to_partitions(assignment_of(response));
      ASSERT_EQ(client.told, expected.assignment) << h_.text();
      client.holds.insert(client.told.begin(), client.told.end());
    }
  }

  // The machine's new target, which has to be a good one.
  ConsumerModel::Targets targets() {
    ConsumerModel::Targets out;
    std::map<Partition, std::string> owners;
    const ConsumerGroup& group = h_.consumer("g");
    std::set<std::string> subscribed;
    for (const ConsumerGroupMember& member : group.members()) {
      subscribed.insert(member.subscribed_topics.begin(), member.subscribed_topics.end());
      const Assignment* target = group.target(member.id);
      EXPECT_NE(target, nullptr);
      if (target == nullptr) continue;
      out[member.id] = to_partitions(*target);
      for (const Partition& p : out[member.id]) {
        const auto topic = h_.metadata->topic(uuid_of(p.first));
        EXPECT_TRUE(topic && member.subscribed_topics.contains(topic->name));
        EXPECT_TRUE(owners.emplace(p, member.id).second) << "a target for two";
      }
    }
    std::size_t partitions = 0;
    for (const std::string& name : subscribed) {
      if (const auto topic = h_.metadata->topic(name))
        partitions += static_cast<std::size_t>(topic->partitions);
    }
    EXPECT_EQ(owners.size(), partitions) << "partitions without a target";
    return out;
  }

  void commit(Client& client) {
    const std::int32_t epoch =
        rng_.one_in(4) ? static_cast<std::int32_t>(rng_.below(8)) - 1 : std::max(client.epoch, 1);
    const std::string name = "t" + std::to_string(rng_.below(4));
    const auto topic = h_.metadata->topic(name);
    if (!topic) return;
    Partition partition{topic->id.to_string(), static_cast<std::int32_t>(rng_.below(4))};
    for (const Partition& held : client.holds) {
      if (held.first == partition.first) partition = held;
    }
    const auto offset = static_cast<std::int64_t>(rng_.below(1'000'000));
    const auto response = h_.ask<protocol::OffsetCommitResponse>(
        commit_request(h_, "g", {{name, partition.second, offset}}, client.id, epoch), 9);
    if (!model_.exists() && h_.group("g") != nullptr) return;  // offsets alone are not the model's business
    ASSERT_EQ(response.topics[0].partitions[0].error_code, model_.commit(client.id, epoch, partition));
  }

  void restart() {
    model_.restart(now());
    const std::string before = h_.text();
    h_.load();
    ASSERT_EQ(h_.text(), before);
  }

  void compare() {
    const Group* group = h_.group("g");
    ASSERT_EQ(group != nullptr && group->consumer != nullptr, model_.exists());
    if (!model_.exists()) return;
    const ConsumerGroup& g = *group->consumer;
    ASSERT_EQ(g.epoch, model_.epoch());
    ASSERT_EQ(g.assignment_epoch, model_.assignment_epoch());
    ASSERT_EQ(g.members().size(), model_.members().size());
    for (const auto& [id, expected] : model_.members()) {
      const ConsumerGroupMember* member = g.find(id);
      ASSERT_NE(member, nullptr) << id;
      ASSERT_EQ(member->epoch, expected.epoch);
      ASSERT_EQ(member->previous_epoch, expected.previous_epoch);
      static const std::map<MemberState, std::string> kNames = {{MemberState::kStable, "stable"},
                                                                {MemberState::kUnrevoked, "revoking"},
                                                                {MemberState::kUnreleased, "waiting"}};
      ASSERT_EQ(kNames.at(member->state), expected.state);
      ASSERT_EQ(epochs(member->assigned), expected.assigned);
      ASSERT_EQ(epochs(member->pending_revocation), expected.revoking);
    }
    watch_owners();
    if (rng_.one_in(300)) {
      ASSERT_EQ(h_.text(), h_.text_of_log());
    }
  }
  static std::map<Partition, std::int32_t> epochs(const OwnedPartitions& owned) {
    std::map<Partition, std::int32_t> out;
    for (const auto& [id, partitions] : owned) {
      for (const OwnedPartition& each : partitions) out[{id.to_string(), each.partition}] = each.epoch;
    }
    return out;
  }

  // G2: what one client works on no other does, unless the coordinator has put it out.
  void watch_owners() {
    std::map<Partition, std::string> workers;
    for (const Client& client : clients_) {
      const ConsumerGroupMember* member = h_.consumer("g").find(client.id);
      if (member == nullptr || member->epoch < client.epoch) continue;
      for (const Partition& p : client.holds) {
        ASSERT_TRUE(workers.emplace(p, client.id).second)
            << p.first << "-" << p.second << " of " << client.id << " and " << workers[p];
      }
    }
  }

  // Left in peace, the group settles: every partition has an owner.
  void converge() {
    if (!model_.exists() || testing::Test::HasFailure()) return;
    for (int round = 0; round < 20; ++round) {
      for (Client& client : clients_) {
        if (h_.consumer("g").find(client.id) == nullptr || client.epoch == 0) continue;
        client.holds = client.told;
        ConsumerModel::Heartbeat request;
        request.member_id = client.id;
        request.instance_id = client.instance_id;
        request.epoch = client.epoch;
        request.owned = client.holds;
        send(client, request);
        if (testing::Test::HasFailure()) return;
      }
      advance(1'000);
    }
    // Members that their client has forgotten go with their sessions.
    for (int round = 0; round < 60; ++round) {
      advance(1'000);
      for (Client& client : clients_) {
        if (client.epoch == 0 || h_.consumer("g").find(client.id) == nullptr) continue;
        client.holds = client.told;
        ConsumerModel::Heartbeat request;
        request.member_id = client.id;
        request.instance_id = client.instance_id;
        request.epoch = client.epoch;
        request.owned = client.holds;
        send(client, request);
        if (testing::Test::HasFailure()) return;
      }
    }
    compare();
    const std::string_view state = h_.consumer("g").state();
    const bool settled = state == "Stable" || state == "Empty";
    ASSERT_TRUE(settled) << h_.text();
  }

  SeededRng rng_;
  const std::size_t max_size_;
  GroupHarness h_;
  ConsumerModel model_;
  std::vector<Client> clients_;
};

TEST(ConsumerModelTest, EveryAnswerIsTheModels) {
  int operations = 0;
  for_each_seed(60, [&](std::uint64_t seed) {
    if (testing::Test::HasFailure()) return;
    Schedule schedule(seed);
    operations += schedule.play(2'000);
    EXPECT_FALSE(testing::Test::HasFailure()) << "look with MILENA_MODEL_SEED=" << seed;
  });
  RecordProperty("operations", operations);
}

}  // namespace
}  // namespace milena::coordinator
