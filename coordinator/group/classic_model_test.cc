// The classic group against ClassicModel: random clients, right and wrong requests, time, restarts. Every
// answer of every request is compared, and the log's state with the machine's.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "coordinator/group/testing/classic_model.h"
#include "coordinator/group/testing/requests.h"
#include "coordinator/runtime/testing/model_runs.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using Answer = ClassicModel::Answer;

class Schedule {
 public:
  explicit Schedule(std::uint64_t seed)
      : rng_(seed),
        delay_ms_(rng_.one_in(2) ? 0 : 20 * kBeatMs + 2'503),
        max_size_(rng_.one_in(3) ? 3 : 100),
        h_(config(), seed),
        model_(delay_ms_, max_size_) {
    for (std::size_t i = 0; i < 7; ++i) {
      Client client;
      client.index = i;
      if (i >= 4) client.instance_id = "i" + std::to_string(i % 2);
      clients_.push_back(client);
    }
  }

  // Plays this many operations, or fewer if two things fall due at once. Returns how many.
  int play(int operations) {
    for (int i = 0; i < operations; ++i) {
      // Clients act on the beats of a slow clock; timeouts end between the beats, each kind at a place of its
      // own. So it nearly never happens that two things fall due in the same millisecond.
      const std::int64_t beats =
          1 + static_cast<std::int64_t>(rng_.one_in(20) ? rng_.below(200) : rng_.below(8));
      if (!advance((now() / kBeatMs + beats) * kBeatMs - now())) return i;
      step();
      compare();
      if (testing::Test::HasFailure()) return i;
    }
    return operations;
  }

 private:
  struct Client {
    std::size_t index = 0;
    std::optional<std::string> instance_id{};
    std::string member_id{};
    std::int32_t generation = -1;
    bool leads = false;
  };
  enum class Kind { kJoin, kSync, kOther };
  static constexpr std::int32_t kBeatMs = 8'192;

  GroupConfig config() const {
    GroupConfig config;
    config.group_initial_rebalance_delay_ms = delay_ms_;
    config.group_max_size = static_cast<std::int32_t>(max_size_);
    config.offsets_retention_check_interval_ms = std::int64_t{1} << 50;
    return config;
  }
  std::int64_t now() const { return h_.now.instant.count(); }

  bool advance(std::int64_t ms) {
    const std::int64_t from = now();
    h_.advance(ms);
    if (!model_.advance(from, from + ms)) return false;
    compare();
    return true;
  }

  ClassicModel::Protocols protocols() {
    ClassicModel::Protocols all = {{"range", "r"}, {"sticky", "s"}, {"own", "o"}};
    if (rng_.one_in(8)) all[0].second = "changed";
    if (rng_.one_in(6)) std::swap(all[0], all[1]);
    if (rng_.one_in(6)) all.pop_back();
    if (rng_.one_in(30)) all = {{"strange", ""}};
    return all;
  }

  void step() {
    Client& client = clients_[rng_.below(clients_.size())];
    switch (rng_.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        join(client);
        break;
      case 5:
      case 6:
      case 7:
      case 8:
        sync(client);
        break;
      case 9:
      case 10:
        heartbeat(client);
        break;
      case 11:
      case 12:
        commit(client);
        break;
      case 13:
        leave(client);
        break;
      case 14:
        if (rng_.one_in(4)) forget(client);
        break;
      default:
        if (rng_.one_in(8)) restart();
    }
  }

  void forget(Client& client) {
    client.member_id.clear();
    client.generation = -1;
  }
  // Mostly right, sometimes not.
  std::string some_id(const Client& client) {
    if (!rng_.one_in(12)) return client.member_id;
    return rng_.one_in(2) ? "nobody" : clients_[rng_.below(clients_.size())].member_id;
  }
  std::int32_t some_generation(const Client& client) {
    return rng_.one_in(12) ? client.generation + static_cast<std::int32_t>(rng_.below(3)) - 1
                           : client.generation;
  }
  std::optional<std::string> some_instance(const Client& client) {
    return rng_.one_in(12) ? std::optional<std::string>("i0") : client.instance_id;
  }

  void join(Client& client) {
    ClassicModel::Join request;
    request.member_id = some_id(client);
    request.instance_id = client.instance_id;
    request.protocols = protocols();
    request.session_timeout_ms = 80 * kBeatMs + (1 << client.index);
    request.rebalance_timeout_ms =
        (120 + 8 * static_cast<int>(client.index)) * kBeatMs + 131 * static_cast<int>(client.index + 1);
    request.version = request.instance_id || rng_.one_in(2) ? static_cast<int>(5 + rng_.below(5)) : 3;
    SeededRng next = h_.rng;
    const std::string prefix = request.instance_id ? *request.instance_id : h_.client_id;
    const std::string fresh_id = prefix + "-" + random_member_id(next);
    JoinOptions options;
    options.member_id = request.member_id;
    options.instance_id = request.instance_id;
    options.protocols = request.protocols;
    options.session_timeout_ms = request.session_timeout_ms;
    options.rebalance_timeout_ms = request.rebalance_timeout_ms;
    const ReplyToken token = h_.send(join_request(h_, "g", options), request.version);
    open_[token] = {Kind::kJoin, client.index};
    model_.join(now(), token, request, fresh_id);
  }

  void sync(Client& client) {
    const std::string member_id = some_id(client);
    const std::int32_t generation = some_generation(client);
    const auto instance_id = some_instance(client);
    std::map<std::string, std::string> assignments;
    for (const Client& each : clients_) {
      if (!each.member_id.empty() && !rng_.one_in(6)) {
        assignments[each.member_id] = "a" + std::to_string(rng_.below(1'000));
      }
    }
    const ReplyToken token = h_.send(
        sync_request(h_, "g", member_id, generation, {assignments.begin(), assignments.end()}, instance_id));
    open_[token] = {Kind::kSync, client.index};
    model_.sync(now(), token, member_id, instance_id, generation, assignments);
  }

  void heartbeat(Client& client) {
    const std::string member_id = some_id(client);
    const std::int32_t generation = some_generation(client);
    const auto instance_id = some_instance(client);
    const auto response =
        h_.ask<protocol::HeartbeatResponse>(heartbeat_request(h_, "g", member_id, generation, instance_id));
    model_.heartbeat(now(), 0, member_id, instance_id, generation);
    told_[0] = Answer{.error = response.error_code};
    open_[0] = {Kind::kOther, client.index};
  }

  void leave(Client& client) {
    const std::string member_id = client.member_id.empty() ? "nobody" : some_id(client);
    if (member_id.empty()) return;
    const auto response =
        h_.ask<protocol::LeaveGroupResponse>(leave_request(h_, "g", {{member_id, client.instance_id}}));
    model_.leave(now(), 0, member_id, client.instance_id);
    told_[0] = Answer{.error = response.members[0].error_code};
    open_[0] = {Kind::kOther, client.index};
  }

  void commit(Client& client) {
    const bool alone = rng_.one_in(5);
    const std::string member_id = alone ? "" : some_id(client);
    const std::int32_t generation = alone || member_id.empty() ? -1 : some_generation(client);
    const auto partition = static_cast<std::int32_t>(rng_.below(3));
    const auto offset = static_cast<std::int64_t>(rng_.below(1'000'000));
    const auto response = h_.ask<protocol::OffsetCommitResponse>(
        commit_request(h_, "g", {{"t", partition, offset}}, member_id, generation), 9);
    const ErrorCode expected = model_.commit(now(), member_id, generation);
    ASSERT_EQ(response.topics[0].partitions[0].error_code, expected);
    if (expected == ErrorCode::kNone) committed_[partition] = offset;
  }

  void restart() {
    model_.restart(now());
    h_.load();
    leaders_.clear();  // a generation that was never stored may come again, as in Kafka
  }

  // Reads what everybody was told, lets the clients act on it, and compares it with what the model says.
  void compare() {
    for (auto& [token, waiting] : open_) {
      if (token == 0 || h_.waits(token)) continue;
      Client& client = clients_[waiting.second];
      if (waiting.first == Kind::kJoin) {
        const auto response = h_.answer<protocol::JoinGroupResponse>(token);
        Answer& answer = told_[token];
        answer.error = response.error_code;
        answer.member_id = response.member_id;
        answer.generation = response.generation_id;
        answer.leader = response.leader;
        answer.protocol = response.protocol_name.value_or("");
        answer.listed_members = response.members.size();
        answer.skip_assignment = response.skip_assignment;
        if (response.error_code == ErrorCode::kNone || response.error_code == ErrorCode::kMemberIdRequired) {
          client.member_id = response.member_id;
          client.generation = response.generation_id;
        } else if (response.error_code == ErrorCode::kUnknownMemberId) {
          forget(client);
        }
        check_generation(response);
      } else {
        const auto response = h_.answer<protocol::SyncGroupResponse>(token);
        told_[token] = Answer{.error = response.error_code,
                              .protocol = std::string(response.protocol_name.value_or("")),
                              .assignment = std::string(as_text(response.assignment))};
      }
    }
    const auto expected = model_.take_answers();
    for (const auto& [token, answer] : expected) {
      ASSERT_TRUE(told_.contains(token))
          << "the model answers token " << token << " with " << static_cast<int>(answer.error);
      const Answer& told = told_[token];
      ASSERT_EQ(told.error, answer.error) << "token " << token;
      ASSERT_EQ(told.member_id, answer.member_id);
      ASSERT_EQ(told.generation, answer.generation);
      ASSERT_EQ(told.leader, answer.leader);
      ASSERT_EQ(told.protocol, answer.protocol);
      ASSERT_EQ(told.listed_members, answer.listed_members);
      ASSERT_EQ(told.skip_assignment, answer.skip_assignment);
      ASSERT_EQ(told.assignment, answer.assignment);
    }
    ASSERT_EQ(told_.size(), expected.size()) << "the machine answers more than the model";
    for (const auto& [token, answer] : told_) open_.erase(token);
    told_.clear();
    compare_state();
  }

  // G1: one leader per generation, and generations never go back while the coordinator lives.
  void check_generation(const protocol::JoinGroupResponse& response) {
    if (response.error_code != ErrorCode::kNone || response.members.empty()) return;
    const auto at = leaders_.emplace(response.generation_id, response.member_id).first;
    if (!response.skip_assignment) {
      ASSERT_EQ(at->second, response.member_id) << "two leaders of generation " << response.generation_id;
    }
  }

  void compare_state() {
    const Group* group = h_.group("g");
    ASSERT_EQ(group != nullptr && group->classic != nullptr, model_.exists());
    if (model_.exists()) {
      const ClassicGroup& g = *group->classic;
      ASSERT_EQ(to_string(g.state), model_.state());
      ASSERT_EQ(g.generation, model_.generation());
      std::vector<std::string> ids;
      for (const ClassicMember& member : g.members()) ids.push_back(member.id);
      std::ranges::sort(ids);
      ASSERT_EQ(ids, model_.member_ids());
    }
    for (const auto& [partition, offset] : committed_) {
      ASSERT_EQ(group->offsets.find("t", partition)->offset, offset);
    }
    if (group != nullptr && is_settled(*group) && rng_.one_in(300)) {
      ASSERT_EQ(h_.text(), h_.text_of_log());
    }
  }

  SeededRng rng_;
  const std::int32_t delay_ms_;
  const std::size_t max_size_;
  GroupHarness h_;
  ClassicModel model_;
  std::vector<Client> clients_;
  std::map<ReplyToken, std::pair<Kind, std::size_t>> open_;
  std::map<ReplyToken, Answer> told_;
  std::map<std::int32_t, std::int64_t> committed_;
  std::map<std::int32_t, std::string> leaders_;
};

TEST(ClassicModelTest, EveryAnswerIsTheModels) {
  int operations = 0;
  for_each_seed(90, [&](std::uint64_t seed) {
    if (testing::Test::HasFailure()) return;
    Schedule schedule(seed);
    operations += schedule.play(2'000);
    EXPECT_FALSE(testing::Test::HasFailure()) << "look with MILENA_MODEL_SEED=" << seed;
  });
  RecordProperty("operations", operations);
}

}  // namespace
}  // namespace milena::coordinator
