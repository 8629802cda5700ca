#include "bench/load/produce_frame.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/arena.h"
#include "base/crc32c.h"
#include "bench/load/fail.h"
#include "bench/load/wire_client.h"
#include "protocol/frame.h"
#include "protocol/produce.gen.h"
#include "protocol/record_batch.h"
#include "protocol/varint.h"

namespace milena::bench {

using protocol::BatchLayout;
using protocol::kBatchHeaderBytes;

namespace {

constexpr int kVersion = 9;
constexpr std::int32_t kTimeoutMs = 30'000;
// The header of every request: size, API key and version come first.
constexpr std::size_t kCorrelationIdAt = 4 + 2 + 2;
// In answers: correlation id, no tags.
constexpr std::size_t kTopicCountAt = 4 + 1;
constexpr std::byte kOneElement{2};

}  // namespace

ProduceFrame::ProduceFrame(const Settings& settings, std::shared_ptr<const std::vector<std::byte>> batch)
    : batch_(std::move(batch)),
      // The number of topics, a name, the number of partitions and an index lie before it.
      error_at_(kTopicCountAt + 1 +
                protocol::unsigned_varint_size(static_cast<std::uint32_t>(settings.topic.size()) + 1) +
                settings.topic.size() + 1 + 4),
      records_(load_be<std::int32_t>(batch_->data() + BatchLayout::kRecordCount)),
      producer_(settings.producer) {
  using Topic = protocol::ProduceRequest::TopicProduceData;
  Arena arena;
  std::array<Topic::PartitionProduceData, 1> partitions{};
  partitions[0].records = protocol::RecordsRef{.bytes = *batch_};
  std::array<Topic, 1> topics{};
  topics[0].name = settings.topic;
  topics[0].partition_data = partitions;
  protocol::ProduceRequest request;
  request.transactional_id = settings.transactional_id;
  request.acks = settings.acks;
  request.timeout_ms = kTimeoutMs;
  request.topic_data = topics;
  const protocol::Encoded encoded = protocol::encode_request(request, kVersion, 0, kClientId, arena);

  batch_at_ = encoded.splices[0].at;
  const auto length = static_cast<std::uint32_t>(batch_->size()) + 1;
  partition_at_ = batch_at_ - protocol::unsigned_varint_size(length) - sizeof(std::int32_t);
  const BytesView around = encoded.head();
  head_.assign(around.begin(), around.begin() + static_cast<std::ptrdiff_t>(batch_at_));
  tail_.assign(around.begin() + static_cast<std::ptrdiff_t>(batch_at_), around.end());
  head_.insert(head_.end(), batch_->begin(), batch_->begin() + kBatchHeaderBytes);
  if (settings.transactional_id) {
    std::byte* attributes = head_.data() + batch_at_ + BatchLayout::kAttributes;
    store_be(attributes, static_cast<std::uint16_t>(load_be<std::uint16_t>(attributes) |
                                                    protocol::BatchAttributes::kTransactional));
  }
}

void ProduceFrame::write_head(const Stamp& stamp, std::byte* into) const {
  std::memcpy(into, head_.data(), head_.size());
  store_be(into + kCorrelationIdAt, stamp.correlation_id);
  store_be(into + partition_at_, stamp.partition);
  if (!has_sequences()) return;
  std::byte* batch = into + batch_at_;
  store_be(batch + BatchLayout::kProducerId, producer_.id);
  store_be(batch + BatchLayout::kProducerEpoch, producer_.epoch);
  store_be(batch + BatchLayout::kBaseSequence, stamp.base_sequence);
  seal(into, rest());
}

void ProduceFrame::seal(std::byte* head, BytesView records) const {
  std::byte* batch = head + batch_at_;
  const std::uint32_t of_header = crc32c({batch + BatchLayout::kAttributes, batch + kBatchHeaderBytes});
  store_be(batch + BatchLayout::kCrc, crc32c(records, of_header));
}

ErrorCode ProduceFrame::error_in(BytesView answer) const {
  if (answer.size() < error_at_ + sizeof(std::int16_t) || answer[kTopicCountAt] != kOneElement ||
      answer[error_at_ - sizeof(std::int32_t) - 1] != kOneElement) {
    fail_run("Produce: an answer for something else than one partition");
  }
  return static_cast<ErrorCode>(load_be<std::int16_t>(answer.data() + error_at_));
}

BytesView ProduceFrame::rest() const { return BytesView(*batch_).subspan(kBatchHeaderBytes); }

}  // namespace milena::bench
