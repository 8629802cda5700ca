#include "bench/load/produce_connection.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "base/arena.h"
#include "bench/load/fail.h"
#include "bench/load/wire_client.h"
#include "protocol/frame.h"
#include "protocol/metadata.gen.h"
#include "protocol/produce.gen.h"
#include "protocol/record_batch.h"
#include "protocol/varint.h"

namespace milena::bench {
namespace {

constexpr std::size_t kPieces = 3;  // head, records, tail
constexpr std::size_t kMostPieces = 64 * kPieces;

// Of the error code in an answer for one partition of one topic: correlation id, no tags, one topic, its
// name, one partition, its index.
std::size_t error_position(std::string_view topic) {
  return 4 + 1 + 1 + protocol::unsigned_varint_size(static_cast<std::uint32_t>(topic.size()) + 1) +
         topic.size() + 1 + 4;
}

}  // namespace

ProduceConnection::ProduceConnection(const Address& broker, ProduceFrame frame,
                                     const ProduceFrame::Settings& settings, int in_flight, int partitions,
                                     int first_partition)
    : socket_(connect_to(broker)),
      frame_(std::move(frame)),
      answers_(settings.acks != 0),
      error_at_(error_position(settings.topic)),
      slots_(static_cast<std::size_t>(in_flight)),
      next_sequence_(static_cast<std::size_t>(partitions)),
      next_partition_(static_cast<std::size_t>(first_partition)) {
  for (Slot& slot : slots_) slot.head.resize(frame_.head_size());
}

ProduceConnection::~ProduceConnection() { ::close(socket_); }

void ProduceConnection::put(std::int64_t due_ns) {
  Slot& free = slot(put_);
  free.due_ns = due_ns;
  free.correlation_id = static_cast<std::int32_t>(put_ & 0x7fffffff);
  std::int32_t& sequence = next_sequence_[next_partition_];
  frame_.write_head({.correlation_id = free.correlation_id,
                     .partition = static_cast<std::int32_t>(next_partition_),
                     .base_sequence = sequence},
                    free.head.data());
  sequence = protocol::increment_sequence(sequence, frame_.records());
  if (++next_partition_ == next_sequence_.size()) next_partition_ = 0;
  ++put_;
}

void ProduceConnection::send() {
  while (sent_ < put_) {
    std::array<iovec, kMostPieces> pieces;
    std::size_t count = 0;
    const auto add = [&](BytesView bytes) {
      pieces[count++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    };
    for (std::uint64_t request = sent_; request < put_ && count < kMostPieces; ++request) {
      add(slot(request).head);
      add(frame_.rest());
      add(frame_.tail());
    }
    std::size_t first = 0;
    for (std::size_t skip = partly_sent_; skip > 0;) {
      const std::size_t part = std::min(skip, pieces[first].iov_len);
      pieces[first].iov_base = static_cast<std::byte*>(pieces[first].iov_base) + part;
      pieces[first].iov_len -= part;
      skip -= part;
      if (pieces[first].iov_len == 0) ++first;
    }
    msghdr message{};
    message.msg_iov = &pieces[first];
    message.msg_iovlen = count - first;
    const ssize_t taken = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (taken < 0) {
      if (errno == EAGAIN) return;
      fail_run_with_errno("send");
    }
    partly_sent_ += static_cast<std::size_t>(taken);
    sent_ += partly_sent_ / frame_.size();
    partly_sent_ %= frame_.size();
  }
}

std::optional<ProduceConnection::Done> ProduceConnection::next_done() {
  if (over_ == put_) return std::nullopt;
  const Slot& first = slot(over_);
  if (!answers_) {
    if (over_ == sent_) return std::nullopt;
    ++over_;
    return Done{first.due_ns, ErrorCode::kNone};
  }
  const std::optional<BytesView> answer = reader_.next();
  if (!answer) return std::nullopt;
  ++over_;
  return Done{first.due_ns, error_in(*answer, first.correlation_id)};
}

ErrorCode ProduceConnection::error_in(BytesView answer, std::int32_t correlation_id) const {
  constexpr std::byte kOneElement{2};
  constexpr std::size_t kTopicsAt = 4 + 1;
  if (answer.size() < error_at_ + 2 || load_be<std::int32_t>(answer.data()) != correlation_id ||
      answer[kTopicsAt] != kOneElement || answer[error_at_ - 4 - 1] != kOneElement) {
    fail_run("Produce: not the answer to what was asked");
  }
  return static_cast<ErrorCode>(load_be<std::int16_t>(answer.data() + error_at_));
}

void ProduceConnection::await_served() {
  // Requests of a connection are served in order, so this one's answer says that all before it were.
  Arena arena;
  protocol::MetadataRequest request;
  request.topics = std::span<protocol::MetadataRequest::MetadataRequestTopic>();
  send_all(socket_, protocol::flatten(protocol::encode_request(request, 12, 0, kClientId, arena), arena));
  std::array<std::byte, protocol::kFrameSizeBytes> size;
  receive_all(socket_, size);
  receive_all(socket_, arena.bytes(load_be<std::uint32_t>(size.data())));
}

}  // namespace milena::bench
