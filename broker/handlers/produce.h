// Produce, versions 3-13 (0-2 are advertised and cannot be decoded, as in Kafka 4: see
// docs/COMPATIBILITY.md).
//
// - Each batch is checked outside any lock and appended straight from the request's frame.
// - acks: 0, 1 or -1; anything else is INVALID_REQUIRED_ACKS for every partition. With acks=0 there is no
// answer,
//   and an error closes the connection so that the client notices.
// - From v13 on topics are named by id; an unknown id is UNKNOWN_TOPIC_ID. Topics are never created here.
// - A client may not write to an internal topic: INVALID_TOPIC_EXCEPTION.
// - Duplicates of an idempotent producer succeed with the original offsets.
// - A transactional batch opens a transaction only with the consent of its coordinator (transaction_check.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "broker/handlers/call.h"
#include "broker/partition/partition_finder.h"
#include "protocol/produce.gen.h"
#include "protocol/record_batch_validator.h"

namespace milena::broker {

class ProduceHandler {
 public:
  using PartitionAnswer = protocol::ProduceResponse::TopicProduceResponse::PartitionProduceResponse;

  // A partition whose records are appended and not yet committed; only with acks=-1.
  struct Pending {
    std::shared_ptr<Partition> partition;
    Offset last_offset;
    PartitionAnswer* answer;  // in the request's arena
  };
  struct Outcome {
    protocol::ProduceResponse response;  // complete once nothing is pending
    std::vector<Pending> pending;
    bool failed = false;  // at least one partition
  };

  // What the transaction coordinator has said about a partition of a request, by the place of its data there;
  // nothing for those that need no consent.
  struct Verdict {
    ErrorCode error = ErrorCode::kNone;
    storage::VerificationTicket ticket = 0;
  };
  using Verdicts = std::map<const protocol::ProduceRequest::TopicProduceData::PartitionProduceData*, Verdict>;

  static bool has_transactional_batch(const protocol::ProduceRequest& request);

  explicit ProduceHandler(PartitionFinder& partitions) : partitions_(partitions) {}

  // Appends what the request brings. `request` was decoded from memory that may be written: batches are
  // patched where they lie. `codecs` belongs to the calling thread.
  Outcome append(Call& call, const protocol::ProduceRequest& request, const Verdicts& verdicts,
                 protocol::Codecs& codecs);

 private:
  struct Batch {
    std::shared_ptr<Partition> partition;
    MutableBytes records;
    bool client_may_write_internal = false;
    std::int16_t produce_version = 0;
    std::optional<storage::VerificationTicket> verification;
  };
  Result<Partition::Appended> append_batch(Call& call, const Batch& batch, protocol::Codecs& codecs,
                                           PartitionAnswer& answer);

  PartitionFinder& partitions_;
};

}  // namespace milena::broker
