#include "broker/admin/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "broker/admin/testing/http_client.h"

namespace milena::broker {
namespace {

using testing::Client;
using testing::http_get;
using testing::http_request;
using testing::parsed;
using testing::read_all;

class HttpServerTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kLarge = 64 * 1024 * 1024;  // more than sockets take

  void start(HttpServer::Limits limits = {}) {
    server_.emplace(loop_, limits,
                    std::map<std::string, HttpServer::Page, std::less<>>{
                        {"/hello",
                         [this] {
                           ++hellos_;
                           return HttpServer::Response{.body = "hello\n"};
                         }},
                        {"/failing", [] { return HttpServer::Response{.status = 503, .body = "no\n"}; }},
                        {"/large", [] { return HttpServer::Response{.body = std::string(kLarge, 'x')}; }}},
                    log_);
    const auto port = server_->open("127.0.0.1", 0);
    ASSERT_TRUE(port) << port.error();
    port_ = *port;
    loop_.start();
    server_->start();
    is_running_ = true;
  }
  void stop() {
    if (!std::exchange(is_running_, false)) return;
    server_->stop(runtime_);
    loop_.stop();
    loop_.join();
  }
  void TearDown() override { stop(); }

  std::string answer_to(const std::string& bytes) {
    Client client(port_);
    EXPECT_TRUE(client.send(bytes));
    return read_all(client);
  }
  // One answer to a request for /hello on a connection that stays open.
  static void expect_hello(Client& client) {
    ASSERT_TRUE(client.send(http_request("GET", "/hello")));
    std::string bytes;
    while (bytes.find("hello\n") == std::string::npos) {
      const std::string byte = client.receive_bytes(1);
      ASSERT_FALSE(byte.empty()) << bytes;
      bytes += byte;
    }
    EXPECT_EQ(parsed(bytes).status, 200) << bytes;
  }

  ThreadRuntime runtime_;
  SystemClock clock_;
  Logger log_{LogLevel::kError};
  Loop loop_{clock_, "http"};
  std::optional<HttpServer> server_;
  std::uint16_t port_ = 0;
  bool is_running_ = false;
  std::atomic<int> hellos_ = 0;
};

TEST_F(HttpServerTest, APageIsServed) {
  start();
  const auto answer = http_get(port_, "/hello?any=thing");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello\n");
  EXPECT_NE(answer.head.find("Content-Type: text/plain; charset=utf-8"), std::string::npos) << answer.head;
  EXPECT_NE(answer.head.find("Content-Length: 6"), std::string::npos) << answer.head;
  EXPECT_EQ(http_get(port_, "/failing").status, 503);
}

TEST_F(HttpServerTest, AConnectionIsUsedAgain) {
  start();
  Client client(port_);
  for (int i = 0; i < 3; ++i) expect_hello(client);
}

TEST_F(HttpServerTest, RequestsInOnePieceAreAnsweredInOrder) {
  start();
  const std::string bytes = answer_to(http_request("GET", "/hello") + http_request("GET", "/missing") +
                                      http_request("GET", "/hello", "Connection: close\r\n"));
  const auto first = bytes.find("200 OK"), second = bytes.find("404 Not Found"),
             third = bytes.rfind("200 OK");
  EXPECT_TRUE(first < second && second < third && third != std::string::npos) << bytes;
  EXPECT_EQ(hellos_, 2);
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  start();
  const auto answer = parsed(answer_to(http_request("HEAD", "/hello", "Connection: close\r\n")));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_NE(answer.head.find("Content-Length: 6"), std::string::npos) << answer.head;
}

TEST_F(HttpServerTest, WhatIsNotThereOrNotAllowedIsRefused) {
  start();
  EXPECT_EQ(http_get(port_, "/").status, 404);
  EXPECT_EQ(http_get(port_, "/hello/").status, 404);
  const auto answer = parsed(answer_to(http_request("DELETE", "/hello", "Connection: close\r\n")));
  EXPECT_EQ(answer.status, 405);
  EXPECT_NE(answer.head.find("Allow: GET, HEAD"), std::string::npos) << answer.head;
  EXPECT_EQ(hellos_, 0);
}

TEST_F(HttpServerTest, ABodyIsNotReadAndEndsTheConnection) {
  start();
  const std::string body(20'000, 'b');
  EXPECT_EQ(parsed(answer_to(http_request("POST", "/hello", "Content-Length: 20000\r\n") + body)).status,
            405);
  EXPECT_EQ(parsed(answer_to(http_request("GET", "/hello", "Content-Length: 20000\r\n") + body)).status, 200);
  EXPECT_EQ(parsed(answer_to(http_request("GET", "/hello", "Transfer-Encoding: chunked\r\n"))).status, 200);
}

TEST_F(HttpServerTest, ALongHeaderIsRefused) {
  start();
  const std::string field = "X-Long: " + std::string(9000, 'x') + "\r\n";
  EXPECT_EQ(parsed(answer_to(http_request("GET", "/hello", field))).status, 431);
  EXPECT_EQ(parsed(answer_to("GET /" + std::string(20'000, 'p'))).status, 431);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "X-" + std::to_string(i) + ": some\r\n";
  EXPECT_EQ(parsed(answer_to(http_request("GET", "/hello", many))).status, 431);
  EXPECT_EQ(hellos_, 0);
}

TEST_F(HttpServerTest, WhatIsNotHttpIsRefused) {
  start();
  EXPECT_EQ(parsed(answer_to(std::string("\0\0\0\x1e\0\x12\0\3", 8) + std::string(40, '\0'))).status, 400);
  EXPECT_EQ(parsed(answer_to("hello\r\n\r\n")).status, 400);
}

TEST_F(HttpServerTest, ASlowRequestEndsAndASilentConnectionToo) {
  start({.idle = Instant{100}, .request = Instant{100}});
  Client slow(port_), silent(port_);
  ASSERT_TRUE(slow.send("GET /hel"));
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(http_get(port_, "/hello").status, 200);
}

TEST_F(HttpServerTest, APeerThatTakesNoAnswerHoldsUpNobody) {
  start();
  Client greedy(port_, {.receive_buffer = 4096, .bind_to = {}});
  ASSERT_TRUE(greedy.send(http_request("GET", "/large")));
  while (greedy.readable() == 0) std::this_thread::yield();
  EXPECT_EQ(http_get(port_, "/hello").status, 200);
}

TEST_F(HttpServerTest, AnAnswerThatIsNotTakenInTimeIsCutOff) {
  start({.response = Instant{1}});
  Client greedy(port_, {.receive_buffer = 4096, .bind_to = {}});
  ASSERT_TRUE(greedy.send(http_request("GET", "/large")));
  EXPECT_LT(read_all(greedy).size(), kLarge);
}

TEST_F(HttpServerTest, AHundredConnectionsKeepNoNewOneOut) {
  start();
  std::vector<Client> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.emplace_back(port_);
    expect_hello(crowd.back());
  }
  EXPECT_EQ(http_get(port_, "/hello").status, 200);
  // The longest silent ones had to go, the newest are still served.
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(crowd[static_cast<std::size_t>(i)].closed()) << i;
  expect_hello(crowd.back());
}

TEST_F(HttpServerTest, AStopClosesConnectionsInWhateverState) {
  start();
  Client silent(port_), slow(port_), greedy(port_, {.receive_buffer = 4096, .bind_to = {}});
  ASSERT_TRUE(slow.send("GET /hel"));
  ASSERT_TRUE(greedy.send(http_request("GET", "/large")));
  while (greedy.readable() == 0) std::this_thread::yield();
  stop();
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(slow.closed());
  EXPECT_LT(read_all(greedy).size(), kLarge);
}

TEST_F(HttpServerTest, APortThatIsTakenIsOneSentence) {
  start();
  HttpServer second(loop_, {}, {}, log_);
  const auto port = second.open("127.0.0.1", port_);
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().find("The metrics listener failed to bind to 127.0.0.1:"), std::string::npos)
      << port.error();
}

}  // namespace
}  // namespace milena::broker
