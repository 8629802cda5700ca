// Fetch, versions 4-18: record batches, waiting up to max_wait_ms for min_bytes.
//
// - Whole batches from the one that holds the asked offset; the first batch found is given even if it is
// larger than
//   every limit (KIP-74). Never past the high watermark, or under read_committed past the last stable offset,
//   with the aborted transactions that overlap.
// - Answers at once when the client does not want to wait, when there is enough, on any error, and on a
// diverging
//   epoch (KIP-595). Otherwise the request parks and costs nothing until something comes.
// - Sessions (KIP-227): epoch 0 asks for one, -1 closes it. An incremental answer holds only what is new.
// - Topics by id from version 13 on: UNKNOWN_TOPIC_ID. A partition in an answer without records has empty
// records,
//   not null: librdkafka insists.
// - NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH name the leader from version 16 on (KIP-951).
// - This node has the only replica of every partition, so a fetch with a replica id of 0 or above comes from
// nobody
//   that is known: NOT_LEADER_OR_FOLLOWER.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "broker/fetch/fetch_sessions.h"
#include "broker/handlers/call.h"
#include "broker/handlers/cluster_view.h"
#include "broker/handlers/per_loop.h"
#include "broker/handlers/spares.h"
#include "broker/metadata/metadata_source.h"
#include "broker/partition/partition_finder.h"
#include "protocol/fetch.gen.h"

namespace milena::broker {

class ParkedFetch;

class FetchHandler {
 public:
  FetchHandler(PartitionFinder& partitions, FetchSessions& sessions, const MetadataSource& metadata,
               BrokerId self, std::int32_t fetch_max_bytes, std::span<Loop* const> loops)
      : partitions_(partitions),
        sessions_(sessions),
        metadata_(metadata),
        self_(self),
        fetch_max_bytes_(fetch_max_bytes),
        spares_(loops) {}

  void handle(Call& call, const protocol::FetchRequest& request, Responder responder);

 private:
  friend class ParkedFetch;

  struct LoopSpares {
    Spares<FetchSet> sets;  // of fetches without a session
    Spares<ParkedFetch> parked;
  };

  // One request from its arrival to its answer.
  struct Round {
    std::shared_ptr<FetchSet> set;
    std::int32_t session_id = FetchSessions::kNoSession;
    bool incremental = false;  // the session was there before
    bool wants_session = false;
    FetchLimits limits;
    std::int64_t min_bytes = 0;
    Instant deadline{};
  };

  Result<Round> begin(const Call& call, const protocol::FetchRequest& request);
  void fill(FetchSet& set, const protocol::FetchRequest& request);
  // Reads; true when the client is to be answered now.
  static bool read(Round& round, Instant now, std::int64_t& bytes_missing);
  void answer(Round& round, Call& call, Responder responder);
  // The partitions of a fetch without a session are used again.
  void recycle(Round& round, LoopSpares& spares);
  // KIP-951: who leads the partitions whose error says that somebody else does.
  static void add_leader_hints(Call& call, const ClusterView& view,
                               std::span<const FetchEntry* const> entries, protocol::FetchResponse& response);
  // The client is gone.
  void abandon(Round& round, LoopSpares& spares);

  PartitionFinder& partitions_;
  FetchSessions& sessions_;
  const MetadataSource& metadata_;
  const BrokerId self_;
  const std::int32_t fetch_max_bytes_;
  PerLoop<LoopSpares> spares_;
};

}  // namespace milena::broker
