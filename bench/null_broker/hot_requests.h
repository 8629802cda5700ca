// HotRequests: Produce v9 and Fetch v12 as cheaply as they can be served. This is the floor that the
// measurements compare with.
//
// One thread. The frames come from our own generator: one that is cut off is refused, but nothing of it is
// validated beyond the checksums of batches. Steady work allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "bench/null_broker/answer_queue.h"
#include "bench/null_broker/topics.h"
#include "protocol/error_code.h"

namespace milena::bench {

// From here on a range of a file is sent with sendfile; below it copying is cheaper.
inline constexpr std::size_t kSendfileFrom = 64 * 1024;

class HotRequests {
 public:
  explicit HotRequests(Topics& topics) : topics_(topics) {}

  // `frame` is a whole request without its size; the batches in it are patched. False: malformed.
  bool produce(MutableBytes frame, AnswerQueue& answers);

  enum class Fetched {
    kAnswered,
    kNothingThere,  // unless it may be empty: ask again after an append, or when wait_ms are over
    kMalformed,
  };
  struct FetchOutcome {
    Fetched what;
    std::int32_t wait_ms = 0;
  };
  FetchOutcome fetch(MutableBytes frame, AnswerQueue& answers, bool may_be_empty);

 private:
  struct Topic {
    std::string_view name;
    std::uint32_t partitions;
  };
  struct Partition {
    std::int32_t index;
    ErrorCode error;
    std::int64_t offset;  // Produce: of the first record; Fetch: after the last
    PartitionFile::Range range;
  };

  Partition append(std::string_view topic, std::int32_t partition, MutableBytes batch);
  Partition look_up(std::string_view topic, std::int32_t partition, std::int64_t offset,
                    std::size_t max_bytes);
  void answer_produce(std::int32_t correlation_id, AnswerQueue& answers) const;
  void answer_fetch(std::int32_t correlation_id, AnswerQueue& answers) const;

  Topics& topics_;
  // Of the request at hand.
  std::vector<Topic> asked_topics_;
  std::vector<Partition> asked_;
};

}  // namespace milena::bench
