// Requests of the simulator's clients, and what their answers say.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "protocol/create_topics.gen.h"
#include "protocol/fetch.gen.h"
#include "protocol/list_offsets.gen.h"
#include "protocol/offset_commit.gen.h"
#include "protocol/offset_fetch.gen.h"
#include "protocol/produce.gen.h"
#include "protocol/record_batch_builder.h"
#include "protocol/types.h"
#include "sim/history.h"

namespace milena::sim {

inline constexpr int kProduceVersion = 9, kFetchVersion = 12, kCommitVersion = 8, kOffsetFetchVersion = 7,
                     kCreateVersion = 7, kListVersion = 6;

// One batch for one partition, acknowledged by all replicas. Everything lives in the arena.
protocol::ProduceRequest produce(Arena& arena, std::string_view topic, std::int32_t partition,
                                 std::span<const std::string> values, std::int64_t now_ms,
                                 const ProducerIdentity& producer = {},
                                 std::int32_t sequence = protocol::kNoSequence,
                                 std::optional<std::string_view> transactional_id = {});

protocol::FetchRequest fetch(Arena& arena, std::string_view topic, std::int32_t partition,
                             std::int64_t offset, std::int32_t max_wait_ms, bool committed_only);

// Where a partition starts.
protocol::ListOffsetsRequest earliest(Arena& arena, std::string_view topic, std::int32_t partition);

protocol::OffsetCommitRequest commit(Arena& arena, std::string_view group, std::string_view topic,
                                     std::int32_t partition, std::int64_t offset);
protocol::OffsetFetchRequest committed(Arena& arena, std::string_view group, std::string_view topic,
                                       std::int32_t partition);

protocol::CreateTopicsRequest create_topic(Arena& arena, std::string_view topic, std::int32_t partitions);

struct FetchedRecord {
  std::int64_t offset = 0;
  std::string value;
};
struct FetchedRecords {
  std::vector<FetchedRecord> records;  // those of clients
  std::int64_t next_offset = 0;        // behind everything, markers included
  bool is_damaged = false;             // a checksum is wrong, or offsets go back
};
// What a consumer makes of a partition's answer to a fetch from `offset`. Records of transactions that the
// answer names as aborted are left out.
FetchedRecords records_of(const protocol::FetchResponse::FetchableTopicResponse::PartitionData& answer,
                          std::int64_t offset);

}  // namespace milena::sim
