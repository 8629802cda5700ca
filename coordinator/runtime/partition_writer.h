// PartitionWriter: the one door from a coordinator shard to its internal log. Implemented by the broker, over
// the partition that the shard stands for; called under the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/types.h"

namespace milena::coordinator {

class PartitionWriter {
 public:
  struct Appended {
    protocol::Offset first{};           // offset of the batch's first record
    protocol::Offset high_watermark{};  // after the append; with one replica it may already cover the batch
  };

  virtual ~PartitionWriter() = default;

  // Appends one record batch whole or not at all. Base offset and leader epoch are for the writer to fill in.
  // Errors are a partition's: kNotLeaderOrFollower, kNotEnoughReplicas, kKafkaStorageError, kMessageTooLarge,
  // ...
  // `consent`: see TransactionalProducer; kInvalidTxnState when it is void.
  virtual Result<Appended> append(MutableBytes batch, std::optional<std::uint64_t> consent) = 0;

  // The largest batch that append() takes: max.message.bytes of the internal topic.
  virtual std::size_t max_batch_bytes() const = 0;
};

}  // namespace milena::coordinator
