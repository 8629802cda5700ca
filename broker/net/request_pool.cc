#include "broker/net/request_pool.h"

#include "base/assert.h"
#include "broker/net/net_loop.h"

namespace milena::broker {

RequestPool::~RequestPool() {
  MILENA_ASSERT(in_use_ == 0, "a request outlives its loop");
  while (first_ != nullptr) delete std::exchange(first_, first_->next_);
}

Request& RequestPool::take() {
  ++in_use_;
  if (first_ == nullptr) {
    auto* const fresh = new Request(home_.loop());
    fresh->home_ = &home_;
    return *fresh;
  }
  --kept_;
  Request& request = *std::exchange(first_, first_->next_);
  kept_bytes_ -= request.arena_.footprint();
  request.next_ = nullptr;
  return request;
}

void RequestPool::give(Request& request) {
  --in_use_;
  if (kept_ == kKeepMax) {
    delete &request;
    return;
  }
  request.header_ = {};
  request.body_ = {};
  request.frame_ = Buffer{};
  request.arena_.reset(kept_bytes_ + request.arena_.footprint() <= kKeepBytes ? kKeepArenaBytes : 0);
  kept_bytes_ += request.arena_.footprint();
  request.connection_info_.reset();
  request.pins_.clear();
  if (request.pieces_.capacity() > kKeepPieces) {
    request.pieces_ = {};
    request.pins_ = {};
  }
  request.pieces_.clear();
  request.connection_ = nullptr;
  request.answer_ = Request::Answer::kNone;
  request.answered_ = false;
  request.holds_successors_ = false;
  request.next_ = first_;
  first_ = &request;
  ++kept_;
}

}  // namespace milena::broker
