// ClassicGroup: a group of the classic protocol whose members all live here, a connection for each.
//
// Blocks. An answer with an error ends the run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/options.h"
#include "bench/load/wire_client.h"

namespace milena::bench {

class ClassicGroup {
 public:
  // Members join, and the group is stable once.
  ClassicGroup(const Options& options, std::string group);

  // All join again. Nanoseconds from the last JoinGroup until the last SyncGroup is answered.
  std::int64_t rebalance();

 private:
  struct Member {
    std::unique_ptr<WireClient> client;
    std::string id;
  };

  void send_join(Member& member);
  // Takes the answers of all members: ids, leader, generation.
  void take_joins();
  void sync();

  std::string group_;
  std::vector<std::byte> subscription_;
  std::vector<Member> members_;
  std::size_t leader_ = 0;
  std::int32_t generation_ = -1;
};

}  // namespace milena::bench
