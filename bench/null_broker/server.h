// Server: the null broker's one thread: an epoll loop over a listener and its connections.
//
// Requests of a connection are answered in order; one that waits for data holds back those behind it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "bench/null_broker/control_requests.h"
#include "bench/null_broker/hot_requests.h"
#include "bench/null_broker/topics.h"

namespace milena::bench {

class Server {
 public:
  // Listens on 127.0.0.1; port 0 takes a free one. Partitions are files in `directory`.
  Server(std::uint16_t port, std::string directory);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return port_; }

  // Serves until the descriptor `stop` becomes readable.
  void run(int stop);

 private:
  struct Connection {
    int socket = -1;
    std::unique_ptr<std::byte[]> in;
    std::size_t capacity = 0;
    std::size_t used = 0;
    AnswerQueue answers;
    bool sending = false;      // waits until it can be written to, and is not read from
    bool parked = false;       // the first frame in `in` is a fetch that waits for data
    std::int64_t deadline_ms;  // of that fetch
    std::list<Connection>::iterator self;
  };

  void accept_all();
  void read_some(Connection& connection);
  // Serves the frames that have come; false: the connection is broken.
  bool serve(Connection& connection, bool wait_is_over);
  enum class Served { kYes, kLater, kMalformed };
  Served serve_one(Connection& connection, MutableBytes frame, bool wait_is_over);
  bool flush(Connection& connection);
  void retry_parked();
  int wait_ms() const;
  void drop(Connection& connection);

  int listener_ = -1;
  int epoll_ = -1;
  std::uint16_t port_ = 0;
  Topics topics_;
  HotRequests hot_;
  ControlRequests control_;
  std::list<Connection> connections_;
  std::vector<Connection*> parked_;
  bool appended_ = false;  // since parked fetches were last looked at
};

}  // namespace milena::bench
