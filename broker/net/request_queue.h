// RequestQueue: requests in order, oldest first; a list through the requests themselves.
#pragma once

#include <cstddef>
#include <utility>

#include "broker/net/request.h"

namespace milena::broker {

class RequestQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  Request* first() const { return first_; }
  static Request* after(const Request& request) { return request.next_; }

  // The newest request wants to be answered before the next one is handled.
  bool is_held() const { return first_ != nullptr && last_->holds_successors_ && !last_->answered_; }

  void push(Request& request) {
    request.next_ = nullptr;
    (first_ == nullptr ? first_ : last_->next_) = &request;
    last_ = &request;
    ++size_;
  }
  Request& pop() {
    --size_;
    return *std::exchange(first_, first_->next_);
  }

 private:
  Request* first_ = nullptr;
  Request* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace milena::broker
