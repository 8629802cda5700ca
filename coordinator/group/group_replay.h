// GroupReplay: the records of __consumer_offsets, applied. The only writer of what they describe.
//
// Part of GroupMachine. Records arrive as the machine just wrote them, or from the log: then compacted, out
// of the order of their keys, written by Kafka of any age, or damaged. The last word on each key counts; what
// cannot be read is skipped and counted; records that contradict each other leave the group as the later one
// says.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "coordinator/group/classic_groups.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/group_store.h"
#include "coordinator/runtime/log_batch.h"

namespace milena::coordinator {

class GroupReplay {
 public:
  GroupReplay(GroupStore& store, ClassicGroups& classic, ConsumerGroups& consumer)
      : store_(store), classic_(classic), consumer_(consumer) {}

  void replay(const LogRecord& record);
  void end_transaction(protocol::ProducerId producer, bool committed);
  std::uint64_t skipped_records() const { return skipped_records_; }

 private:
  struct Applier;
  template <class Key, class Value>
  void replay_as(const LogRecord& record);

  GroupStore& store_;
  ClassicGroups& classic_;
  ConsumerGroups& consumer_;
  Arena arena_;
  std::map<protocol::ProducerId, std::set<std::string>>
      groups_of_producer_;  // with offsets of open transactions
  std::uint64_t skipped_records_ = 0;
};

}  // namespace milena::coordinator
