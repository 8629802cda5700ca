#include "broker/net/request_pool.h"

#include "base/assert.h"

namespace milena::broker {

RequestPool::~RequestPool() {
  MILENA_ASSERT(in_use_.get() == 0, "a request outlives its loop");
  while (first_ != nullptr) delete std::exchange(first_, first_->next);
}

PendingRequest& RequestPool::take() {
  in_use_.add(1);
  if (first_ == nullptr) return *new PendingRequest(loop_, *this);
  --kept_;
  PendingRequest& request = *std::exchange(first_, first_->next);
  kept_bytes_ -= request.arena_footprint();
  request.next = nullptr;
  return request;
}

void RequestPool::give(PendingRequest& request) {
  in_use_.subtract(1);
  if (kept_ == kKeepMax) {
    delete &request;
    return;
  }
  request.reset(kept_bytes_ + request.arena_footprint() <= kKeepBytes ? kKeepArenaBytes : 0, kKeepPieces);
  kept_bytes_ += request.arena_footprint();
  request.next = first_;
  first_ = &request;
  ++kept_;
}

}  // namespace milena::broker
