#include "bench/load/request_pipe.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/arena.h"
#include "bench/load/fail.h"
#include "bench/load/wire_client.h"
#include "protocol/frame.h"
#include "protocol/metadata.gen.h"

namespace milena::bench {
namespace {

constexpr std::size_t kPieces = 3;  // of one request
constexpr std::size_t kMostPieces = 64 * kPieces;

}  // namespace

RequestPipe::RequestPipe(const Address& broker, int slots, bool answers)
    : socket_(connect_to(broker)), answers_(answers), slots_(static_cast<std::size_t>(slots)) {}

RequestPipe::~RequestPipe() { ::close(socket_); }

void RequestPipe::send() {
  while (sent_ < put_) {
    std::array<iovec, kMostPieces> pieces;
    std::size_t count = 0;
    std::size_t skip = partly_sent_;
    const auto add = [&](BytesView bytes) {
      const std::size_t skipped = std::min(skip, bytes.size());
      skip -= skipped;
      bytes = bytes.subspan(skipped);
      if (!bytes.empty()) pieces[count++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    };
    for (std::uint64_t next = sent_; next < put_ && count + kPieces <= kMostPieces; ++next) {
      const Request& request = slots_[next % slots_.size()];
      add(request.head);
      add(request.rest);
      add(request.tail);
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const ssize_t taken = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (taken < 0) {
      if (errno == EAGAIN) return;
      fail_run_with_errno("send");
    }
    partly_sent_ += static_cast<std::size_t>(taken);
    while (sent_ < put_ && partly_sent_ >= slots_[sent_ % slots_.size()].size()) {
      partly_sent_ -= slots_[sent_ % slots_.size()].size();
      ++sent_;
    }
  }
}

std::optional<RequestPipe::Answer> RequestPipe::next_answer() {
  if (over_ == put_) return std::nullopt;
  const std::size_t slot = over_ % slots_.size();
  if (!answers_) {
    if (over_ == sent_) return std::nullopt;
    ++over_;
    return Answer{slot, {}};
  }
  const std::optional<BytesView> frame = reader_.next();
  if (!frame) return std::nullopt;
  if (frame->size() < 4 || load_be<std::int32_t>(frame->data()) != correlation_id(over_)) {
    fail_run("an answer to something that was not asked");
  }
  ++over_;
  return Answer{slot, *frame};
}

void RequestPipe::await_served() {
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
