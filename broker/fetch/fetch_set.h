// FetchSet: the partitions that one fetch request, or one incremental fetch session (KIP-227), wants to read.
//
// Used by one request at a time (FetchSessions sees to that), on that request's event loop. Only
// FetchEntry::changed() runs elsewhere: under the mutex of the partition that changed, touching atomics only.
//
// A round of evaluate() costs O(ready entries), not O(entries). Ready are: new and updated entries, entries
// with something left to read or an error, and entries whose partition has changed since. Between rounds a
// request parks: arm() says how many bytes it waits for, and the change that brings the last of them wakes
// it.
//
// A topic id is resolved once: from then on the entry stands for the topic that the id named. When that topic
// is deleted its partitions are unknown (UNKNOWN_TOPIC_OR_PARTITION, not UNKNOWN_TOPIC_ID), and a new topic
// of its name is another one (INCONSISTENT_TOPIC_ID).
//
// A set is used again after reset(), and keeps its memory: a steady stream of fetches without a session
// allocates nothing.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "broker/partition/partition.h"
#include "broker/partition/partition_finder.h"
#include "broker/partition/watch.h"
#include "protocol/error_code.h"

namespace milena::broker {

// How a request names a topic: by id from version 13 on, by name before.
struct FetchTopic {
  Uuid id;                // zero when named
  std::string_view name;  // empty when identified
  bool operator==(const FetchTopic&) const = default;
};

// What the client asks of one partition.
struct FetchAsk {
  Offset fetch_offset;
  LeaderEpoch current_leader_epoch = protocol::kNoLeaderEpoch;
  LeaderEpoch last_fetched_epoch = protocol::kNoLeaderEpoch;
  std::int32_t max_bytes = 0;
};

struct FetchLimits {
  std::int32_t max_bytes =
      0;  // of the whole answer; the first batch found is given whole all the same (KIP-74)
  bool read_committed = false;
  bool to_log_end = false;  // beyond the high watermark: replica id -2, for debugging
  bool stranger = false;    // claims to be a replica, and is none of ours
};

class FetchSet;

class FetchEntry final : public PartitionWatch {
 public:
  explicit FetchEntry(FetchSet& set) : set_(set) {}

  // Valid as long as the entry is in its set.
  FetchTopic topic() const { return {topic_->id, topic_->name}; }
  PartitionId partition() const { return partition_; }
  // Of the last round. The answer is meaningless when there is an error.
  ErrorCode error() const { return error_; }
  const Partition::FetchAnswer& answer() const { return answer_; }
  const std::shared_ptr<Partition>& replica() const { return replica_; }

  void changed(const PartitionChange& change, WakeList& wakes) override;

 private:
  friend class FetchSet;

  // Shared by the entries of one topic.
  struct Topic {
    Uuid id;
    std::string name;
    std::shared_ptr<const TopicIdentity> known;  // what the id stood for when it was first known here
    std::size_t entries = 0;
  };

  FetchSet& set_;
  Topic* topic_ = nullptr;
  PartitionId partition_;
  FetchAsk ask_;
  std::shared_ptr<Partition> replica_;  // null: unknown here, looked up again each round
  bool attached_ = false;

  ErrorCode error_ = ErrorCode::kNone;
  Partition::FetchAnswer answer_;
  Offset told_high_watermark_ = protocol::kNoOffset;
  Offset told_log_start_ = protocol::kNoOffset;

  bool ready_ = false;                   // in FetchSet::ready_
  bool in_round_ = false;                // in FetchSet::round_
  std::atomic<bool> signalled_ = false;  // on the signal stack
  FetchEntry* next_signalled_ = nullptr;
};

class FetchSet {
 public:
  FetchSet(PartitionFinder& finder, bool by_id) : finder_(finder), by_id_(by_id) {}
  ~FetchSet();
  FetchSet(const FetchSet&) = delete;
  FetchSet& operator=(const FetchSet&) = delete;

  bool by_id() const { return by_id_; }
  std::size_t size() const { return order_.size(); }

  // Forgets every partition, lets go of all, and begins anew. Nobody may be waiting for the set.
  void reset(bool by_id);
  // How many partitions it has memory for.
  std::size_t capacity() const { return order_.capacity(); }

  // Adds a partition, or updates what is asked of one that is there.
  void put(const FetchTopic& topic, PartitionId partition, const FetchAsk& ask);
  void forget(const FetchTopic& topic, PartitionId partition);

  struct Outcome {
    std::uint64_t bytes = 0;  // of records found
    bool answer_now = false;  // an error or a diverging epoch: the client must hear of it at once
  };
  // Reads the ready entries, those longest ready first, within the limits. A request that was woken calls it
  // again; what the earlier round found is found anew.
  Outcome evaluate(const FetchLimits& limits);

  // Parks: from now on every entry hangs on its partition, and `sleeper` is woken once when `bytes_needed`
  // more bytes have become readable or a partition is closed. False, and nothing armed, when something has
  // changed since evaluate(): evaluate again.
  bool arm(std::uint64_t bytes_needed, const std::shared_ptr<Wakeable>& sleeper);
  // True: the sleeper will not be woken any more. False: it is being woken, or was never armed.
  bool disarm();

  // Hangs every entry on its partition for good: the set goes on to the next request of a session. False when
  // something has changed since evaluate(); what changed is ready for the next round.
  bool watch_all();

  // At least as many entries as answer() will visit.
  std::size_t answer_bound(bool incremental) const { return incremental ? round_.size() : order_.size(); }
  // Visits what belongs into the answer: all entries, or, for an incremental answer, those with records, an
  // error, a diverging epoch, or a high watermark or log start that the client has not been told. Then
  // remembers what the client was told and ends the rounds of this request.
  template <class Visit>
  void answer(bool incremental, Visit&& visit) {
    if (incremental) {
      for (FetchEntry* entry : round_) {
        if (news_for_client(*entry)) visit(*entry);
      }
    } else {
      for (const auto& entry : order_) visit(*entry);
    }
    for (FetchEntry* entry : round_) remember_told(*entry);
    end_rounds();
  }
  // Ends the rounds of a request whose client is gone.
  void abandon() { end_rounds(); }

 private:
  friend class FetchEntry;

  using Topic = FetchEntry::Topic;

  struct Key {
    FetchTopic topic;
    PartitionId partition;
    bool operator==(const Key&) const = default;
  };
  static Key key_of(const Key& key) { return key; }
  static Key key_of(const FetchEntry* entry) { return {entry->topic(), entry->partition()}; }
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(const auto& what) const { return hash(key_of(what)); }
    static std::size_t hash(const Key& key);
  };
  struct SameKey {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return key_of(a) == key_of(b); }
  };

  FetchEntry& add(const FetchTopic& topic, PartitionId partition);
  Topic& topic_for(const FetchTopic& topic);
  void leave(Topic& topic);
  void read(FetchEntry& entry, const FetchLimits& limits, std::int64_t& bytes_left, bool& found_any);
  // Which error it is that an entry's partition is not here.
  ErrorCode error_when_missing(const FetchEntry& entry);
  void make_ready(FetchEntry& entry);
  void take_signals();
  void attach(FetchEntry& entry);
  void detach(FetchEntry& entry);
  static bool news_for_client(const FetchEntry& entry);
  static void remember_told(FetchEntry& entry);
  static bool has_more(const FetchEntry& entry, const FetchLimits& limits);
  void end_rounds();

  PartitionFinder& finder_;
  bool by_id_;
  std::vector<std::unique_ptr<FetchEntry>> order_;  // as the client listed them
  boost::unordered_flat_set<FetchEntry*, KeyHash, SameKey> index_;
  std::vector<std::unique_ptr<Topic>> topics_;
  std::vector<std::unique_ptr<FetchEntry>> spare_entries_;  // for use after a reset()
  std::vector<std::unique_ptr<Topic>> spare_topics_;
  std::vector<FetchEntry*> ready_;
  std::vector<FetchEntry*> round_;  // evaluated for the current request
  bool watching_ = false;

  // Touched by changed(), from any thread.
  std::atomic<FetchEntry*> signals_ = nullptr;
  std::atomic<std::int64_t> bytes_needed_ = 0;
  std::atomic<bool> armed_ = false;
  std::shared_ptr<Wakeable> sleeper_;  // written only while not armed
};

}  // namespace milena::broker
