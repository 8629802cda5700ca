// History: what clients were told, and what must be true because of it. Every claim is checked the moment it
// is contradicted; the first contradiction ends a run.
//
// Values of records are unique. No I/O and no clock in it: scripts report what they see, and when.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "protocol/types.h"
#include "sim/group_claims.h"

namespace milena::sim {

using protocol::Offset;

// A producer with an id and sequence numbers, or without.
struct ProducerIdentity {
  protocol::ProducerId id = protocol::kNoProducerId;
  std::int16_t epoch = -1;
};

class History {
 public:
  using Place = std::pair<std::string, std::int32_t>;  // topic and partition

  // The first claim that was contradicted; empty while all is well.
  const std::string& failure() const { return failure_; }
  void fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
  }

  // --- records

  // The broker has acknowledged that the record lies at the offset.
  void acknowledged(const Place& place, Offset offset, const std::string& value, Instant at);
  // A fetch has shown it.
  void seen(const Place& place, Offset offset, const std::string& value);
  // A fetch from `offset` was answered, without a record, by an answer that left the broker at about `at`.
  // What was acknowledged by `then` had to be in it.
  void saw_nothing(const Place& place, Offset offset, Instant then, Instant at);
  // Where the partition ends at least, by what is claimed.
  std::int64_t least_end(const Place& place) const;
  // Records below the offset are to be deleted; records below it have been.
  void deletes_before(const Place& place, Offset offset);
  void starts_at(const Place& place, Offset offset);
  // Where the partition starts at least, and at most, by what is claimed. It never goes back.
  std::pair<std::int64_t, std::int64_t> start_of(const Place& place) const;
  // The broker says that it starts there; it was claimed to start at `least` or later when it was asked.
  void saw_start(const Place& place, Offset offset, std::int64_t least);
  // All there is of a partition from `start` to `end`, and maybe more: claims between them are held against
  // it, and it is held against `least_end`, from before it was read. No value may be there twice.
  void audited(const Place& place, const std::map<std::int64_t, std::string>& records, std::int64_t least_end,
               std::int64_t start, std::int64_t end);

  // --- producers

  enum class Giver : std::uint8_t { kController, kCoordinator };
  // The broker has given a producer this id and epoch. True if nobody had them before, as it must be. But
  // what a coordinator has given is in a log of its own, which may lose its end in a power cut while
  // partitions keep records of that producer: it gives an epoch again then, as Kafka's does, and the
  // partition takes what the producer writes for repetitions of what it knows.
  bool gave(Giver giver, ProducerIdentity producer);

  // --- transactions: a value belongs to one

  enum class Outcome : std::uint8_t { kUnknown, kCommitted, kAborted };
  void wrote_in(const std::string& transaction, const std::string& value) {
    transactions_[transaction].values.insert(value);
  }
  void decided(const std::string& transaction, Outcome outcome) {
    transactions_[transaction].outcome = outcome;
  }
  // All that a reader of committed records has seen, of all partitions.
  void audited_committed(const std::set<std::string>& values);

  // --- committed offsets

  // A group, and the partition of "orders" that the offset is of. Each commit is of a higher offset than
  // those before it.
  using Committed = std::pair<std::string, std::int32_t>;
  void commits(const Committed& where, std::int64_t offset) { committed_[where].attempts.insert(offset); }
  void has_committed(const Committed& where, std::int64_t offset);
  void saw_committed(const Committed& where, std::int64_t offset);
  std::vector<Committed> all_committed() const;

  // --- members of groups

  GroupClaims& members() { return members_; }

  // --- settings: each change is to another value

  void sets(const std::string& setting, const std::string& value) { settings_[setting].tried.insert(value); }
  void has_set(const std::string& setting, const std::string& value);
  void saw_setting(const std::string& setting, const std::string& value);

  // --- topics

  void created(const std::string& topic) { topics_[topic] = true; }
  void deleted(const std::string& topic) { topics_[topic] = false; }
  void undecided(const std::string& topic) { topics_.erase(topic); }
  void saw_topics(const std::set<std::string>& topics);

  // Power was lost, and with it what no disk had: nothing but the metadata is claimed any more. Of records,
  // what is left must be a beginning of what was there. An epoch may be given again.
  void lost_power();

  std::uint64_t claims() const { return claims_; }
  void count_claim() { ++claims_; }

 private:
  struct Record {
    std::string value;
    std::optional<Instant> acknowledged_at;
  };
  struct Partition {
    std::map<std::int64_t, Record> records;
    bool may_be_shorter = false;  // since lost_power()
    std::int64_t starts_at = 0, may_start_at = 0;
  };
  struct Transaction {
    std::set<std::string> values;
    Outcome outcome = Outcome::kUnknown;
  };
  struct Offsets {
    std::set<std::int64_t> attempts;
    std::int64_t acknowledged = -1;
  };

  struct Setting {
    std::string value;            // as acknowledged last; empty: never
    std::set<std::string> tried;  // since then
  };
  struct Identities {
    std::set<std::int16_t> epochs;
    bool may_come_again = false;  // since lost_power()
  };

  static std::string text(const Place& place, std::int64_t offset);
  void claim(const Place& place, std::int64_t offset, const std::string& value, std::optional<Instant> at);

  std::map<Place, Partition> partitions_;
  std::map<std::int64_t, Identities> producers_;  // by id
  std::map<std::string, Transaction> transactions_;
  std::map<Committed, Offsets> committed_;
  GroupClaims members_{*this};
  std::map<std::string, Setting> settings_;
  std::map<std::string, bool> topics_;  // exists, or does not
  std::string failure_;
  std::uint64_t claims_ = 0;
};

}  // namespace milena::sim
