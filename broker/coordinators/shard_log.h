// ShardLog: a partition as a coordinator shard sees it: the log that it appends to, and a watch for when its
// records are committed.
//
// Owned by a ShardHost and used under its mutex; changed() runs under the partition's.
// Always:  owner's woken() is called once after each ask_for_visit() or awaited high watermark, and not again
//          before visited().
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "broker/partition/partition.h"
#include "broker/partition/watch.h"
#include "coordinator/runtime/partition_writer.h"

namespace milena::broker {

class ShardLog final : public coordinator::PartitionWriter, public PartitionWatch {
 public:
  explicit ShardLog(const Clock& clock) : clock_(clock) {}
  ~ShardLog() override { close(); }

  // `owner` is woken when the high watermark reaches what is awaited.
  void open(std::shared_ptr<Partition> partition, std::weak_ptr<Wakeable> owner);
  void close();
  const std::shared_ptr<Partition>& partition() const { return partition_; }

  // Whether the log has records at or above `from`.
  bool has_more(Offset from) const;
  Offset high_watermark() const { return high_watermark_.load(); }

  Result<Appended> append(MutableBytes batch, std::optional<std::uint64_t> consent) override;
  std::size_t max_batch_bytes() const override;

  // From now on the owner is woken when the high watermark gets to `offset`; none: it need not be. True if it
  // is there already.
  bool await(std::optional<Offset> offset);
  // True if the caller shall see to it that visited() is called soon: nobody else has been asked.
  bool ask_for_visit() { return !visit_due_.exchange(true); }
  void visited() { visit_due_.store(false); }

  void changed(const PartitionChange& change, WakeList& wakes) override;

 private:
  static constexpr Offset kNothing = std::numeric_limits<Offset::Rep>::max();

  const Clock& clock_;
  std::shared_ptr<Partition> partition_;
  std::weak_ptr<Wakeable> owner_;
  // Each side writes its own and then looks at the other's, so that one of them notices.
  std::atomic<Offset> high_watermark_{Offset{0}};
  std::atomic<Offset> awaited_{kNothing};
  std::atomic<bool> visit_due_{false};
};

// Reads the next stretch of the log, from `from` or the log's start on, into `into`: whole batches, of about
// max_bytes, the last of which may be cut. False: there is no more. Blocks.
Result<bool> read_log(Partition& partition, Offset from, std::size_t max_bytes, std::vector<std::byte>& into);

}  // namespace milena::broker
