// A blocking client for tests: writes bytes as told, reads whole frames, never hangs for longer than 20 s.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace milena::broker::testing {

// A request frame, size included: Metadata v4 with the given correlation id and client id "t", and any body.
std::string request_frame(std::int32_t correlation_id, std::string_view body);
std::string frame_of_size(std::int32_t announced, std::string_view bytes);

struct Response {
  std::int32_t correlation_id = 0;
  std::string body;
  bool operator==(const Response&) const = default;
};

class Client {
 public:
  struct Options {
    int receive_buffer = 0;  // 0: the system's default
    std::string bind_to;     // source address; empty: any
  };
  explicit Client(std::uint16_t port) : Client(port, Options{}) {}
  Client(std::uint16_t port, const Options& options);
  static Client unconnected() { return Client(); }
  Client(Client&& other) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  void connect(std::uint16_t port);
  // False when the peer closed the connection.
  bool send(std::string_view bytes);
  // Sends what fits without waiting; returns the bytes taken.
  std::size_t send_some(std::string_view bytes);
  // nullopt: the connection was closed, or nothing came for 20 s.
  std::optional<Response> receive();
  std::string receive_bytes(std::size_t n);
  // True when the peer closed without sending anything more.
  bool closed();
  // Bytes that can be read right now.
  std::size_t readable() const;
  void shut_down_sending();
  void reset();

 private:
  Client();
  int fd_ = -1;
};

}  // namespace milena::broker::testing
