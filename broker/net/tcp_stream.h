// TcpStream: a ByteStream over a socket.
#pragma once

#include <memory>
#include <span>

#include "base/async/asio.h"
#include "broker/net/byte_stream.h"

namespace milena::broker {

class TcpStream final : public ByteStream {
 public:
  explicit TcpStream(TcpSocket socket);

  ssize_t write(std::span<const iovec> pieces, bool more) override;
  ssize_t send_file(const File& file, std::uint64_t position, std::size_t size) override;
  ssize_t read(std::span<const iovec> into) override;
  std::size_t readable_bytes() const override;
  void read_when_ready(MutableBytes into, std::shared_ptr<Waiter> waiter) override;
  void wait_to_write(std::shared_ptr<Waiter> waiter) override;
  void cancel() override;
  void close() override;

 private:
  TcpSocket socket_;
};

}  // namespace milena::broker
