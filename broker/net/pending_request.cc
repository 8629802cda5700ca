#include "broker/net/pending_request.h"

#include <utility>

#include "broker/net/request_pool.h"

namespace milena::broker {

Status PendingRequest::begin(MutableBytes bytes, Buffer owner, ReplySink& sink,
                             std::shared_ptr<ConnectionInfo> connection,
                             std::chrono::nanoseconds received_at) {
  frame_ = std::move(owner);
  MILENA_TRY(header_, protocol::parse_request(bytes));
  body_ = bytes.last(header_.body.size());
  frame_size_ = bytes.size();
  connection_info_ = std::move(connection);
  received_at_ = received_at;
  sink_ = &sink;
  return {};
}

void Request::count_error(ErrorCode code) {
  ErrorCount* known = errors_;
  while (known != nullptr && known->code != code) known = known->next;
  if (known == nullptr) {
    known = &arena_.make<ErrorCount>();
    *known = {.code = code, .times = 0, .next = errors_};
    errors_ = known;
  }
  ++known->times;
}

std::shared_ptr<Parked> PendingRequest::abandon() {
  sink_ = nullptr;
  auto parked = parked_.lock();
  if (is_answered_) pool_.give(*this);
  return parked;
}

void PendingRequest::reset(std::size_t arena_bytes, std::size_t pieces_max) {
  header_ = {};
  body_ = {};
  frame_ = Buffer{};
  arena_.reset(arena_bytes);
  connection_info_.reset();
  pins_.clear();
  if (pieces_.capacity() > pieces_max) {
    pieces_ = {};
    pins_ = {};
  }
  pieces_.clear();
  errors_ = nullptr;
  sink_ = nullptr;
  answer_ = Answer::kNone;
  is_answered_ = false;
  holds_successors_ = false;
}

void PendingRequest::finish(Answer answer, const protocol::Encoded* frame, std::string_view why) {
  if (frame != nullptr) set_reply(*frame);
  close_reason_ = why;
  answer_ = answer;
  if (loop_.here()) {
    run();
  } else {
    loop_.post(*this);
  }
}

void PendingRequest::set_reply(const protocol::Encoded& frame) {
  const BytesView head = frame.head();
  std::size_t done = 0;  // of the head
  auto head_until = [&](std::size_t end) {
    if (end > done) pieces_.push_back({.bytes = head.data() + done, .size = end - done});
    done = end;
  };
  for (const auto& splice : frame.splices) {
    head_until(splice.at);
    if (splice.records.external == nullptr) {
      pieces_.push_back({.bytes = splice.records.bytes.data(), .size = splice.records.bytes.size()});
    } else {
      const auto& range = *static_cast<const FileRange*>(splice.records.external);
      pieces_.push_back(
          {.file = range.file, .position = range.position, .size = splice.records.external_size});
    }
  }
  head_until(head.size());
}

void PendingRequest::run() {
  is_answered_ = true;
  parked_.reset();
  if (sink_ != nullptr) {
    sink_->answered(*this);
  } else {
    pool_.give(*this);
  }
}

}  // namespace milena::broker
