// server_bench [ROUNDS [CONNECTIONS DEPTH BYTES]]: echo through Server against the same echo on raw epoll,
// side by side in one process.
//
// The raw loop is the floor: read what is there, answer every frame, one write. The server runs on processor
// 0, the client on processor 1. Rounds alternate, so that a noisy minute hits both; the ratio of each round
// is what counts.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "broker/net/socket_server.h"
#include "broker/net/testing/client.h"
#include "broker/net/testing/test_server.h"

namespace milena::broker {
namespace {

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double processor_seconds(pthread_t thread) {
  clockid_t clock{};
  pthread_getcpuclockid(thread, &clock);
  return seconds(clock);
}

// One thread, one epoll, a quarter of a megabyte per connection: nothing is faster, nothing is safe.
class RawEcho {
 public:
  RawEcho() : listener_(::socket(AF_INET, SOCK_STREAM, 0)), stop_(::eventfd(0, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    MILENA_ASSERT(listener_ >= 0, "socket");
    MILENA_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    MILENA_ASSERT(::listen(listener_, 1024) == 0, "listen");
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~RawEcho() {
    const std::uint64_t one = 1;
    MILENA_ASSERT(::write(stop_, &one, sizeof one) == sizeof one, "stop");
    thread_.join();
    ::close(listener_);
    ::close(stop_);
  }
  pthread_t thread() { return thread_.native_handle(); }
  std::uint16_t port = 0;

 private:
  struct Peer {
    int fd;
    std::size_t have = 0;
    std::vector<char> in = std::vector<char>(256 * 1024);
  };

  void run() {
    pin_to(0);
    pthread_setname_np(pthread_self(), "raw");
    const int epoll = ::epoll_create1(0);
    auto watch = [&](int fd, void* what) {
      epoll_event event{.events = EPOLLIN, .data = {.ptr = what}};
      ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    };
    watch(listener_, &listener_);
    watch(stop_, &stop_);
    std::vector<std::unique_ptr<Peer>> peers;
    std::string out;
    for (;;) {
      epoll_event events[128];
      const int n = ::epoll_wait(epoll, events, 128, -1);
      for (int i = 0; i < n; ++i) {
        if (events[i].data.ptr == &stop_) {
          for (auto& peer : peers) ::close(peer->fd);
          ::close(epoll);
          return;
        }
        if (events[i].data.ptr == &listener_) {
          const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
          const int yes = 1;
          ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
          peers.push_back(std::make_unique<Peer>(fd));
          watch(fd, peers.back().get());
          continue;
        }
        serve(*static_cast<Peer*>(events[i].data.ptr), out);
      }
    }
  }

  static void serve(Peer& peer, std::string& out) {
    const ssize_t got = ::read(peer.fd, peer.in.data() + peer.have, peer.in.size() - peer.have);
    if (got <= 0) return;
    peer.have += static_cast<std::size_t>(got);
    std::size_t at = 0;
    out.clear();
    while (peer.have - at >= 4) {
      const auto* head = reinterpret_cast<const std::byte*>(peer.in.data() + at);
      const auto size = static_cast<std::size_t>(load_be<std::int32_t>(head));
      if (peer.have - at < 4 + size) break;
      std::byte reply[8];  // size and correlation id, then the body: what follows the 11 bytes of header
      store_be(reply, static_cast<std::int32_t>(size - 7));
      std::memcpy(reply + 4, head + 8, 4);
      out.append(reinterpret_cast<const char*>(reply), sizeof reply);
      out.append(peer.in.data() + at + 15, size - 11);
      at += 4 + size;
    }
    for (std::size_t sent = 0; sent < out.size();) {
      const ssize_t n = ::send(peer.fd, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) break;
      if (n > 0) sent += static_cast<std::size_t>(n);  // else spins: the client reads all the time
    }
    std::memmove(peer.in.data(), peer.in.data() + at, peer.have - at);
    peer.have -= at;
  }

  int listener_;
  int stop_;
  std::thread thread_;
};

struct EchoHandler final : RequestHandler {
  void handle(Request&, Responder responder) override { testing::echo(std::move(responder)); }
};

class OurEcho {
 public:
  OurEcho() {
    loop_.start();
    loop_.post([this] {
      pin_to(0);
      thread_.set_value(pthread_self());
    });
    thread = thread_.get_future().get();
    port = server_.open({.name = "PLAINTEXT", .host = "127.0.0.1", .port = 0}).value();
    server_.start();
  }
  ~OurEcho() {
    server_.stop();
    loop_.stop();
    loop_.join();
  }
  std::uint16_t port = 0;
  pthread_t thread{};

 private:
  SystemClock clock_;
  Logger log_;
  EchoHandler handler_;
  std::promise<pthread_t> thread_;
  Loop loop_{clock_, "net"};
  Loop* loops_[1] = {&loop_};
  SocketServer server_{loops_, NetLimits{}, handler_, log_};
};

struct Load {
  int connections;
  int depth;
  std::size_t body;
};

struct Result {
  double requests_per_second;
  double server_us_per_request;
};

// A closed loop: every connection keeps `depth` requests on their way.
Result drive(std::uint16_t port, pthread_t server, const Load& load, double for_seconds) {
  pin_to(1);
  const std::string frame = testing::request_frame(7, std::string(load.body, 'e'));
  const std::size_t reply_size = 8 + load.body;
  struct Peer {
    int fd;
    std::size_t received = 0;
    std::size_t unsent = 0;
  };
  std::vector<Peer> peers;
  const int epoll = ::epoll_create1(0);
  std::string burst;
  for (int i = 0; i < load.depth; ++i) burst += frame;
  std::vector<char> in(1 << 20);
  auto pump = [&](Peer& peer) {
    while (peer.unsent > 0) {
      const std::size_t at = burst.size() - peer.unsent % burst.size();
      const std::size_t from = at == burst.size() ? 0 : at;
      const ssize_t n =
          ::send(peer.fd, burst.data() + from, std::min(peer.unsent, burst.size() - from), MSG_NOSIGNAL);
      if (n <= 0) return;
      peer.unsent -= static_cast<std::size_t>(n);
    }
  };
  for (int i = 0; i < load.connections; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    MILENA_ASSERT(fd >= 0, "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    MILENA_ASSERT(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    peers.push_back({.fd = fd});
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = i}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event);
    peers[i].unsent = burst.size();
    pump(peers[i]);
  }
  std::size_t done = 0;
  bool warm = false;
  double began = seconds(CLOCK_MONOTONIC), used = 0;
  const double warm_until = began + for_seconds * 0.3, end = warm_until + for_seconds;
  double now = began;
  while (now < end) {
    if (!warm && now > warm_until) {
      warm = true;
      done = 0;
      began = now;
      used = processor_seconds(server);
    }
    epoll_event events[128];
    const int n = ::epoll_wait(epoll, events, 128, 100);
    for (int i = 0; i < n; ++i) {
      Peer& peer = peers[events[i].data.u64];
      for (;;) {
        const ssize_t got = ::recv(peer.fd, in.data(), in.size(), 0);
        if (got <= 0) break;
        const std::size_t before = peer.received / reply_size;
        peer.received += static_cast<std::size_t>(got);
        const std::size_t answered = peer.received / reply_size - before;
        done += answered;
        peer.unsent += answered * frame.size();
        if (static_cast<std::size_t>(got) < in.size()) break;
      }
      pump(peer);
    }
    now = seconds(CLOCK_MONOTONIC);
  }
  const double elapsed = now - began;
  used = processor_seconds(server) - used;
  for (const Peer& peer : peers) ::close(peer.fd);
  ::close(epoll);
  return {static_cast<double>(done) / elapsed, used / static_cast<double>(done) * 1e6};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void compare(const Load& load, int rounds) {
  std::vector<double> raw_rate, our_rate, raw_cost, our_cost, rate_ratio, cost_ratio;
  for (int i = 0; i < rounds; ++i) {
    Result raw, ours;
    {
      RawEcho server;
      raw = drive(server.port, server.thread(), load, 0.5);
    }
    {
      OurEcho server;
      ours = drive(server.port, server.thread, load, 0.5);
    }
    raw_rate.push_back(raw.requests_per_second);
    our_rate.push_back(ours.requests_per_second);
    raw_cost.push_back(raw.server_us_per_request);
    our_cost.push_back(ours.server_us_per_request);
    rate_ratio.push_back(ours.requests_per_second / raw.requests_per_second);
    cost_ratio.push_back(ours.server_us_per_request / raw.server_us_per_request);
  }
  fmt::print(
      "{:4} connections x {} deep, {:6} B | epoll {:8.0f}/s {:6.2f} us | ours {:8.0f}/s {:6.2f} us | rate "
      "x{:.2f} cpu x{:.2f}\n",
      load.connections, load.depth, load.body, median(raw_rate), median(raw_cost), median(our_rate),
      median(our_cost), median(rate_ratio), median(cost_ratio));
  std::fflush(stdout);
}

}  // namespace
}  // namespace milena::broker

int main(int argc, char** argv) {
  using milena::broker::compare;
  using milena::broker::Load;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  if (argc > 4) {
    compare({std::atoi(argv[2]), std::atoi(argv[3]), static_cast<std::size_t>(std::atoi(argv[4]))}, rounds);
    return 0;
  }
  for (const Load& load : {Load{1, 1, 128},
                           {16, 1, 128},
                           {128, 1, 128},
                           {32, 8, 128},
                           {4, 5, 1024},
                           {4, 5, 16384},
                           {4, 5, 65536}}) {
    compare(load, rounds);
  }
}
