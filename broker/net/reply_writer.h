// ReplyWriter: turns the answered requests at the head of a connection's queue into as few writes as
// possible.
//
// Owned by a connection. Replies leave whole and in the order of the requests. Nothing that a reply points to
// is touched after its request went to finished().
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>

#include "base/bytes.h"
#include "base/fs.h"
#include "broker/net/byte_stream.h"
#include "broker/net/request_queue.h"

namespace milena::broker {

class ReplyWriter {
 public:
  // From this size on a file range is sent by the kernel; below, copying is cheaper (16 KiB is even).
  static constexpr std::size_t kSendFileMin = 32 * 1024;
  // Up to this size it is cheaper to copy a piece next to its neighbours than to have the kernel gather it.
  static constexpr std::size_t kCopyMax = 512;
  // About as much is written before other connections have their turn.
  static constexpr std::size_t kTurnBytes = 1024 * 1024;

  enum class Progress {
    kDone,     // the queue is empty, or its first request is not answered yet
    kBlocked,  // the sink takes no more for now
    kYield,    // there is more, but the turn is over
    kClose,    // the first request asks to close the connection
    kFailed,   // the peer is gone, or a file could not be read: error()
  };
  // `scratch` is where small pieces and small file ranges are put together; what it holds means nothing
  // afterwards.
  Progress write(RequestQueue& queue, ByteSink& sink, MutableBytes scratch);

  // Requests that are done with, for the caller to take.
  RequestQueue& finished() { return finished_; }
  // Bytes that the last write() got rid of.
  std::size_t written() const { return written_; }
  const char* error() const { return error_; }

 private:
  // What one call to the sink carries: pieces of memory; or, if there are none, a stretch of a file.
  struct Batch {
    std::array<iovec, 128> pieces;
    std::size_t count = 0;
    std::size_t bytes = 0;
    const File* file = nullptr;  // comes next
    std::uint64_t position = 0;
    std::size_t file_bytes = 0;
  };
  bool gather(const PendingRequest* request, MutableBytes scratch, Batch& batch);
  void consume(RequestQueue& queue, std::size_t bytes);

  RequestQueue finished_;
  std::size_t piece_ = 0;  // of the first request: what was written so far
  std::size_t done_ = 0;   // bytes of that piece
  std::size_t written_ = 0;
  const char* error_ = "";
};

}  // namespace milena::broker
