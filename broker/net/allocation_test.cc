// A steady stream of small requests allocates nothing: counted in operator new, on the loop's thread.
#include <gtest/gtest.h>

#include <string>

#include "base/testing/allocation_count.h"
#include "broker/net/socket_server.h"
#include "broker/net/testing/client.h"
#include "protocol/heartbeat.gen.h"

namespace milena::broker {
namespace {

using testing::Client;

// Decodes, answers with a message, as a real handler does.
struct HeartbeatHandler final : RequestHandler {
  void handle(Request& request, Responder responder) override {
    const auto& header = request.header();
    const auto decoded =
        protocol::decode<protocol::HeartbeatRequest>(request.body(), header.version, request.arena());
    if (!decoded) return responder.close(decoded.error().why);
    protocol::HeartbeatResponse response;
    response.throttle_time_ms = static_cast<std::int32_t>(decoded->group_id.size());
    responder.send(response);
  }
};

// Heartbeat v4: flexible, so the header has tagged fields on both sides.
std::string heartbeat(std::int32_t id) {
  std::string frame = testing::request_frame(id, "");
  frame[5] = 12;
  frame[7] = 4;
  frame += '\0';         // no tagged fields in the header
  frame += "\x06group";  // group id
  frame += std::string("\0\0\0\7", 4);
  frame += "\x02m";                 // member id
  frame += std::string("\0\0", 2);  // no instance id, no tagged fields
  frame[3] = static_cast<char>(frame.size() - 4);
  return frame;
}

TEST(Allocation, ASteadyStreamOfSmallRequestsAllocatesNothing) {
  const SystemClock clock;
  const Logger log;
  Loop loop(clock, "loop");
  loop.start();
  Loop* loops[] = {&loop};
  HeartbeatHandler handler;
  SocketServer server(loops, NetLimits{}, handler, log);
  const auto port = server.open({.name = "PLAINTEXT", .host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(port);
  server.start();
  {
    Client client(*port);
    auto exchange = [&](int pipelined) {
      std::string stream;
      for (int i = 0; i < pipelined; ++i) stream += heartbeat(i);
      ASSERT_TRUE(client.send(stream));
      for (int i = 0; i < pipelined; ++i) {
        const auto response = client.receive();
        ASSERT_TRUE(response);
        ASSERT_EQ(response->correlation_id, i);
        ASSERT_EQ(response->body, std::string("\0\0\0\0\5\0\0\0", 8)) << "tags, throttle time, error, tags";
      }
    };
    for (int i = 0; i < 50; ++i) exchange(i % 30 + 1);  // pools fill
    const milena::testing::AllocationCount allocations("loop");
    loop.post([] { ::operator delete(::operator new(1)); });
    for (int i = 0; i < 500; ++i) exchange(i % 30 + 1);
    EXPECT_EQ(allocations.value(), 1u) << "the one that shows that the count counts";
  }
  server.stop();
  loop.stop();
  loop.join();
}

}  // namespace
}  // namespace milena::broker
