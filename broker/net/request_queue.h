// RequestQueue: requests in order, oldest first; a list through the requests themselves.
#pragma once

#include <cstddef>
#include <utility>

#include "broker/net/pending_request.h"

namespace milena::broker {

class RequestQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  PendingRequest* first() const { return first_; }
  static PendingRequest* after(const PendingRequest& request) { return request.next; }

  // The newest request wants to be answered before the next one is handled.
  bool is_held() const { return first_ != nullptr && last_->holds_successors() && !last_->is_answered(); }

  void push(PendingRequest& request) {
    request.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &request;
    last_ = &request;
    ++size_;
  }
  PendingRequest& pop() {
    --size_;
    return *std::exchange(first_, first_->next);
  }

 private:
  PendingRequest* first_ = nullptr;
  PendingRequest* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace milena::broker
