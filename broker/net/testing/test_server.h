// A real Server on a free port with a handler that does what the first byte of a body says.
//
//   e...      echo the body
//   p...      park; release() echoes it
//   h...      park, and hold the connection's next requests until it is released
//   n         no reply
//   c         close the connection
//   d         drop the Responder
//   m SIZE    a reply of SIZE bytes (decimal) in memory
//   f AT SIZE a reply of "<", a range of the file given to the constructor, ">"
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/async/loop.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "broker/net/socket_server.h"

namespace milena::broker::testing {

class ScriptedHandler final : public RequestHandler {
 public:
  void handle(Request& request, Responder responder) override;

  // Waits until `n` requests are parked.
  void await_parked(std::size_t n);
  // Waits until `n` parked requests were told that their connection is lost.
  void await_lost(std::size_t n);
  // Requests that were handed to it so far.
  std::size_t handled();
  // Takes the parked request whose body is `body`; nullopt when there is none.
  std::optional<Responder> take(const std::string& body);
  // Echoes it, on the calling thread.
  void release(const std::string& body);

  std::shared_ptr<const File> file;

 private:
  struct Waiting;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Waiting>> waiting_;
  std::size_t handled_ = 0;
  std::size_t parked_ = 0;
  std::size_t lost_ = 0;
};

void echo(Responder responder);

class TestServer {
 public:
  struct Options {
    std::size_t loops = 2;
    NetLimits limits{};
    const Clock* clock = nullptr;  // the system's when null
  };
  TestServer() : TestServer(Options{}) {}
  explicit TestServer(Options options);
  ~TestServer();

  std::uint16_t port() const { return port_; }
  ScriptedHandler& handler() { return handler_; }
  Server& server() { return *server_; }
  void stop();
  // Runs on every loop, and waits for it.
  void on_loops(const std::function<void(Loop&)>& what);
  // Waits until as many connections are open.
  void await_connections(std::size_t n);
  std::string log();

 private:
  static void keep_line(void* self, LogLevel level, std::string_view line);

  SystemClock system_clock_;
  std::mutex log_mutex_;
  std::string log_;
  Logger logger_;
  ScriptedHandler handler_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

}  // namespace milena::broker::testing
