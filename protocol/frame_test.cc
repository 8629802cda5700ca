#include "protocol/frame.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "protocol/api.gen.h"
#include "protocol/api_versions.gen.h"
#include "protocol/fetch.gen.h"
#include "protocol/heartbeat.gen.h"
#include "protocol/hex.h"

namespace milena::protocol {
namespace {

constexpr std::int32_t kMax = 100 * 1024 * 1024;

std::vector<std::byte> unhex(std::string_view text) { return from_hex(text).value(); }

Result<std::size_t> size_of(std::int32_t announced) {
  std::byte prefix[4];
  store_be(prefix, announced);
  return parse_request_size(prefix, kMax);
}

TEST(Frame, SizesThatNoRequestCanHaveAreRefused) {
  for (const std::int32_t size : {-1, std::numeric_limits<std::int32_t>::min(), 0, 1, 7, 9, kMax + 1,
                                  std::numeric_limits<std::int32_t>::max()})
    EXPECT_FALSE(size_of(size)) << size;
  EXPECT_EQ(size_of(10).value(), 10u);
  EXPECT_EQ(size_of(kMax).value(), static_cast<std::size_t>(kMax));
}

TEST(Frame, RequestHeaderVersionFollowsTheApi) {
  const auto classic = unhex("000c 0003 00000007 0002 6162 ff");
  const auto request = parse_request(classic);  // Heartbeat v3
  ASSERT_TRUE(request);
  EXPECT_EQ(request->api->name, "Heartbeat");
  EXPECT_EQ(request->version, 3);
  EXPECT_EQ(request->correlation_id, 7);
  EXPECT_EQ(request->client_id, "ab");
  EXPECT_EQ(to_hex(request->body), "ff");

  const auto flexible = unhex("000c 0004 fffffff9 ffff 00 ff");  // v4: tags follow the client id
  ASSERT_TRUE(parse_request(flexible));
  EXPECT_EQ(parse_request(flexible)->correlation_id, -7);
  EXPECT_EQ(parse_request(flexible)->client_id, "");
  EXPECT_EQ(to_hex(parse_request(flexible)->body), "ff");
}

TEST(Frame, ClientIdMayHoldAnyBytes) {
  auto frame = unhex("000c 0003 00000001 7fff");
  frame.resize(frame.size() + 32767, std::byte{0x1b});
  const auto request = parse_request(frame);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->client_id.size(), 32767u);
  EXPECT_TRUE(request->body.empty());
}

TEST(Frame, EveryCutHeaderIsRefused) {
  for (const char* header :
       {"000c 0003 00000007 0002 6162", "000c 0004 00000007 0002 6162 01 05 03 787878"}) {
    const auto bytes = unhex(header);
    EXPECT_TRUE(parse_request(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(parse_request(BytesView(bytes).first(size))) << size;
  }
}

TEST(Frame, UnknownApisAndVersionsAreRefused) {
  for (const char* header : {
           "0007 0000 00000001 ffff",     // ControlledShutdown, gone since Kafka 4.0
           "ffff 0000 00000001 ffff",     // no such key
           "7fff 0000 00000001 ffff",     //
           "000c ffff 00000001 ffff",     // Heartbeat v-1
           "000c 0005 00000001 ffff 00",  // Heartbeat v5
           "0000 0002 00000001 ffff",     // Produce v2 is claimed, but gone
           "0016 0006 00000001 ffff 00",  // InitProducerId v6 is unstable
           "4745 5420 2f20 4854",         // GET / HTTP
           "1603 0100 c801 0000 c403",    // a TLS ClientHello
       })
    EXPECT_FALSE(parse_request(unhex(header))) << header;
}

TEST(Frame, TheStartOfARequestIsReadWhateverItsApiAndVersion) {
  const auto start = read_request_start(unhex("7fff 0063 00000001 0002 6162 deadbeef"));
  EXPECT_EQ(start.key, 0x7fff);
  EXPECT_EQ(start.version, 0x63);
  auto bytes = unhex("7fff 0063 00000001 0002 6162");
  EXPECT_EQ(read_request_start(bytes).client_id, "ab");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = read_request_start(BytesView(bytes).first(size));
    EXPECT_EQ(cut.key, size < 4 ? -1 : 0x7fff);
    EXPECT_EQ(cut.client_id, "");
  }
  EXPECT_EQ(read_request_start(unhex("0003 000c 00000001 ffff")).client_id, "");
}

TEST(Frame, ApiVersionsOfAnyVersionIsUnderstoodWellEnoughToAnswer) {
  for (const char* header : {"0012 0063 00000005 ffff 00 deadbeef", "0012 ffff 00000005 ffff deadbeef"}) {
    const auto bytes = unhex(header);
    const auto request = parse_request(bytes);
    ASSERT_TRUE(request) << header;
    EXPECT_FALSE(request->version_served);
    EXPECT_EQ(request->correlation_id, 5);
  }
  const auto served = unhex("0012 0003 00000005 ffff 00 02 61 02 62 00");
  EXPECT_TRUE(parse_request(served)->version_served);
}

TEST(Frame, ResponseHeaderIsFlexibleExceptForApiVersions) {
  Arena arena;
  EXPECT_EQ(to_hex(encode_response(HeartbeatResponse{}, 0, 7, arena).head()),
            "00000006"
            "00000007"
            "0000");
  EXPECT_EQ(to_hex(encode_response(HeartbeatResponse{}, 4, 7, arena).head()),
            "0000000c"
            "00000007"
            "00"
            "00000000"
            "0000"
            "00");
  const auto api_versions = encode_response(ApiVersionsResponse{}, 3, 7, arena);
  EXPECT_EQ(to_hex(api_versions.head()),
            "0000000c"
            "00000007"
            "0000"
            "01"
            "00000000"
            "00");

  const ApiInfo& heartbeat = *find_api(12);
  const auto bytes = encode_response(HeartbeatResponse{}, 4, -3, arena).head().subspan(kFrameSizeBytes);
  const auto response = parse_response(bytes, heartbeat, 4);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->correlation_id, -3);
  EXPECT_EQ(to_hex(response->body),
            "00000000"
            "0000"
            "00");
  for (std::size_t size = 0; size < 5; ++size) EXPECT_FALSE(parse_response(bytes.first(size), heartbeat, 4));
}

TEST(Frame, RecordsKeepTheirPlaceBehindTheHeader) {
  Arena arena;
  FetchResponse::FetchableTopicResponse::PartitionData partition{.records =
                                                                     RecordsRef{.bytes = as_bytes("rrr")}};
  FetchResponse::FetchableTopicResponse topic{.partitions = {&partition, 1}};
  const FetchResponse fetch{.responses = {&topic, 1}};
  const Encoded encoded = encode_response(fetch, 12, 9, arena);
  const BytesView bytes = flatten(encoded, arena);
  EXPECT_EQ(load_be<std::int32_t>(bytes.data()), static_cast<std::int32_t>(bytes.size() - 4));
  const auto response = parse_response(bytes.subspan(4), *find_api(1), 12);
  ASSERT_TRUE(response);
  const auto decoded = decode<FetchResponse>(response->body, 12, arena);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(as_text(decoded->responses[0].partitions[0].records->bytes), "rrr");
}

TEST(Frame, ARequestOfOursReadsBack) {
  Arena arena;
  for (const int version : {3, 4}) {
    const BytesView bytes =
        encode_request(HeartbeatRequest{.group_id = "g"}, version, 11, "client", arena).head();
    const auto request = parse_request(bytes.subspan(4));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->correlation_id, 11);
    EXPECT_EQ(request->client_id, "client");
    EXPECT_EQ(decode<HeartbeatRequest>(request->body, version, arena)->group_id, "g");
  }
}

TEST(ApiTable, IsSortedAndSpeaksOfTheSameVersionsAsTheMessages) {
  for (std::size_t i = 1; i < kApis.size(); ++i) EXPECT_LT(kApis[i - 1].key, kApis[i].key);
  for (const ApiInfo& api : kApis) {
    EXPECT_EQ(find_api(api.key), &api);
    EXPECT_LE(api.min_version, api.max_advertised) << api.name;
    EXPECT_LE(api.max_advertised, api.max_version) << api.name;
    EXPECT_NE(api.listeners, 0) << api.name;
  }
  EXPECT_EQ(find_api(0)->min_advertised, 0);
  EXPECT_EQ(find_api(0)->min_version, 3);
  EXPECT_EQ(find_api(22)->max_advertised, 5);
  EXPECT_EQ(find_api(4), nullptr);
}

}  // namespace
}  // namespace milena::protocol
