#include "broker/net/request.h"

#include "broker/net/connection.h"
#include "broker/net/net_loop.h"
#include "broker/net/request_pool.h"

namespace milena::broker {

void Responder::send_frame(const protocol::Encoded& frame) {
  Request& request = *std::exchange(request_, nullptr);
  request.set_reply(frame);
  request.finish(Request::Answer::kReply);
}

void Responder::send_nothing() { std::exchange(request_, nullptr)->finish(Request::Answer::kNothing); }

void Responder::close(const char* why) {
  Request& request = *std::exchange(request_, nullptr);
  request.close_reason_ = why;
  request.finish(Request::Answer::kClose);
}

void Responder::close_unserved() { close(""); }

void Request::set_reply(const protocol::Encoded& frame) {
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

void Request::finish(Answer answer) {
  answer_ = answer;
  if (loop_.here()) {
    run();
  } else {
    loop_.post(*this);
  }
}

void Request::run() {
  answered_ = true;
  parked_.reset();
  if (connection_ != nullptr) {
    connection_->answered(*this);
  } else {
    home_->requests().give(*this);
  }
}

}  // namespace milena::broker
