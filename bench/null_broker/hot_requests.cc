#include "bench/null_broker/hot_requests.h"

#include <unistd.h>

#include <algorithm>

#include "base/crc32c.h"
#include "bench/null_broker/cursor.h"
#include "bench/null_broker/stop.h"
#include "protocol/record_batch.h"

namespace milena::bench {

using protocol::BatchLayout;

namespace {

// API key and version; both requests have a flexible header.
std::int32_t read_header(Cursor& in) {
  in.take(4);
  const auto correlation_id = in.integer<std::int32_t>();
  const auto client_id = in.integer<std::int16_t>();
  if (client_id > 0) in.take(static_cast<std::size_t>(client_id));
  in.skip_tags();
  return correlation_id;
}

std::size_t text_size(std::string_view text) {
  return protocol::unsigned_varint_size(static_cast<std::uint32_t>(text.size()) + 1) + text.size();
}

std::uint32_t array_length(std::size_t count) { return static_cast<std::uint32_t>(count) + 1; }

}  // namespace

bool HotRequests::produce(MutableBytes frame, AnswerQueue& answers) {
  Cursor in(frame);
  const std::int32_t correlation_id = read_header(in);
  in.compact_text();  // transactional id
  const auto acks = in.integer<std::int16_t>();
  in.take(4);  // timeout
  asked_topics_.clear();
  asked_.clear();
  for (std::uint32_t topics = in.count(); topics > 0 && !in.broken(); --topics) {
    const std::string_view name = in.compact_text();
    const std::uint32_t partitions = in.count();
    asked_topics_.push_back({name, partitions});
    for (std::uint32_t left = partitions; left > 0 && !in.broken(); --left) {
      const auto index = in.integer<std::int32_t>();
      const MutableBytes batch = in.compact_bytes();
      in.skip_tags();
      if (!in.broken()) asked_.push_back(append(name, index, batch));
    }
    in.skip_tags();
  }
  if (in.broken()) return false;
  if (acks != 0) answer_produce(correlation_id, answers);
  return true;
}

HotRequests::Partition HotRequests::append(std::string_view topic, std::int32_t partition,
                                           MutableBytes batch) {
  PartitionFile* file = topics_.find(topic, partition);
  if (file == nullptr) return {partition, ErrorCode::kUnknownTopicOrPartition, -1, {}};
  if (batch.size() < protocol::kBatchHeaderBytes ||
      crc32c(batch.subspan(BatchLayout::kAttributes)) !=
          load_be<std::uint32_t>(batch.data() + BatchLayout::kCrc)) {
    return {partition, ErrorCode::kCorruptMessage, -1, {}};
  }
  return {partition, ErrorCode::kNone, file->append(batch), {}};
}

void HotRequests::answer_produce(std::int32_t correlation_id, AnswerQueue& answers) const {
  constexpr std::size_t kPartitionBytes = 4 + 2 + 8 + 8 + 8 + 1 + 1 + 1;
  const std::uint32_t topics = array_length(asked_topics_.size());
  std::size_t size = 4 + 1 + protocol::unsigned_varint_size(topics) + 4 + 1;
  for (const Topic& topic : asked_topics_) {
    size += text_size(topic.name) + protocol::unsigned_varint_size(array_length(topic.partitions)) +
            topic.partitions * kPartitionBytes + 1;
  }
  Pen pen(answers.extend(4 + size).data());
  pen.integer(static_cast<std::int32_t>(size)).integer(correlation_id).no_tags().varint(topics);
  auto partition = asked_.begin();
  for (const Topic& topic : asked_topics_) {
    pen.compact_text(topic.name).varint(array_length(topic.partitions));
    for (std::uint32_t left = topic.partitions; left > 0; --left, ++partition) {
      pen.integer(partition->index).integer(static_cast<std::int16_t>(partition->error));
      pen.integer(partition->offset).integer(std::int64_t{-1}).integer(std::int64_t{0});
      pen.varint(1).varint(0).no_tags();  // no record errors, no message
    }
    pen.no_tags();
  }
  pen.integer(std::int32_t{0}).no_tags();  // throttle time
}

HotRequests::FetchOutcome HotRequests::fetch(MutableBytes frame, AnswerQueue& answers, bool may_be_empty) {
  Cursor in(frame);
  const std::int32_t correlation_id = read_header(in);
  in.take(4);  // replica
  const auto wait_ms = in.integer<std::int32_t>();
  in.take(4);  // min bytes: one is enough
  auto bytes_left = static_cast<std::size_t>(std::max(0, in.integer<std::int32_t>()));
  in.take(1 + 4 + 4);  // isolation level, session
  asked_topics_.clear();
  asked_.clear();
  bool anything = wait_ms <= 0 || may_be_empty;
  for (std::uint32_t topics = in.count(); topics > 0 && !in.broken(); --topics) {
    const std::string_view name = in.compact_text();
    const std::uint32_t partitions = in.count();
    asked_topics_.push_back({name, partitions});
    for (std::uint32_t left = partitions; left > 0 && !in.broken(); --left) {
      const auto index = in.integer<std::int32_t>();
      in.take(4);  // leader epoch
      const auto offset = in.integer<std::int64_t>();
      in.take(4 + 8);  // last epoch, log start
      const auto max_bytes = static_cast<std::size_t>(std::max(0, in.integer<std::int32_t>()));
      in.skip_tags();
      const Partition& found =
          asked_.emplace_back(look_up(name, index, offset, std::min(bytes_left, max_bytes)));
      bytes_left -= std::min(bytes_left, found.range.size);
      anything = anything || found.range.size > 0 || found.error != ErrorCode::kNone;
    }
    in.skip_tags();
  }
  if (in.broken()) return {Fetched::kMalformed};
  if (!anything) return {Fetched::kNothingThere, wait_ms};
  answer_fetch(correlation_id, answers);
  return {Fetched::kAnswered};
}

HotRequests::Partition HotRequests::look_up(std::string_view topic, std::int32_t partition,
                                            std::int64_t offset, std::size_t max_bytes) {
  const PartitionFile* file = topics_.find(topic, partition);
  if (file == nullptr) return {partition, ErrorCode::kUnknownTopicOrPartition, -1, {}};
  if (offset < 0 || offset > file->end_offset()) return {partition, ErrorCode::kOffsetOutOfRange, -1, {}};
  if (max_bytes == 0) return {partition, ErrorCode::kNone, file->end_offset(), {}};
  return {partition, ErrorCode::kNone, file->end_offset(), file->find(offset, max_bytes)};
}

void HotRequests::answer_fetch(std::int32_t correlation_id, AnswerQueue& answers) const {
  constexpr std::size_t kPartitionBytes = 4 + 2 + 8 + 8 + 8 + 1 + 4;  // up to the records
  const std::uint32_t topics = array_length(asked_topics_.size());
  const std::size_t head = 4 + 1 + 4 + 2 + 4 + protocol::unsigned_varint_size(topics);
  std::size_t size = head + 1;
  for (const Topic& topic : asked_topics_) {
    size += text_size(topic.name) + protocol::unsigned_varint_size(array_length(topic.partitions)) + 1;
  }
  for (const Partition& partition : asked_) {
    size += kPartitionBytes + protocol::unsigned_varint_size(array_length(partition.range.size)) +
            partition.range.size + 1;
  }
  Pen(answers.extend(4 + head).data())
      .integer(static_cast<std::int32_t>(size))
      .integer(correlation_id)
      .no_tags()
      .integer(std::int32_t{0})  // throttle time
      .integer(std::int16_t{0})  // error
      .integer(std::int32_t{0})  // no session
      .varint(topics);
  auto partition = asked_.begin();
  for (const Topic& topic : asked_topics_) {
    const std::uint32_t partitions = array_length(topic.partitions);
    Pen(answers.extend(text_size(topic.name) + protocol::unsigned_varint_size(partitions)).data())
        .compact_text(topic.name)
        .varint(partitions);
    for (std::uint32_t left = topic.partitions; left > 0; --left, ++partition) {
      const PartitionFile::Range& range = partition->range;
      const std::uint32_t records = array_length(range.size);
      Pen(answers.extend(kPartitionBytes + protocol::unsigned_varint_size(records)).data())
          .integer(partition->index)
          .integer(static_cast<std::int16_t>(partition->error))
          .integer(partition->offset)  // high watermark
          .integer(partition->offset)  // last stable offset
          .integer(std::int64_t{0})    // log start
          .varint(0)                   // aborted transactions: null
          .integer(std::int32_t{-1})   // no better replica
          .varint(records);
      if (range.size >= kSendfileFrom) {
        answers.append_file(range.file, range.position, range.size);
      } else if (range.size > 0) {
        const MutableBytes into = answers.extend(range.size);
        const ssize_t read =
            ::pread(range.file, into.data(), into.size(), static_cast<off_t>(range.position));
        if (read != static_cast<ssize_t>(into.size())) stop_with_errno("read a partition");
      }
      Pen(answers.extend(1).data()).no_tags();
    }
    Pen(answers.extend(1).data()).no_tags();
  }
  Pen(answers.extend(1).data()).no_tags();
}

}  // namespace milena::bench
