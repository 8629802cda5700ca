// GroupOffsets: what one group committed, and what open transactions would commit.
//
// A last-writer-wins register per topic and partition. Owned by its Group. Changed by replay only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "protocol/types.h"

namespace milena::coordinator {

struct CommittedOffset {
  std::int64_t offset = -1;
  std::int64_t commit_timestamp_ms = -1;
  std::int64_t expire_timestamp_ms =
      -1;  // commits of OffsetCommit 2-4 may say when they expire; -1: retention does
  std::int64_t record_offset = -1;  // of the record in the log: the younger record wins
  Uuid topic_id;                    // zero: committed by a client or a broker that knew none
  std::int32_t leader_epoch = -1;
  std::string metadata;

  bool operator==(const CommittedOffset&) const = default;
};

class GroupOffsets {
 public:
  template <class T>
  using ByPartition = std::map<std::int32_t, T>;
  template <class T>
  using ByTopic = std::map<std::string, ByPartition<T>, std::less<>>;
  using Pending = std::map<protocol::ProducerId, CommittedOffset>;

  bool empty() const { return committed_.empty() && pending_.empty(); }
  const CommittedOffset* find(std::string_view topic, std::int32_t partition) const;
  // Does an open transaction hold an offset of this partition?
  bool is_pending(std::string_view topic, std::int32_t partition) const;
  const ByTopic<CommittedOffset>& committed() const { return committed_; }
  const ByTopic<Pending>& pending() const { return pending_; }

  void commit(std::string_view topic, std::int32_t partition, CommittedOffset offset);
  void hold(protocol::ProducerId producer, std::string_view topic, std::int32_t partition,
            CommittedOffset offset);
  // The producer's transaction ended: its offsets count from now on, or are forgotten. One that is older in
  // the log than what is committed already does not replace it.
  void end_transaction(protocol::ProducerId producer, bool commit);
  // A tombstone: forgets the committed offset and what transactions hold.
  void remove(std::string_view topic, std::int32_t partition);

 private:
  ByTopic<CommittedOffset> committed_;
  ByTopic<Pending> pending_;
};

}  // namespace milena::coordinator
