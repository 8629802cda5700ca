// ByteStream: the bytes of one connection, in both directions. TcpStream is a socket; a TLS session takes its
// place where a listener asks for one.
//
// Owned by a connection, used on its loop. Nothing blocks. Errors are -errno, -EAGAIN where a call has to
// wait.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/fs.h"

namespace milena::broker {

// Where bytes go.
class ByteSink {
 public:
  // `more`: further bytes follow at once.
  virtual ssize_t write(std::span<const iovec> pieces, bool more) = 0;
  virtual ssize_t send_file(const File& file, std::uint64_t position, std::size_t size) = 0;

 protected:
  ~ByteSink() = default;
};

class ByteStream : public ByteSink {
 public:
  // Whoever waits for a stream. Kept by the stream while it waits, and told on the loop, never inside a call.
  class Waiter {
   public:
    // What read_when_ready() has read: bytes, 0 when the peer has closed its side, -ECANCELED after cancel().
    virtual void bytes_arrived(ssize_t n) = 0;
    // The stream takes bytes again, or never will: the next write tells.
    virtual void may_write() = 0;

   protected:
    ~Waiter() = default;
  };

  virtual ~ByteStream() = default;

  // What is there already. 0: the peer has closed its side.
  virtual ssize_t read(std::span<const iovec> into) = 0;
  // How many bytes read() would give at least; 0 when that is not known.
  virtual std::size_t readable_bytes() const = 0;
  // Reads what comes next, up to what fits into `into`, which lives until then. One at a time.
  virtual void read_when_ready(MutableBytes into, std::shared_ptr<Waiter> waiter) = 0;
  virtual void wait_to_write(std::shared_ptr<Waiter> waiter) = 0;
  // Ends both waits.
  virtual void cancel() = 0;
  virtual void close() = 0;
};

}  // namespace milena::broker
