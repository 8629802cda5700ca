// Random schedules of clients, zombies, crashes, failing appends, slow replication and time: every answer and
// every state is the model's, and what clients were told holds on the partitions that they wrote to.
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "coordinator/runtime/testing/model_runs.h"
#include "coordinator/transaction/testing/checked_coordinator.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using Model = TransactionModel;

// One who uses a transactional id; several use the same, so all but one are zombies.
struct Client {
  std::string id;
  Model::Producer producer = Model::kNobody;
  PartitionWorld::Serial serial = 0;  // of its transaction
  std::set<std::string> added{};
  std::optional<bool> ending{};  // commit or abort: what it has asked for, until it knows
  bool waits = false;
};

class Schedule : CheckedCoordinator {
 public:
  explicit Schedule(std::uint64_t seed) : CheckedCoordinator(seed) {
    for (int i = 0; i < 8; ++i) clients_.push_back({.id = "id" + std::to_string(i % 4)});
  }

  std::size_t transactions() const { return world_.ended(); }
  int play(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
    if (!testing::Test::HasFailure()) settle();
    return steps;
  }

 private:
  void step() {
    append_failed_ = false;
    if (rng_.one_in(40)) h_.log.fail_next(ErrorCode::kNotEnoughReplicas);
    switch (rng_.below(16)) {
      case 0:
        return pass_time(static_cast<std::int64_t>(rng_.below(rng_.one_in(10) ? 60'000 : 3'000)));
      case 1:
        if (rng_.one_in(replication_stands_still_ ? 3 : 16)) crash(rng_.one_in(2));
        return;
      case 2:
      case 3:
        give_id();
        break;
      case 4:
      case 5:
      case 6:
        write_a_marker();
        break;
      case 7:
        if (!replays_.empty()) replays_[rng_.below(replays_.size())]();
        break;
      default:
        // The second client of each id comes by now and then.
        act(clients_[rng_.below(rng_.one_in(30) ? clients_.size() : clients_.size() / 2)]);
    }
    if (testing::Test::HasFailure()) return;
    after_event();
    if (rng_.one_in(40)) replication_stands_still_ = !replication_stands_still_;
    if (!replication_stands_still_ && !rng_.one_in(3)) commit_all();
  }

  // Clients.

  void act(Client& client) {
    if (rng_.one_in(150)) {  // it dies, and what it sent is still under way
      client = {.id = client.id};
      return;
    }
    if (client.waits) return;
    if (client.producer == Model::kNobody || rng_.one_in(100)) return init(client);
    if (client.ending) return end(client, *client.ending);
    switch (rng_.below(5)) {
      case 0:
      case 1:
        return add(client, "t-" + std::to_string(rng_.below(4)));
      case 2:
      case 3:
        if (!client.added.empty()) return write(client);
        return;
      default:
        return end(client, !rng_.one_in(3));
    }
  }

  void forget(Client& client) { begin_next(client, Model::kNobody); }
  void begin_next(Client& client, Model::Producer producer) {
    client.producer = producer;
    client.added.clear();
    client.serial = 0;
    client.ending.reset();
  }
  // A client that died and came back is another one.
  React if_same(Client& client, React react) {
    client.waits = true;
    const std::uint64_t life = ++life_;
    lives_[&client] = life;
    return [this, &client, life, react = std::move(react)](const Model::Answer& answer) {
      if (lives_[&client] != life || !client.waits) return;
      client.waits = false;
      react(answer);
    };
  }

  void init(Client& client) {
    std::optional<Model::Producer> expected;
    if (client.producer != Model::kNobody && rng_.one_in(2)) expected = client.producer;
    const auto timeout = static_cast<std::int32_t>(1'000 + rng_.below(40'000));
    send_init(client.id, expected, timeout, if_same(client, [this, &client](const Model::Answer& answer) {
                if (answer.error == ErrorCode::kNone) {
                  EXPECT_TRUE(given_.insert(answer.producer).second || client.producer != Model::kNobody)
                      << "T3: an epoch for two";
                  begin_next(client, answer.producer);
                } else if (answer.error == ErrorCode::kProducerFenced) {
                  forget(client);
                }
              }));
  }
  void send_init(const std::string& id, std::optional<Model::Producer> expected, std::int32_t timeout,
                 const React& react) {
    request<protocol::InitProducerIdResponse>(
        [&] {
          return h_.send(h_.init_request(h_keep(id), identity(expected.value_or(Model::kNobody)), timeout),
                         5);
        },
        [this, id, timeout, expected](Model& model, std::optional<std::int64_t> fresh) {
          return model.init(id, timeout, expected, fresh, h_.now.wall_ms);
        },
        react);
    if (speaks_version_2_ && expected) {
      remember([this, id, expected, timeout] { send_init(id, expected, timeout, ignore()); });
    }
  }

  void add(Client& client, const std::string& partition) {
    if (client.serial == 0) client.serial = ++last_serial_;
    send_add(client.id, client.producer, partition,
             if_same(client, [this, &client, partition](const Model::Answer& answer) {
               if (answer.error == ErrorCode::kNone) client.added.insert(partition);
               if (is_fatal(answer.error)) forget(client);
             }));
  }
  void send_add(const std::string& id, Model::Producer producer, const std::string& partition,
                const React& react) {
    const int version = speaks_version_2_ ? 5 : 3;
    request<PartitionErrors>(
        [&] {
          return h_.send(h_.add_request(h_keep(id), identity(producer), {partition}, h_.mode_of(version)),
                         version);
        },
        [this, id, producer, partition](Model& model, std::optional<std::int64_t>) {
          return model.add(id, producer, {partition}, speaks_version_2_ ? 2 : 0, h_.now.wall_ms);
        },
        react);
    if (speaks_version_2_) {
      remember([this, id, producer, partition] { send_add(id, producer, partition, ignore()); });
    }
  }

  // The leader of a partition asks the coordinator before it appends.
  void write(Client& client) {
    auto at = client.added.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(rng_.below(client.added.size())));
    const std::string partition = *at;
    const auto producer = client.producer;
    const auto guard = world_.guard(partition, producer.first);
    request<PartitionErrors>(
        [&] {
          return h_.send(h_.add_request(h_keep(client.id), identity(producer), {partition},
                                        AddOrVerifyPartitions::Mode::kVerify),
                         5);
        },
        [id = client.id, producer, partition](Model& model, std::optional<std::int64_t>) {
          return Model::Answer{model.verify(id, producer, partition)};
        },
        if_same(client, [this, &client, producer, partition, guard](const Model::Answer& answer) {
          if (answer.error == ErrorCode::kNone) world_.write(partition, producer, client.serial, guard);
          if (is_fatal(answer.error)) forget(client);
        }));
  }

  void end(Client& client, bool commit) {
    if (!speaks_version_2_ && client.added.empty()) return;
    client.ending = commit;
    send_end(client.id, client.producer, commit,
             if_same(client, [this, &client, commit](const Model::Answer& answer) {
               if (answer.error == ErrorCode::kNone) {
                 if (client.serial != 0) world_.told(client.serial, commit);
                 begin_next(client, speaks_version_2_ ? answer.producer : client.producer);
               } else if (is_fatal(answer.error)) {
                 forget(client);
               }
             }));
  }
  void send_end(const std::string& id, Model::Producer producer, bool commit, const React& react) {
    const int version = speaks_version_2_ ? 5 : 4;
    request<protocol::EndTxnResponse>(
        [&] { return h_.send(h_.end_request(h_keep(id), identity(producer), commit), version); },
        [this, id, producer, commit](Model& model, std::optional<std::int64_t> fresh) {
          return model.end(id, producer, commit, speaks_version_2_ ? 2 : 0, fresh, h_.now.wall_ms);
        },
        react);
    if (speaks_version_2_) {
      remember([this, id, producer, commit] { send_end(id, producer, commit, ignore()); });
    }
  }

  static bool is_fatal(ErrorCode error) {
    return error == ErrorCode::kProducerFenced || error == ErrorCode::kInvalidProducerIdMapping ||
           error == ErrorCode::kInvalidTxnState || error == ErrorCode::kTransactionAbortable;
  }
  // The network delivers it once more, some time. Clients of version 1 cannot stand that: KAFKA-17754.
  void remember(std::function<void()> replay) {
    if (!rng_.one_in(4)) return;
    replays_.push_back(std::move(replay));
    if (replays_.size() > 30) replays_.pop_front();
  }
  std::string_view h_keep(const std::string& id) { return *ids_.insert(id).first; }

  std::deque<Client> clients_;
  std::map<const Client*, std::uint64_t> lives_;
  std::uint64_t life_ = 0;
  PartitionWorld::Serial last_serial_ = 0;
  std::set<std::string> ids_;
  std::set<Model::Producer> given_;
  std::deque<std::function<void()>> replays_;
};

TEST(TransactionModelTest, T1ToT12EveryAnswerIsTheModelsAndNoTransactionHangsOrIsTorn) {
  int operations = 0;
  std::size_t transactions = 0;
  for_each_seed(60, [&](std::uint64_t seed) {
    if (testing::Test::HasFailure()) return;
    Schedule schedule(seed);
    operations += schedule.play(2'000);
    transactions += schedule.transactions();
    EXPECT_FALSE(testing::Test::HasFailure()) << "look with MILENA_MODEL_SEED=" << seed;
  });
  RecordProperty("operations", operations);
  EXPECT_GT(transactions, static_cast<std::size_t>(operations) / 100) << "little happens";
}

}  // namespace
}  // namespace milena::coordinator
