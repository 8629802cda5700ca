// RequestPool: Requests with their arenas, reused, so that a steady stream of small requests allocates
// nothing.
//
// Belongs to one loop. Every request comes back before the pool dies.
#pragma once

#include <cstddef>

#include "base/async/loop.h"
#include "broker/metrics/counter.h"
#include "broker/net/pending_request.h"

namespace milena::broker {

class RequestPool {
 public:
  // Frames up to this size are copied into the request's arena; larger ones have a Buffer.
  static constexpr std::size_t kArenaFrameBytes = 4096;

  explicit RequestPool(Loop& loop) : loop_(loop) {}
  RequestPool(const RequestPool&) = delete;
  RequestPool& operator=(const RequestPool&) = delete;
  ~RequestPool();

  PendingRequest& take();
  void give(PendingRequest& request);
  // Taken and not given back. Any thread.
  std::size_t in_use() const { return in_use_.get(); }

 private:
  static constexpr std::size_t kKeepMax = 256;
  // Of the arena of one request, and of all that are kept.
  static constexpr std::size_t kKeepArenaBytes = 128 * 1024;
  static constexpr std::size_t kKeepBytes = 2 * 1024 * 1024;
  static constexpr std::size_t kKeepPieces = 64;

  Loop& loop_;
  PendingRequest* first_ = nullptr;
  std::size_t kept_ = 0;
  std::size_t kept_bytes_ = 0;  // of their arenas
  Published<std::size_t> in_use_;
};

}  // namespace milena::broker
