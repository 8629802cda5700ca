// The server over real sockets: framing, order, replies of every kind, how connections end.
#include "broker/net/socket_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/posix_fs.h"
#include "base/rng.h"
#include "broker/net/testing/client.h"
#include "broker/net/testing/test_server.h"
#include "broker/net/unserved_requests.h"

namespace milena::broker {
namespace {

using testing::Client;
using testing::frame_of_size;
using testing::request_frame;
using testing::Response;
using testing::TestServer;

std::string body_of(std::size_t size, char fill = 'x') { return "e" + std::string(size - 1, fill); }

TEST(Server, AnswersTheSameWhereverARequestIsSplit) {
  TestServer server;
  const std::string frame = request_frame(7, "echo this");
  for (std::size_t cut = 1; cut < frame.size(); ++cut) {
    Client client(server.port());
    ASSERT_TRUE(client.send(std::string_view(frame).substr(0, cut)));
    ASSERT_TRUE(client.send(std::string_view(frame).substr(cut)));
    ASSERT_EQ(client.receive(), (Response{7, "echo this"})) << "split at " << cut;
  }
  Client client(server.port());
  for (char c : frame) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.receive(), (Response{7, "echo this"}));
}

TEST(Server, AnswersManyRequestsOfOneSegmentInOrder) {
  TestServer server;
  Client client(server.port());
  std::string stream;
  for (int i = 0; i < 5000; ++i) stream += request_frame(i, "e" + std::to_string(i));
  std::thread sender([&] { client.send(stream); });
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(client.receive(), (Response{i, "e" + std::to_string(i)}));
  sender.join();
}

TEST(Server, EchoesBodiesOfEverySizeClass) {
  TestServer server;
  Client client(server.port());
  for (const auto size : std::vector<std::size_t>{1, 1000, 1009, 1010, 1500, 4085, 4086, 4096, 60'000, 65'525,
                                                  65'526, 70'000, 131'072, 1'000'000, 5'000'000}) {
    const std::string body = body_of(size);
    std::thread sender([&] { client.send(request_frame(1, body)); });
    const auto response = client.receive();
    sender.join();
    ASSERT_TRUE(response) << size;
    ASSERT_EQ(response->body, body) << size;
  }
}

TEST(Server, KeepsTheOrderWhenLaterRequestsAreAnsweredFirst) {
  TestServer server;
  Client client(server.port());
  ASSERT_TRUE(client.send(request_frame(1, "p one") + request_frame(2, "e two") +
                          request_frame(3, "p three") + request_frame(4, "n") + request_frame(5, "e five")));
  server.handler().await_parked(2);
  server.handler().release("p three");
  EXPECT_EQ(client.readable(), 0u);
  server.handler().release("p one");
  EXPECT_EQ(client.receive(), (Response{1, "p one"}));
  EXPECT_EQ(client.receive(), (Response{2, "e two"}));
  EXPECT_EQ(client.receive(), (Response{3, "p three"}));
  EXPECT_EQ(client.receive(), (Response{5, "e five"}));
}

TEST(Server, ARequestMayHoldThoseBehindItUntilItIsAnswered) {
  TestServer server;
  Client client(server.port());
  ASSERT_TRUE(
      client.send(request_frame(1, "p one") + request_frame(2, "h two") + request_frame(3, "p three")));
  server.handler().await_parked(2);
  EXPECT_EQ(server.handler().handled(), 2u);
  server.handler().release("h two");  // while the first still waits
  server.handler().await_parked(3);
  EXPECT_EQ(client.readable(), 0u);
  server.handler().release("p one");
  EXPECT_EQ(client.receive(), (Response{1, "p one"}));
  EXPECT_EQ(client.receive(), (Response{2, "h two"}));
  server.handler().release("p three");
  EXPECT_EQ(client.receive(), (Response{3, "p three"}));
}

TEST(Server, AnAnswerMayComeFromAnyThread) {
  TestServer server;
  Client client(server.port());
  std::string stream;
  for (int i = 0; i < 60; ++i) stream += request_frame(i, "p" + std::to_string(i));
  ASSERT_TRUE(client.send(stream));
  server.handler().await_parked(60);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&server, t] {
      for (int i = 59 - t; i >= 0; i -= 3) server.handler().release("p" + std::to_string(i));
    });
  }
  for (int i = 0; i < 60; ++i) ASSERT_EQ(client.receive(), (Response{i, "p" + std::to_string(i)}));
  for (auto& thread : threads) thread.join();
}

TEST(Server, CloseComesAfterTheRepliesBeforeIt) {
  TestServer server;
  Client client(server.port());
  ASSERT_TRUE(client.send(request_frame(1, "p") + request_frame(2, "e") + request_frame(3, "c") +
                          request_frame(4, "e")));
  server.handler().await_parked(1);
  server.handler().release("p");
  EXPECT_EQ(client.receive(), (Response{1, "p"}));
  EXPECT_EQ(client.receive(), (Response{2, "e"}));
  EXPECT_TRUE(client.closed());
  server.await_connections(0);
}

TEST(Server, ADroppedRequestClosesTheConnection) {
  TestServer server;
  Client client(server.port());
  ASSERT_TRUE(client.send(request_frame(1, "d")));
  EXPECT_TRUE(client.closed());
}

TEST(Server, TellsParkedRequestsThatTheirConnectionIsLost) {
  TestServer server;
  Client client(server.port());
  ASSERT_TRUE(client.send(request_frame(1, "p one") + request_frame(2, "p two")));
  server.handler().await_parked(2);
  client.reset();
  server.handler().await_lost(2);
  server.await_connections(0);
}

TEST(Server, AnAnswerAfterTheConnectionIsLostGoesNowhere) {
  TestServer server;
  Client client(server.port());
  ASSERT_TRUE(client.send(request_frame(1, "p one")));
  server.handler().await_parked(1);
  auto responder = server.handler().take("p one");
  ASSERT_TRUE(responder);
  client.reset();
  server.await_connections(0);
  testing::echo(*std::move(responder));
}

TEST(Server, AnswersAHalfClosedClientThenCloses) {
  TestServer server;
  Client client(server.port());
  ASSERT_TRUE(client.send(request_frame(1, "p") + request_frame(2, "e two")));
  client.shut_down_sending();
  server.handler().await_parked(1);
  server.handler().release("p");
  EXPECT_EQ(client.receive(), (Response{1, "p"}));
  EXPECT_EQ(client.receive(), (Response{2, "e two"}));
  EXPECT_TRUE(client.closed());
  server.await_connections(0);
}

TEST(Server, ClosesOnSizesThatNoRequestHasAndServesTheOthersOn) {
  TestServer server;
  Client good(server.port());
  for (const std::int32_t size : {-1, std::numeric_limits<std::int32_t>::min(), 0, 1, 7, 9,
                                  100 * 1024 * 1024 + 1, std::numeric_limits<std::int32_t>::max()}) {
    Client bad(server.port());
    ASSERT_TRUE(bad.send(frame_of_size(size, "12345678")));
    EXPECT_TRUE(bad.closed()) << size;
    ASSERT_TRUE(good.send(request_frame(size, "still there")));
    EXPECT_EQ(good.receive(), (Response{size, "still there"}));
  }
  EXPECT_NE(server.log().find("the size of a request"), std::string::npos);
}

TEST(Server, ClosesOnUnknownApisAndVersionsButNotOnAnUnknownApiVersionsVersion) {
  TestServer server;
  auto request = [](std::int16_t key, std::int16_t version) {
    std::string frame = request_frame(5, "e");
    store_be(reinterpret_cast<std::byte*>(frame.data() + 4), key);
    store_be(reinterpret_cast<std::byte*>(frame.data() + 6), version);
    return frame;
  };
  for (const auto& [key, version] : std::vector<std::pair<std::int16_t, std::int16_t>>{
           {-1, 0}, {32767, 0}, {4, 0}, {500, 3}, {3, -1}, {3, 99}, {0, 99}}) {
    Client client(server.port());
    ASSERT_TRUE(client.send(request(key, version)));
    EXPECT_TRUE(client.closed()) << key << " v" << version;
  }
  Client client(server.port());
  std::string frame = request(18, 99);
  frame.insert(15, 1, '\0');  // no tagged fields: version 99 is surely flexible
  frame[3] = static_cast<char>(frame.size() - 4);
  ASSERT_TRUE(client.send(frame));
  EXPECT_EQ(client.receive(), (Response{5, "e"}));
}

TEST(Server, NamesAClientOnceForEachRequestThatIsNotServed) {
  TestServer server;
  const auto attempt = [&](std::int16_t version) {
    std::string frame = request_frame(5, "e");
    store_be(reinterpret_cast<std::byte*>(frame.data() + 6), version);
    Client client(server.port());
    ASSERT_TRUE(client.send(frame));
    EXPECT_TRUE(client.closed());
  };
  const auto lines_with = [&](std::string_view text) {
    const std::string log = server.log();
    std::size_t lines = 0;
    for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++lines;
    return lines;
  };
  for (int times = 0; times < 3; ++times) attempt(99);
  EXPECT_EQ(lines_with("Metadata (3) version 99 is not served here; client id t, software unknown"), 1);
  attempt(98);
  EXPECT_EQ(lines_with("Metadata (3) version 98 is not served here"), 1);
  EXPECT_EQ(lines_with("closing connection"), 2);
}

TEST(Server, TheMemoryOfRequestsThatAreNotServedIsBounded) {
  UnservedRequests unserved;
  for (std::size_t i = 0; i < UnservedRequests::kMaxRemembered; ++i) {
    EXPECT_TRUE(unserved.is_first(std::to_string(i)));
    EXPECT_FALSE(unserved.is_first("0"));
  }
  EXPECT_TRUE(unserved.is_first("one too many"));
  EXPECT_TRUE(unserved.is_first("0")) << "all were forgotten";
}

TEST(Server, ARequestThatClosesItsConnectionIsNamed) {
  TestServer server;
  Client client(server.port());
  ASSERT_TRUE(client.send(request_frame(5, "c")));
  EXPECT_TRUE(client.closed());
  EXPECT_NE(server.log().find("Metadata (3) version 4, client id t, software unknown"), std::string::npos);
}

TEST(Server, ClosesOnBytesThatAreNoKafka) {
  TestServer server;
  for (const std::string_view bytes :
       {std::string_view("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)}) {
    Client client(server.port());
    ASSERT_TRUE(client.send(bytes));
    EXPECT_TRUE(client.closed());
  }
  SeededRng rng(3);
  for (int i = 0; i < 50; ++i) {
    Client client(server.port());
    std::string noise(200, '\0');
    for (char& c : noise) c = static_cast<char>(rng.next());
    client.send(noise);
    client.shut_down_sending();
    EXPECT_TRUE(client.closed());
  }
}

TEST(Server, RepeatsAnyCorrelationId) {
  TestServer server;
  Client client(server.port());
  for (const std::int32_t id :
       {0, -1, 5, 5, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
    ASSERT_TRUE(client.send(request_frame(id, "e")));
    EXPECT_EQ(client.receive(), (Response{id, "e"}));
  }
}

struct FileReplies : ::testing::Test {
  FileReplies() {
    directory = std::filesystem::temp_directory_path() / ("milena-net-" + std::to_string(SystemRng().next()));
    std::filesystem::create_directories(directory);
    SeededRng rng(1);
    content.resize(3'000'000);
    for (char& c : content) c = static_cast<char>(rng.next());
    std::ofstream(directory / "log", std::ios::binary) << content;
    PosixFs fs;
    file = *fs.open((directory / "log").string(), OpenMode::kRead);
  }
  ~FileReplies() override { std::filesystem::remove_all(directory); }

  std::filesystem::path directory;
  std::string content;
  std::shared_ptr<const File> file;
};

TEST_F(FileReplies, AreTheSameCopiedOrSentByTheKernelAndHoweverSlowTheReader) {
  for (const bool slow : {false, true}) {
    NetLimits limits;
    if (slow) limits.send_buffer_bytes = 4096;
    TestServer server({.limits = limits});
    server.handler().file = file;
    Client client(server.port(), {.receive_buffer = slow ? 4096 : 0, .bind_to = ""});
    int id = 0;
    for (const auto size : std::vector<std::size_t>{1, 100, 32'767, 32'768, 65'536, 100'000, 2'500'000}) {
      for (const auto at : std::vector<std::size_t>{0, 12'345}) {
        const std::string ask = "f" + std::to_string(at) + " " + std::to_string(size);
        ASSERT_TRUE(client.send(request_frame(id, ask) + request_frame(id + 1, "e after")));
        const auto response = client.receive();
        ASSERT_TRUE(response);
        ASSERT_EQ(response->body, "<" + content.substr(at, size) + ">") << at << " " << size;
        ASSERT_EQ(client.receive(), (Response{id + 1, "e after"}));
        id += 2;
      }
    }
  }
}

TEST_F(FileReplies, AFileShorterThanPromisedClosesTheConnection) {
  TestServer server;
  server.handler().file = file;
  for (const std::string ask : {"f2999990 20", "f2900000 200000"}) {
    Client client(server.port());
    ASSERT_TRUE(client.send(request_frame(1, ask)));
    EXPECT_EQ(client.receive(), std::nullopt) << ask;
  }
}

TEST_F(FileReplies, AClientThatVanishesMidResponseHarmsNobody) {
  TestServer server;
  server.handler().file = file;
  Client other(server.port());
  for (int i = 0; i < 20; ++i) {
    Client client(server.port(), {.receive_buffer = 4096, .bind_to = ""});
    ASSERT_TRUE(client.send(request_frame(1, "f0 2900000") + request_frame(2, "f0 2900000")));
    client.receive_bytes(1000);
    client.reset();
    ASSERT_TRUE(other.send(request_frame(i, "e")));
    EXPECT_EQ(other.receive(), (Response{i, "e"}));
  }
  server.await_connections(1);
}

TEST(Server, StopsWithConnectionsInEveryState) {
  TestServer server;
  std::vector<Client> clients;
  for (int i = 0; i < 40; ++i) clients.emplace_back(server.port());
  for (std::size_t i = 0; i < clients.size(); ++i) {
    switch (i % 5) {
      case 0:
        break;  // idle
      case 1:
        ASSERT_TRUE(clients[i].send(request_frame(1, "p" + std::to_string(i))));
        break;  // parked
      case 2:
        ASSERT_TRUE(clients[i].send(request_frame(1, "m30000000")));
        break;  // does not read
      case 3:
        ASSERT_TRUE(clients[i].send(request_frame(1, "e").substr(0, 9)));
        break;  // half a request
      default:
        clients[i].shut_down_sending();
        break;
    }
  }
  server.handler().await_parked(8);
  server.stop();
  EXPECT_EQ(server.server().connections(), 0u);
  for (std::size_t i = 0; i < clients.size(); i += 5) EXPECT_TRUE(clients[i].closed());
}

TEST(Server, SaysWhichPortItCannotBind) {
  TestServer taken;
  const SystemClock clock;
  Loop loop(clock, "net");
  const Logger log;
  testing::ScriptedHandler handler;
  Loop* loops[] = {&loop};
  SocketServer server(loops, NetLimits{}, handler, log);
  const auto port = server.open({.name = "PLAINTEXT", .host = "127.0.0.1", .port = taken.port()});
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error(), "Socket server failed to bind to 127.0.0.1:" + std::to_string(taken.port()) +
                              ": Address already in use.");
  const auto nowhere = server.open({.name = "PLAINTEXT", .host = "192.0.2.1", .port = 0});
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().find("192.0.2.1:0"), std::string::npos);
}

TEST(Server, TwoOfThemLiveInOneProcess) {
  TestServer one, two;
  Client first(one.port()), second(two.port());
  ASSERT_TRUE(first.send(request_frame(1, "e one")));
  ASSERT_TRUE(second.send(request_frame(2, "e two")));
  EXPECT_EQ(first.receive(), (Response{1, "e one"}));
  EXPECT_EQ(second.receive(), (Response{2, "e two"}));
  one.stop();
  ASSERT_TRUE(second.send(request_frame(3, "e three")));
  EXPECT_EQ(second.receive(), (Response{3, "e three"}));
}

}  // namespace
}  // namespace milena::broker
