// NetLoop: what the connections of one loop share: pools, scratch memory, limits, the handler, and the list
// of themselves.
//
// Owned by Server, touched only on its loop, but for the numbers that any thread may read. Outlives its
// connections and requests.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string_view>

#include "base/async/loop.h"
#include "base/log.h"
#include "broker/net/buffer_pool.h"
#include "broker/net/connection_counts.h"
#include "broker/net/limits.h"
#include "broker/net/request.h"
#include "broker/net/request_memory.h"
#include "broker/net/request_pool.h"
#include "broker/net/unserved_requests.h"
#include "protocol/frame.h"

namespace milena::broker {

class Connection;

class NetLoop {
 public:
  // A server with `loops` loops gives each its part of the memory.
  NetLoop(Loop& loop, std::size_t loops, const NetLimits& limits, ConnectionCounts& counts,
          UnservedRequests& unserved, RequestHandler& handler, const Logger& log);
  NetLoop(const NetLoop&) = delete;
  NetLoop& operator=(const NetLoop&) = delete;
  ~NetLoop();

  Loop& loop() { return loop_; }
  const NetLimits& limits() const { return limits_; }
  RequestHandler& handler() { return handler_; }
  BufferPool& buffers() { return buffers_; }
  RequestPool& requests() { return requests_; }
  RequestMemory& memory() { return memory_; }
  // Any thread.
  std::size_t pending_requests() const { return requests_.in_use(); }
  const RequestMemory& request_memory() const { return memory_; }
  // Somebody waits for memory: looks after it until nobody does.
  void watch_memory();

  // Borrowed for the duration of one call, by one connection at a time.
  MutableBytes read_scratch() { return {read_scratch_.get(), kReadScratch}; }
  MutableBytes write_scratch() { return {write_scratch_.get(), kWriteScratch}; }

  // A larger read buffer for a busy connection; an empty one when enough have got one.
  Buffer lend_warm_buffer();
  void take_back_warm_buffer(Buffer buffer);

  using Place = std::list<std::shared_ptr<Connection>>::iterator;
  Place add(std::shared_ptr<Connection> connection);
  void remove(Place place);
  // A Connection object exists, from its first to its last breath.
  void born() { ++alive_; }
  void died() { --alive_; }
  // Writes what is ready, then closes every connection. Requests that wait are told.
  void close_all();
  // After close_all(): no connection is left, not even in a handler that was cancelled and has not run yet,
  // and every request was given back.
  bool quiet() const { return alive_ == 0 && requests_.in_use() == 0; }

  // A line about a peer that does not behave. At most kComplaintsPerSecond of them.
  void complain(const ConnectionInfo& about, std::string_view what);
  // The same about a request: names its API and version and the client that sent it. A client whose requests
  // are not served is named once, however often it asks.
  static constexpr std::string_view kUnserved;
  void complain(const ConnectionInfo& about, const protocol::RequestStart& request, std::string_view what);

 private:
  bool may_complain() const;

  static constexpr std::size_t kReadScratch = 128 * 1024;
  static constexpr std::size_t kWriteScratch = 64 * 1024;
  // Warm buffers are large for the first connections that want one, small for the many after them, and then
  // there are none.
  static constexpr std::size_t kLargeWarmBytes = 32 * 1024;
  static constexpr std::size_t kLargeWarmTotal = 1024 * 1024;
  static constexpr std::size_t kSmallWarmBytes = 4 * 1024;
  static constexpr std::size_t kWarmTotal = 4 * 1024 * 1024;
  // A dozen connections that send frames of a megabyte. Fresh memory costs a page fault every 4 KiB.
  static constexpr std::size_t kKeepBuffers = 32 * 1024 * 1024;
  static constexpr std::size_t kKeepBuffersIdle = 2 * 1024 * 1024;  // once no connection is busy
  static constexpr Instant kMemoryTick{10};
  static constexpr int kComplaintsPerSecond = 10;

  Loop& loop_;
  const NetLimits& limits_;
  ConnectionCounts& counts_;
  UnservedRequests& unserved_;
  RequestHandler& handler_;
  const Logger& log_;
  std::unique_ptr<std::byte[]> read_scratch_;
  std::unique_ptr<std::byte[]> write_scratch_;
  BufferPool buffers_;
  RequestPool requests_;
  RequestMemory memory_;
  Timer memory_timer_;
  std::list<std::shared_ptr<Connection>> connections_;
  std::size_t alive_ = 0;
  std::size_t warm_lent_bytes_ = 0;
  Instant complaints_since_{};
  int complaints_ = 0;
};

}  // namespace milena::broker
