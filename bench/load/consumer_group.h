// ConsumerGroup: a group of the consumer protocol (KIP-848) whose members all live here, a connection for
// each.
//
// Blocks. An answer with an error ends the run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "bench/load/options.h"
#include "bench/load/wire_client.h"
#include "protocol/types.h"

namespace milena::bench {

class ConsumerGroup {
 public:
  explicit ConsumerGroup(const Options& options);

  // All join `group`, which is empty, and send heartbeats back to back until each has its one partition at
  // the group's epoch. Nanoseconds from the last first heartbeat.
  std::int64_t form(const std::string& group);
  // All leave.
  void leave();

 private:
  struct Member {
    std::unique_ptr<WireClient> client;
    std::string id;
    std::int32_t epoch = 0;
    Uuid topic_id;
    std::vector<protocol::PartitionId> owned;
  };

  void send_heartbeat(Member& member);
  void take_heartbeat(Member& member);
  bool is_settled() const;

  std::string topic_;
  std::string group_;
  std::vector<Member> members_;
};

}  // namespace milena::bench
