// Transactor: a transactional producer and the transaction that it is in.
//
// It reports what it does, and what it is told, to the history of its world. When a step fails it does not
// know where it is, and has to take its transactional id over again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/client.h"
#include "sim/co.h"
#include "sim/history.h"
#include "sim/world.h"

namespace milena::sim {

class Transactor {
 public:
  // What a transaction writes to "payments", a batch per entry, and commits for a group of the same name.
  struct Plan {
    std::vector<std::int32_t> partitions{};
    std::optional<std::int64_t> offset{};
    bool commits = true;
  };

  // By the rules of transaction version 2 (KIP-890) the broker adds partitions and groups to the transaction
  // itself, and each end gives a new epoch; by those of version 1 clients add them, and keep their epoch.
  enum class Rules : std::uint8_t { kVersion1, kVersion2 };

  Transactor(World& world, std::string name, Rules rules)
      : world_(world), name_(std::move(name)), is_version_2_(rules == Rules::kVersion2) {}

  Client& client() { return client_; }
  // Takes the transactional id over: what was under way is aborted, unless its end was asked for.
  Co<bool> take_over();
  // One transaction, of a name that is used once.
  Co<bool> run(std::string transaction, Plan plan);

 private:
  void give_up_if_stuck();
  void be(ProducerIdentity identity);
  bool is_well(ErrorCode code);
  Co<bool> add(std::int32_t partition);
  Co<bool> add_group();
  Co<bool> write(const std::string& transaction, std::int32_t partition, int n);
  Co<bool> commit_offset(std::int64_t offset);
  Co<bool> end(bool commits);

  World& world_;
  const std::string name_;
  const bool is_version_2_;
  Client client_{world_.network(), name_};
  std::string id_ = name_;
  ProducerIdentity identity_{};
  bool is_identity_new_ = true;          // if not, an acknowledgement may be that of a predecessor's record
  std::optional<Instant> busy_since_{};  // CONCURRENT_TRANSACTIONS since then
  std::map<std::int32_t, std::int32_t> sequences_{};
  std::string unfinished_;  // the transaction whose end was not asked for
};

}  // namespace milena::sim
