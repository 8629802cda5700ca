// The limits: what a client may cost, and when it has to go.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "broker/net/connection_counts.h"
#include "broker/net/testing/client.h"
#include "broker/net/testing/test_server.h"

namespace milena::broker {
namespace {

using testing::Client;
using testing::frame_of_size;
using testing::request_frame;
using testing::Response;
using testing::TestServer;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::size_t resident_bytes() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void allow_descriptors(rlim_t n) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, std::max(limit.rlim_cur, n));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

NetLimits small_buffers() {
  NetLimits limits;
  limits.send_buffer_bytes = 64 * 1024;
  limits.receive_buffer_bytes = 64 * 1024;
  return limits;
}

TEST(ServerLimits, AClientThatNeverReadsIsNotReadFrom) {
  TestServer server({.limits = small_buffers()});
  Client client(server.port(), {.receive_buffer = 64 * 1024, .bind_to = ""});
  constexpr int kRequests = 100'000;
  std::string stream;
  for (int i = 0; i < kRequests; ++i) stream += request_frame(i, "m1000" + std::string(100, ' '));
  std::size_t sent = 0;
  for (std::size_t last = 1; last != sent;) {
    last = sent;
    sent += client.send_some(std::string_view(stream).substr(sent));
    Client other(server.port());  // gives the server time, and others must be served
    ASSERT_TRUE(other.send(request_frame(1, "e")));
    ASSERT_EQ(other.receive(), (Response{1, "e"}));
  }
  EXPECT_LT(sent, stream.size()) << "somebody swallowed 100,000 requests";
  const std::size_t handled = server.handler().handled();
  EXPECT_LT(handled * 1000, 8u << 20) << "replies pile up";
  std::thread sender([&] { client.send(std::string_view(stream).substr(sent)); });
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client.receive()->correlation_id, i);
  sender.join();
}

TEST(ServerLimits, OnlySoManyRequestsOfAConnectionAreInFlight) {
  NetLimits limits;
  limits.in_flight_max = 4;
  TestServer server({.loops = 1, .limits = limits});
  Client client(server.port()), other(server.port());
  std::string stream;
  for (int i = 0; i < 10; ++i) stream += request_frame(i, "p" + std::to_string(i));
  ASSERT_TRUE(client.send(stream));
  server.handler().await_parked(4);
  ASSERT_TRUE(other.send(request_frame(1, "e")));
  EXPECT_EQ(other.receive(), (Response{1, "e"}));
  EXPECT_EQ(server.handler().handled(), 5u);
  for (int i = 0; i < 10; ++i) {
    server.handler().await_parked(static_cast<std::size_t>(i) + 1);
    server.handler().release("p" + std::to_string(i));
    EXPECT_EQ(client.receive(), (Response{i, "p" + std::to_string(i)}));
  }
}

struct WithManualClock : ::testing::Test {
  void advance(Instant by) {
    server.on_loops([&](Loop& loop) {
      clock.advance(by);
      loop.run_due_timers();
    });
  }
  ManualClock clock;
  TestServer server{{.loops = 1, .limits = small_buffers(), .clock = &clock}};
};

TEST_F(WithManualClock, IdleConnectionsAreClosedAndBusyOnesAreNot) {
  Client idle(server.port()), active(server.port()), parked(server.port());
  ASSERT_TRUE(parked.send(request_frame(1, "p")));
  server.handler().await_parked(1);
  server.await_connections(3);
  for (int minute = 0; minute < 12; ++minute) {
    ASSERT_TRUE(active.send(request_frame(minute, "e")));
    ASSERT_EQ(active.receive(), (Response{minute, "e"}));
    advance(Instant{60'000});
  }
  EXPECT_TRUE(idle.closed());
  server.await_connections(2);
  server.handler().release("p");
  EXPECT_EQ(parked.receive(), (Response{1, "p"}));
  advance(Instant{8 * 60'000});
  EXPECT_EQ(server.server().connections(), 2u);
  advance(Instant{3 * 60'000});
  EXPECT_TRUE(parked.closed());
}

TEST_F(WithManualClock, ABusyConnectionThatFallsSilentGivesItsBufferBackAndGoesOn) {
  Client client(server.port());
  for (int minute = 0; minute < 3; ++minute) {
    for (int i = 0; i < 5; ++i) {  // more than fits into the connection's own kilobyte
      const std::string body = "e" + std::string(5000, 'x');
      ASSERT_TRUE(client.send(request_frame(i, body)));
      ASSERT_EQ(client.receive(), (Response{i, body}));
    }
    for (int i = 0; i < 3; ++i) advance(Instant{1500});
    advance(Instant{60'000});
  }
  EXPECT_EQ(server.server().connections(), 1u);
}

TEST_F(WithManualClock, AClientThatStopsReadingForAWhileIsServedOn) {
  Client client(server.port(), {.receive_buffer = 64 * 1024, .bind_to = ""});
  Client other(server.port());
  for (int i = 0; i < 5; ++i) {  // busy: it gets a larger buffer to read into
    const std::string body = "e" + std::string(5000, 'x');
    ASSERT_TRUE(client.send(request_frame(i, body)));
    ASSERT_EQ(client.receive(), (Response{i, body}));
  }
  constexpr int kRequests = 100'000;
  std::string stream;
  for (int i = 0; i < kRequests; ++i) stream += request_frame(i, "m1000" + std::string(100, ' '));
  std::size_t sent = 0;
  for (std::size_t last = 1; last != sent;) {
    last = sent;
    sent += client.send_some(std::string_view(stream).substr(sent));
    ASSERT_TRUE(other.send(request_frame(1, "e")));  // gives the server time
    ASSERT_EQ(other.receive(), (Response{1, "e"}));
  }
  ASSERT_LT(sent, stream.size());
  for (int i = 0; i < 60; ++i) advance(Instant{1500});
  ASSERT_EQ(server.server().connections(), 2u);
  std::thread sender([&] { client.send(std::string_view(stream).substr(sent)); });
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client.receive()->correlation_id, i);
  sender.join();
}

TEST_F(WithManualClock, ARequestMustArriveInTime) {
  Client header(server.port()), small(server.port()), large(server.port());
  ASSERT_TRUE(header.send(std::string_view("\0\0", 2)));
  ASSERT_TRUE(small.send(request_frame(1, std::string(200, 'e')).substr(0, 20)));
  ASSERT_TRUE(large.send(frame_of_size(64 * 1024 * 100, "just the beginning")));
  server.await_connections(3);
  server.on_loops([](Loop&) {});
  for (int second = 0; second < 29; ++second) {
    ASSERT_TRUE(small.send("x"));
    advance(Instant{1000});
  }
  EXPECT_EQ(server.server().connections(), 3u);
  advance(Instant{2000});
  EXPECT_TRUE(header.closed());
  EXPECT_TRUE(small.closed()) << "a byte a second is not enough";
  EXPECT_EQ(server.server().connections(), 1u) << "100 seconds more for 6.4 MB";
  advance(Instant{100'000});
  EXPECT_TRUE(large.closed());
  EXPECT_NE(server.log().find("did not arrive in time"), std::string::npos);
}

TEST_F(WithManualClock, AHalfClosedPeerIsNotWaitedForForever) {
  Client client(server.port());
  ASSERT_TRUE(client.send(request_frame(1, "p")));
  client.shut_down_sending();
  server.handler().await_parked(1);
  server.on_loops([](Loop&) {});
  server.on_loops([](Loop&) {});
  advance(Instant{9'000});
  EXPECT_EQ(server.server().connections(), 1u);
  advance(Instant{2'000});
  server.handler().await_lost(1);
  EXPECT_TRUE(client.closed());
}

TEST(ServerLimits, AtMaxConnectionsTheNextOneWaitsForItsTurn) {
  NetLimits limits;
  limits.connections.all.max = 2;
  TestServer server({.limits = limits});
  auto first = std::make_unique<Client>(server.port());
  Client second(server.port());
  server.await_connections(2);
  Client third(server.port());
  ASSERT_TRUE(third.send(request_frame(3, "e")));
  ASSERT_TRUE(second.send(request_frame(2, "e")));
  EXPECT_EQ(second.receive(), (Response{2, "e"}));
  EXPECT_EQ(third.readable(), 0u);
  first.reset();
  EXPECT_EQ(third.receive(), (Response{3, "e"}));
}

TEST(ServerLimits, LimitsThatChangeHoldForTheNextConnection) {
  TestServer server;
  Client first(server.port()), second(server.port());
  server.await_connections(2);
  ConnectionLimits limits;
  limits.all.max = 2;
  server.server().set_connection_limits(limits);
  Client third(server.port());
  ASSERT_TRUE(third.send(request_frame(3, "e")));
  ASSERT_TRUE(second.send(request_frame(2, "e")));
  EXPECT_EQ(second.receive(), (Response{2, "e"})) << "what is open stays open";
  EXPECT_EQ(third.readable(), 0u);
  limits.all.max = 3;
  server.server().set_connection_limits(limits);
  EXPECT_EQ(third.receive(), (Response{3, "e"}));
  limits.per_ip_max = 1;
  limits.all.max = ConnectionLimits::kNone;
  server.server().set_connection_limits(limits);
  EXPECT_TRUE(Client(server.port()).closed());
}

TEST(ConnectionCounts, ConnectionsAreCreatedNoFasterThanTheRate) {
  ConnectionCounts counts({.all = {.max = 100, .creation_rate_max = 10}, .creation_burst_seconds = 2});
  Instant now{1000};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(counts.wait_to_create("A", now), Instant{0}) << i;
  EXPECT_EQ(counts.wait_to_create("A", now), Instant{100});
  now += Instant{50};
  EXPECT_EQ(counts.wait_to_create("A", now), Instant{50});
  now += Instant{50};
  EXPECT_EQ(counts.wait_to_create("A", now), Instant{0});
  EXPECT_EQ(counts.wait_to_create("A", now), Instant{100});
  counts.set_limits({.all = {.max = 100, .creation_rate_max = 0}});
  EXPECT_GT(counts.wait_to_create("A", now + Instant{1'000'000}), Instant{0}) << "none at all";
  counts.set_limits({.all = {.max = 100}});
  EXPECT_EQ(counts.wait_to_create("A", now + Instant{1'000'001}), Instant{0});
}

TEST(ConnectionCounts, AListenerMayHaveLimitsOfItsOwn) {
  ConnectionCounts counts({.all = {.max = 100},
                           .by_listener = {{"A", {.max = 1}}, {"B", {.creation_rate_max = 1}}},
                           .creation_burst_seconds = 1});
  EXPECT_TRUE(counts.admit("A", "h"));
  EXPECT_TRUE(counts.full("A"));
  EXPECT_FALSE(counts.full("B"));
  EXPECT_EQ(counts.wait_to_create("B", Instant{0}), Instant{0});
  EXPECT_EQ(counts.wait_to_create("B", Instant{0}), Instant{1000});
  EXPECT_EQ(counts.wait_to_create("A", Instant{0}), Instant{0});
  counts.leave("A", "h");
  EXPECT_FALSE(counts.full("A"));
}

TEST(ServerLimits, AnAddressWithTooManyConnectionsIsClosedAtOnce) {
  NetLimits limits;
  limits.connections.per_ip_max = 3;
  limits.connections.per_ip_overrides["127.0.0.2"] = 1;
  TestServer server({.limits = limits});
  Client one(server.port(), {.bind_to = "127.0.0.2"});
  server.await_connections(1);
  Client two(server.port(), {.bind_to = "127.0.0.2"});
  EXPECT_TRUE(two.closed());
  Client other(server.port(), {.bind_to = "127.0.0.3"});
  ASSERT_TRUE(other.send(request_frame(1, "e")));
  EXPECT_EQ(other.receive(), (Response{1, "e"}));
  ASSERT_TRUE(one.send(request_frame(1, "e")));
  EXPECT_EQ(one.receive(), (Response{1, "e"}));
}

TEST(ServerLimits, WhileRequestsHoldAllMemoryOthersWaitAndThenGoOn) {
  NetLimits limits;
  limits.request_bytes_max = 100 * 1024;
  TestServer server({.loops = 1, .limits = limits});
  Client greedy(server.port()), patient(server.port());
  ASSERT_TRUE(patient.send(request_frame(1, "e")));
  EXPECT_EQ(patient.receive(), (Response{1, "e"}));
  const std::string body = "p" + std::string(60'000, 'x');
  ASSERT_TRUE(greedy.send(request_frame(1, body) + request_frame(2, body)));
  server.handler().await_parked(2);
  ASSERT_TRUE(patient.send(request_frame(2, "e")));
  EXPECT_EQ(patient.receive(), (Response{2, "e"})) << "its kilobyte was waited for already";
  ASSERT_TRUE(patient.send(request_frame(3, "e")));
  server.on_loops([](Loop&) {});
  server.on_loops([](Loop&) {});
  EXPECT_EQ(patient.readable(), 0u);
  server.handler().release(body);
  server.handler().release(body);
  EXPECT_EQ(patient.receive(), (Response{3, "e"}));
}

TEST(ServerLimits, TwoThousandHalfRequestsCostWhatWasSent) {
  allow_descriptors(5000);
  TestServer server;
  Client good(server.port());
  const std::size_t before = resident_bytes();
  std::vector<Client> bad;
  const std::string start = frame_of_size(1'000'000, std::string(100, 'x'));
  for (int i = 0; i < 2000; ++i) {
    bad.emplace_back(server.port());
    ASSERT_TRUE(bad.back().send(start));
  }
  server.await_connections(2001);
  ASSERT_TRUE(good.send(request_frame(1, "e still there")));
  EXPECT_EQ(good.receive(), (Response{1, "e still there"}));
  if (!kSanitized) EXPECT_LT(resident_bytes() - before, 40u << 20);
}

TEST(ServerLimits, HalfRequestsThatAreReallySentStayWithinTheBudgetAndOthersAreServed) {
  NetLimits limits;
  limits.partial_bytes_max = 16 * 1024 * 1024;
  TestServer server({.loops = 1, .limits = limits});
  Client good(server.port());
  const std::size_t before = resident_bytes();
  std::vector<Client> bad;
  const std::string half = frame_of_size(1'000'000, std::string(500'000, 'x'));
  for (int i = 0; i < 100; ++i) {
    bad.emplace_back(server.port());
    bad.back().send_some(half);
    ASSERT_TRUE(good.send(request_frame(i, "e")));
    ASSERT_EQ(good.receive(), (Response{i, "e"}));
  }
  if (!kSanitized) EXPECT_LT(resident_bytes() - before, 40u << 20);
  // A large request of somebody else gets through: those who stand still are given up.
  const std::string large = "e" + std::string(900'000, 'y');
  std::thread sender([&] { good.send(request_frame(7, large)); });
  const auto response = good.receive();
  sender.join();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, large);
}

TEST(ServerLimits, OutOfDescriptorsItWaitsAndGoesOn) {
  if (kSanitized) GTEST_SKIP() << "the sanitizers need descriptors, too";
  TestServer server;
  Client client = Client::unconnected();
  allow_descriptors(0);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 256, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::vector<int> fillers;
  for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0;
       fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    fillers.push_back(fd);
  }
  client.connect(server.port());
  for (int i = 0; i < 20'000 && server.log().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (int fd : fillers) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(server.log(), "Error while accepting connection on PLAINTEXT: Too many open files\n");
  ASSERT_TRUE(client.send(request_frame(1, "e")));
  EXPECT_EQ(client.receive(), (Response{1, "e"}));
}

}  // namespace
}  // namespace milena::broker
