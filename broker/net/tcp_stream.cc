#include "broker/net/tcp_stream.h"

#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace milena::broker {
namespace {

template <class Call>
ssize_t retried(Call call) {
  for (;;) {
    const ssize_t n = call();
    if (n >= 0) return n;
    if (errno != EINTR) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
  }
}

ssize_t outcome_of(const error_code& error, std::size_t n) {
  if (!error) return static_cast<ssize_t>(n);
  if (error == asio::error::eof) return 0;
  return error == asio::error::operation_aborted ? -ECANCELED : -error.value();
}

}  // namespace

TcpStream::TcpStream(TcpSocket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

ssize_t TcpStream::write(std::span<const iovec> pieces, bool more) {
  const int fd = socket_.native_handle();
  const int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
  if (pieces.size() == 1) {
    return retried([&] { return ::send(fd, pieces[0].iov_base, pieces[0].iov_len, flags); });
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  return retried([&] { return ::sendmsg(fd, &message, flags); });
}

ssize_t TcpStream::send_file(const File& file, std::uint64_t position, std::size_t size) {
  auto offset = static_cast<off_t>(position);
  return retried([&] { return ::sendfile(socket_.native_handle(), file.descriptor(), &offset, size); });
}

ssize_t TcpStream::read(std::span<const iovec> into) {
  const int fd = socket_.native_handle();
  return retried([&] {
    return into.size() == 1 ? ::recv(fd, into[0].iov_base, into[0].iov_len, 0)
                            : ::readv(fd, into.data(), static_cast<int>(into.size()));
  });
}

std::size_t TcpStream::readable_bytes() const {
  int readable = 0;
  const int fd = const_cast<TcpSocket&>(socket_).native_handle();
  return ::ioctl(fd, FIONREAD, &readable) == 0 ? static_cast<std::size_t>(readable) : 0;
}

void TcpStream::read_when_ready(MutableBytes into, std::shared_ptr<Waiter> waiter) {
  socket_.async_read_some(asio::buffer(into.data(), into.size()),
                          [waiter = std::move(waiter)](const error_code& error, std::size_t n) {
                            waiter->bytes_arrived(outcome_of(error, n));
                          });
}

void TcpStream::wait_to_write(std::shared_ptr<Waiter> waiter) {
  socket_.async_wait(asio::socket_base::wait_write,
                     [waiter = std::move(waiter)](const error_code&) { waiter->may_write(); });
}

void TcpStream::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void TcpStream::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace milena::broker
