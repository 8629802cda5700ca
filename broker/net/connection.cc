#include "broker/net/connection.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/saturating.h"
#include "protocol/error_code.h"
#include "protocol/frame.h"

namespace milena::broker {
namespace {

// What a request costs beside its frame, roughly: for the account.
constexpr std::size_t kRequestOverhead = 2048;

}  // namespace

Connection::Connection(NetLoop& net, std::unique_ptr<ByteStream> stream, std::shared_ptr<ConnectionInfo> info)
    : net_(net),
      stream_(std::move(stream)),
      info_(std::move(info)),
      reader_(net.buffers(), net.limits().frame_bytes_max),
      deadline_([this] { on_deadline(); }) {
  net_.born();
}

Connection::~Connection() {
  MILENA_ASSERT(!place_, "a connection is destroyed before it was closed");
  net_.died();
}

void Connection::start() {
  place_ = net_.add(shared_from_this());
  active_at_ = net_.loop().now();
  wait_for_next();
}

void Connection::stop() {
  write_replies();
  close();
}

void Connection::answered(PendingRequest& request) {
  if (request.closes()) end_requests();
  if (!in_turn_ && writing_ == Writing::kIdle && (queue_.first() == &request || request.holds_successors())) {
    turn_later();
  }
}

void Connection::turn(bool more) {
  const auto self = shared_from_this();
  in_turn_ = true;
  turn_began_ = net_.loop().clock().fine_now();
  active_at_ = std::chrono::duration_cast<Instant>(turn_began_);
  std::size_t budget = kTurnBytes;
  for (;;) {
    handle_frames();
    if (!place_) break;
    if (reader_.has_input() && !no_more_requests_) {  // too much is under way: make room, or stop here
      write_replies();
      if (!place_) break;
      if (may_handle()) continue;
      if (reader_.hold() == FrameReader::Next::kNoMemory) refuse("out of memory");
      break;
    }
    net_.memory().set_partial(*this, reader_.partial_bytes(), reader_.announced_bytes(), active_at_);
    if (!more || no_more_requests_ || !may_handle()) break;
    more = read_more(budget);
  }
  if (place_) write_replies();
  in_turn_ = false;
  if (place_) wait_for_next();
}

void Connection::handle_frames() {
  FrameReader::Frame frame;
  while (place_ && may_handle()) {
    switch (reader_.next(frame)) {
      case FrameReader::Next::kFrame:
        start_request(frame);
        break;
      case FrameReader::Next::kNeedBytes:
        return;
      case FrameReader::Next::kMalformed:
        return refuse("the size of a request is negative, tiny or above socket.request.max.bytes");
      case FrameReader::Next::kNoMemory:
        return refuse("out of memory");
    }
  }
}

void Connection::start_request(FrameReader::Frame& frame) {
  partial_since_.reset();
  PendingRequest& request = net_.requests().take();
  MutableBytes bytes = frame.bytes;
  Buffer owner = std::move(frame.owner);
  if (!owner) {
    if (bytes.size() <= RequestPool::kArenaFrameBytes) {
      bytes = request.arena().bytes(bytes.size());
    } else {
      owner = net_.buffers().take(bytes.size());
      if (!owner) {
        net_.requests().give(request);
        return refuse("out of memory");
      }
      bytes = {owner.data(), bytes.size()};
    }
    std::ranges::copy(frame.bytes, bytes.begin());
  }
  if (const auto begun = request.begin(bytes, std::move(owner), *this, info_, turn_began_); !begun) {
    const bool is_unserved = begun.error().code == ErrorCode::kUnsupportedVersion;
    const auto start = protocol::read_request_start(bytes);
    net_.complain(*info_, start, is_unserved ? NetLoop::kUnserved : begun.error().why);
    net_.requests().give(request);
    return end_requests();
  }
  queue_.push(request);
  net_.memory().hold(*this, request.frame_size() + kRequestOverhead);
  net_.handler().handle(request, Responder(request));
}

void Connection::write_replies() {
  if (writing_ != Writing::kIdle || queue_.empty()) return;
  const auto progress = writer_.write(queue_, *stream_, net_.write_scratch());
  const auto now = writer_.finished().empty() ? turn_began_ : net_.loop().clock().fine_now();
  while (!writer_.finished().empty()) {
    PendingRequest& request = writer_.finished().pop();
    net_.handler().finished(request, now - request.fine_received_at());
    net_.memory().release(*this, request.frame_size() + kRequestOverhead);
    net_.requests().give(request);
  }
  switch (progress) {
    case ReplyWriter::Progress::kDone:
      break;
    case ReplyWriter::Progress::kBlocked:
      writing_ = Writing::kBlocked;
      stream_->wait_to_write(shared_waiter());
      break;
    case ReplyWriter::Progress::kYield:
      writing_ = Writing::kYielded;
      turn_later();
      break;
    case ReplyWriter::Progress::kClose:
      net_.complain(*info_, queue_.first()->start(), queue_.first()->close_reason());
      close();
      break;
    case ReplyWriter::Progress::kFailed:
      close();
      break;
  }
}

// False: the socket is empty, or others have their turn.
bool Connection::read_more(std::size_t& budget) {
  // Short of memory, a frame that is here as a whole is finished in one go: half of it would only take room.
  if (budget == 0 && (is_memory_free() || !rest_of_frame_is_here())) {
    unread_ = true;
    turn_later();
    return false;
  }
  if (!may_read()) return false;
  const MutableBytes space = reader_.space();
  MutableBytes scratch = net_.read_scratch();
  if (reader_.space_ends_early()) {
    scratch = {};
  } else if (net_.memory().allowance(*this) < scratch.size()) {
    scratch = scratch.first(RequestMemory::kSmallFrame);
  }
  const std::array<iovec, 2> room{{{space.data(), space.size()}, {scratch.data(), scratch.size()}}};
  const ssize_t n = stream_->read(std::span(room).subspan(space.empty() ? 1 : 0));
  if (n == -EAGAIN) return false;
  if (n <= 0) {
    if (n == 0) end_requests();
    if (n < 0) close();
    return false;
  }
  const auto bytes = static_cast<std::size_t>(n);
  const std::size_t direct = std::min(bytes, space.size());
  reader_.filled(direct);
  reader_.feed(scratch.first(bytes - direct));
  budget -= std::min(budget, bytes);
  return bytes == space.size() + scratch.size();
}

void Connection::wait_for_next() {
  if (no_more_requests_ && queue_.empty()) return close();
  watch_deadline();
  if (reading_ || no_more_requests_ || self_ != nullptr || reader_.has_input() || !may_handle() ||
      !may_read())
    return;
  reading_ = true;
  if (wants_warm_ && !warm_) warm_ = net_.lend_warm_buffer();
  stream_->read_when_ready(read_buffer(), shared_waiter());
}

MutableBytes Connection::read_buffer() {
  return warm_ ? MutableBytes(warm_.data(), warm_.capacity()) : MutableBytes(first_bytes_);
}

std::shared_ptr<ByteStream::Waiter> Connection::shared_waiter() {
  return std::shared_ptr<ByteStream::Waiter>(shared_from_this(), this);
}

void Connection::bytes_arrived(ssize_t n) {
  reading_ = false;
  if (!place_) return;
  if (n == -ECANCELED) {
    cool_down();
    return wait_for_next();
  }
  if (n < 0) return close();
  if (n == 0) end_requests();
  const MutableBytes into = read_buffer();
  const auto bytes = static_cast<std::size_t>(n);
  reader_.feed(into.first(bytes));
  wants_warm_ = bytes == into.size();
  turn(bytes == into.size());
}

void Connection::may_write() {
  writing_ = Writing::kIdle;
  if (place_) turn(false);
}

// Between turns nothing but a read refers to the warm buffer, and cancelling a read cancels the wait to
// write.
bool Connection::can_cool_down() const { return warm_ && (!reading_ || writing_ != Writing::kBlocked); }

void Connection::cool_down() {
  if (warm_) net_.take_back_warm_buffer(std::exchange(warm_, Buffer{}));
}

void Connection::turn_later() {
  if (self_ != nullptr) return;
  self_ = shared_from_this();
  net_.loop().post(*this);
}

void Connection::run() {
  const auto self = std::exchange(self_, nullptr);
  if (!place_) return;
  if (writing_ == Writing::kYielded) writing_ = Writing::kIdle;
  turn(std::exchange(unread_, false));
}

// New requests are welcome: the peer takes its replies and does not have too much under way.
bool Connection::may_handle() const {
  return !no_more_requests_ && writing_ == Writing::kIdle && !queue_.is_held() &&
         queue_.size() < net_.limits().in_flight_max && net_.memory().may_handle(*this);
}

bool Connection::is_memory_free() const { return net_.memory().allowance(*this) > 0; }

// There is memory to read into. If not, this connection stands in line for it.
bool Connection::may_read() {
  RequestMemory& memory = net_.memory();
  if (!memory.exhausted() && (is_memory_free() || rest_of_frame_is_here())) return true;
  memory.wait(*this);
  net_.watch_memory();
  return false;
}

bool Connection::rest_of_frame_is_here() {
  return reader_.partial_bytes() + stream_->readable_bytes() >= reader_.announced_bytes() + 4;
}

void Connection::retry_read() {
  partial_since_.reset();  // it was not the peer's fault
  turn(true);
}

void Connection::reclaim() {
  net_.complain(*info_, "its unfinished request stands still while memory is short");
  close();
}

// A peer that is not idle: something of it is being handled, and it takes its replies.
bool Connection::is_busy() const { return !queue_.empty() && writing_ == Writing::kIdle; }

Instant Connection::next_deadline() const {
  const NetLimits& limits = net_.limits();
  Instant next = limits.idle_max > Instant{0} ? after(active_at_, limits.idle_max) : Instant::max();
  if (can_cool_down()) next = std::min(next, active_at_ + kWarmFor);
  if (partial_since_) {
    const auto seconds_for_size = static_cast<std::int64_t>(reader_.announced_bytes() / (64 * 1024));
    const Instant patience = after(limits.partial_frame_max, Instant{1000 * seconds_for_size});
    next = std::min(next, after(*partial_since_, patience));
  }
  if (no_more_requests_) next = std::min(next, no_more_since_ + limits.half_closed_max);
  return next;
}

void Connection::watch_deadline() {
  if (reader_.partial_bytes() == 0) {
    partial_since_.reset();
  } else if (!partial_since_) {
    partial_since_ = active_at_;
  }
  const Instant next = next_deadline();
  if (next == Instant::max() || (deadline_.armed() && deadline_.deadline() <= next)) return;
  net_.loop().arm(deadline_, next);
}

// The timer is armed lazily: what was the next deadline when it was armed may have moved since.
void Connection::on_deadline() {
  const Instant now = net_.loop().now();
  if (next_deadline() > now) return watch_deadline();
  if (can_cool_down() && active_at_ + kWarmFor <= now) {
    if (reading_) stream_->cancel();  // the read comes back and cools down
    if (!reading_) cool_down();
    net_.loop().arm(deadline_, now + kWarmFor);
    return;
  }
  const bool idle = net_.limits().idle_max > Instant{0} && after(active_at_, net_.limits().idle_max) <= now;
  if (idle && is_busy() && !partial_since_ && !no_more_requests_) {
    net_.loop().arm(deadline_, after(now, net_.limits().idle_max));
    return;
  }
  if (partial_since_ && !idle) {
    net_.complain(*info_, "a request did not arrive in time");
  }
  close();
}

void Connection::refuse(std::string_view why) {
  net_.complain(*info_, why);
  end_requests();
}

void Connection::end_requests() {
  no_more_requests_ = true;
  no_more_since_ = active_at_;
}

void Connection::close() {
  if (!place_) return;
  const auto self = shared_from_this();
  net_.remove(*std::exchange(place_, std::nullopt));
  deadline_.cancel();
  cool_down();
  net_.memory().forget(*this);
  stream_->close();

  std::vector<std::shared_ptr<Parked>> parked;
  while (!queue_.empty()) {
    if (auto waiter = queue_.pop().abandon()) parked.push_back(std::move(waiter));
  }
  for (const auto& waiter : parked) waiter->connection_lost();
}

}  // namespace milena::broker
