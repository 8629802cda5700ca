// ProduceFrame: a Produce v9 request for one partition, encoded once and stamped anew for each sending.
//
// What changes lies in the head: correlation id, partition, and the batch's header with sequence and
// checksum. The records behind it are shared by all connections and never change. One producer, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "protocol/error_code.h"

namespace milena::bench {

struct Producer {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
};

class ProduceFrame {
 public:
  struct Settings {
    std::string_view topic;
    std::int16_t acks = 1;
    std::optional<std::string_view> transactional_id = {};
    Producer producer = {};  // with an id the batches carry sequences
  };

  // `batch` is a whole batch without producer id and stays alive with the frame.
  ProduceFrame(const Settings& settings, std::shared_ptr<const std::vector<std::byte>> batch);

  std::size_t head_size() const { return head_.size(); }
  std::size_t size() const { return head_.size() + rest().size() + tail_.size(); }
  std::size_t batch_size() const { return batch_->size(); }
  std::int32_t records() const { return records_; }
  bool has_sequences() const { return producer_.id >= 0; }

  struct Stamp {
    std::int32_t correlation_id = 0;
    std::int32_t partition = 0;
    std::int32_t base_sequence = -1;  // without producer id it stays -1
  };
  // Writes the head of one request; `into` holds head_size() bytes.
  void write_head(const Stamp& stamp, std::byte* into) const;
  // Makes the checksum in `head` right for records that are not those of the frame.
  void seal(std::byte* head, BytesView records) const;

  // What follows the head: the records, and the end of the request.
  BytesView rest() const;
  BytesView tail() const { return tail_; }

  // What the answer to such a request says, without decoding all of it. Any other answer ends the run.
  ErrorCode error_in(BytesView answer) const;

 private:
  std::shared_ptr<const std::vector<std::byte>> batch_;
  std::vector<std::byte> head_;  // up to and with the batch's header
  std::vector<std::byte> tail_;  // behind the batch
  std::size_t batch_at_;         // of the batch in head_
  std::size_t partition_at_;
  std::size_t error_at_;  // in answers
  std::int32_t records_;
  Producer producer_;
};

}  // namespace milena::bench
