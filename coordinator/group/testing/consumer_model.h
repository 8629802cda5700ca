// ConsumerModel: a consumer group the plain way, after the words of KIP-848. Sets of partitions, owners found
// by looking at everybody, no records. What the machine says is compared with this. Targets are taken from
// the machine, which the test checks by themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "protocol/error_code.h"

namespace milena::coordinator::testing_support {

class ConsumerModel {
 public:
  using Partition = std::pair<std::string, std::int32_t>;  // of a topic, by id: a name may be used again
  using Partitions = std::set<Partition>;
  using Targets = std::map<std::string, Partitions>;

  struct Heartbeat {
    std::string member_id;
    std::int32_t epoch = 0;
    std::optional<std::string> instance_id;
    std::int32_t rebalance_timeout_ms = -1;
    std::optional<std::set<std::string>> topics;
    std::optional<Partitions> owned;
  };
  struct Answer {
    ErrorCode error = ErrorCode::kNone;
    std::int32_t epoch = 0;
    std::optional<Partitions> assignment{};

    bool operator==(const Answer&) const = default;
  };
  struct Member {
    std::optional<std::string> instance_id{};
    std::set<std::string> topics{};
    std::int32_t rebalance_timeout_ms = -1;
    std::int32_t epoch = 0;
    std::int32_t previous_epoch = -1;
    std::string state = "stable";
    std::map<Partition, std::int32_t> assigned{};  // and the epoch at which
    std::map<Partition, std::int32_t> revoking{};
    std::int64_t session_deadline = 0;
    std::int64_t revocation_deadline = -1;
  };

  ConsumerModel(std::int32_t session_timeout_ms, std::size_t max_size)
      : session_timeout_ms_(session_timeout_ms), max_size_(max_size) {}

  // `new_targets`: what the assignor made of the group, asked for if the heartbeat leads to a new target.
  Answer heartbeat(std::int64_t now, const Heartbeat& request, const std::function<Targets()>& new_targets);
  void advance(std::int64_t to);
  void restart(std::int64_t now);
  // The topics that exist, by name: their ids, and how many partitions they have.
  using Topics = std::map<std::string, std::pair<std::string, std::int32_t>>;
  void set_topics(Topics topics) { topics_ = std::move(topics); }
  // ErrorCode of a commit for one partition.
  ErrorCode commit(const std::string& member_id, std::int32_t epoch, const Partition& partition) const;

  bool exists() const { return exists_; }
  std::int32_t epoch() const { return epoch_; }
  std::int32_t assignment_epoch() const { return assignment_epoch_; }
  const std::map<std::string, Member>& members() const { return members_; }

 private:
  ErrorCode check_epoch(const Member& member, const Heartbeat& request) const;
  Answer leave(const Heartbeat& request);
  void fence(const std::string& id);
  std::string fingerprint() const;
  void reconcile(std::int64_t now, const std::string& id, const std::optional<Partitions>& owned,
                 bool topics_changed);
  bool is_owned(const Partition& partition) const;

  const std::int32_t session_timeout_ms_;
  const std::size_t max_size_;
  Topics topics_;
  bool exists_ = false;
  std::int32_t epoch_ = 1;
  std::int32_t assignment_epoch_ = 1;
  std::string fingerprint_;
  std::map<std::string, Member> members_;
  std::map<std::string, Member>
      members_before_;  // the heartbeat at hand: what is owned is what was owned then
  Targets targets_;
};

}  // namespace milena::coordinator::testing_support
