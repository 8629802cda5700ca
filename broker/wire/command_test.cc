// The command on files: frames with and without sizes, pairs of requests and responses, hex, what is wrong.
#include "broker/wire/command.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/mem_fs.h"
#include "protocol/api_versions.gen.h"
#include "protocol/envelope.gen.h"
#include "protocol/fetch.gen.h"
#include "protocol/frame.h"
#include "protocol/heartbeat.gen.h"
#include "protocol/hex.h"
#include "protocol/produce.gen.h"
#include "protocol/record_batch_builder.h"

namespace milena::wire {
namespace {

class CommandTest : public testing::Test {
 protected:
  struct Outcome {
    int code = -1;
    std::string out = {};
    std::string errors = {};
  };

  Outcome run(const CommandOptions& options) {
    Outcome outcome;
    outcome.code = run_command(
        fs_, options, [&](std::string_view text) { outcome.out += text; },
        [&](std::string_view why) { outcome.errors += why; });
    return outcome;
  }

  void put(const std::string& path, BytesView bytes) {
    auto file = fs_.open(path, OpenMode::kTruncate);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(0, bytes));
  }
  void put_text(const std::string& path, std::string_view text) { put(path, as_bytes(text)); }

  template <class M>
  std::string request(const M& message, int version, int correlation_id) {
    const auto encoded = protocol::encode_request(message, version, correlation_id, "me", arena_);
    return std::string(as_text(protocol::flatten(encoded, arena_)));
  }
  template <class M>
  std::string response(const M& message, int version, int correlation_id) {
    const auto encoded = protocol::encode_response(message, version, correlation_id, arena_);
    return std::string(as_text(protocol::flatten(encoded, arena_)));
  }
  std::string heartbeat(int id) {
    return request(protocol::HeartbeatRequest{.group_id = "g", .generation_id = 7, .member_id = "m"}, 2, id);
  }

  MemFs fs_;
  Arena arena_;
};

TEST_F(CommandTest, PrintsRequestsWithAndWithoutTheirSize) {
  const std::string rest =
      R"("requestHeader":{"requestApiKey":12,"requestApiKeyName":"Heartbeat","requestApiVersion":2,)"
      R"("correlationId":1,"clientId":"me"},"request":{"groupId":"g","generationId":7,"memberId":"m"}})"
      "\n";
  const std::string frame = heartbeat(1);
  put_text("/two", frame + frame);
  EXPECT_EQ(run({.kind = "request", .files = {"/two"}}).out,
            R"({"position":4,"size":22,)" + rest + R"({"position":30,"size":22,)" + rest);
  put_text("/bare", frame.substr(4));
  EXPECT_EQ(run({.kind = "request", .files = {"/bare"}}).out, R"({"position":0,"size":22,)" + rest);
  put_text("/hex", protocol::to_hex(as_bytes(frame)) + "\n");
  const Outcome from_hex = run({.kind = "request", .files = {"/hex"}, .is_hex = true});
  EXPECT_EQ(from_hex.out, R"({"position":4,"size":22,)" + rest);
  EXPECT_EQ(from_hex.code, 0);
}

TEST_F(CommandTest, PrintsAResponseThatItIsToldTheVersionOf) {
  const std::string frame =
      response(protocol::HeartbeatResponse{.error_code = ErrorCode::kFencedInstanceId}, 4, 5);
  const std::string rest =
      R"("apiKey":12,"apiKeyName":"Heartbeat","apiVersion":4,"responseHeader":{"correlationId":5},)"
      R"("response":{"throttleTimeMs":0,"errorCode":82,"errorCodeName":"FENCED_INSTANCE_ID"}})"
      "\n";
  put_text("/sized", frame);
  EXPECT_EQ(run({.kind = "response", .files = {"/sized"}, .api = "heartbeat", .version = 4}).out,
            R"({"position":4,"size":12,)" + rest);
  put_text("/bare", frame.substr(4));
  EXPECT_EQ(run({.kind = "response", .files = {"/bare"}, .api = "12", .version = 4}).out,
            R"({"position":0,"size":12,)" + rest);
}

// A response without its size, whose correlation id would be a size that leads to the end.
TEST_F(CommandTest, FramingMayBeTold) {
  put_text("/bare", response(protocol::HeartbeatResponse{}, 1, 6).substr(4));
  CommandOptions options{.kind = "response", .files = {"/bare"}, .api = "Heartbeat", .version = 1};
  EXPECT_TRUE(run(options).out.starts_with(R"({"position":4,"size":6,)"));
  EXPECT_EQ(run(options).code, 1);
  options.framing = "bare";
  EXPECT_TRUE(run(options).out.starts_with(R"({"position":0,"size":10,)"));
  EXPECT_EQ(run(options).code, 0);
}

TEST_F(CommandTest, PairsResponsesWithTheRequestsThatTheyAnswer) {
  // The second request is one without a response.
  put_text("/requests", request(protocol::ApiVersionsRequest{}, 3, 1) +
                            request(protocol::ProduceRequest{.acks = 0}, 9, 2) + heartbeat(3));
  put_text("/responses", response(protocol::ApiVersionsResponse{}, 3, 1) +
                             response(protocol::HeartbeatResponse{}, 2, 3) +
                             response(protocol::HeartbeatResponse{}, 2, 99));
  const Outcome paired = run({.kind = "response", .files = {"/responses"}, .requests = "/requests"});
  EXPECT_EQ(paired.code, 1);
  EXPECT_EQ(
      paired.out,
      R"({"position":4,"size":12,"apiKey":18,"apiKeyName":"ApiVersions","apiVersion":3,)"
      R"("responseHeader":{"correlationId":1},"response":{"errorCode":0,"errorCodeName":"NONE","apiKeys":[],)"
      R"("throttleTimeMs":0}})"
      "\n"
      R"({"position":20,"size":10,"apiKey":12,"apiKeyName":"Heartbeat","apiVersion":2,)"
      R"("responseHeader":{"correlationId":3},"response":{"throttleTimeMs":0,"errorCode":0,"errorCodeName":"NONE"}})"
      "\n"
      R"({"position":34,"size":10,"correlationId":99,)"
      R"("error":{"at":34,"why":"there is no request with this correlation id"}})"
      "\n");
}

TEST_F(CommandTest, AnApiVersionsRequestThatIsRefusedIsAnsweredInVersionZero) {
  const std::string frame =
      response(protocol::ApiVersionsResponse{.error_code = ErrorCode::kUnsupportedVersion}, 0, 1);
  put_text("/f", frame);
  const Outcome printed = run({.kind = "response", .files = {"/f"}, .api = "ApiVersions", .version = 4});
  EXPECT_EQ(printed.code, 0) << printed.out;
  EXPECT_TRUE(printed.out.contains("UNSUPPORTED_VERSION")) << printed.out;
}

TEST_F(CommandTest, DecodesBatchesInsideFramesAndEncodesTheRawOnesAgain) {
  protocol::RecordBatchBuilder builder;
  builder.append(1'700'000'000'000, as_bytes("k"), as_bytes("v"));
  const auto batch = builder.build();
  protocol::ProduceRequest::TopicProduceData::PartitionProduceData partitions[] = {
      {.index = 3, .records = protocol::RecordsRef{.bytes = batch}}};
  protocol::ProduceRequest::TopicProduceData topics[] = {{.name = "t", .partition_data = partitions}};
  const std::string frame = request(protocol::ProduceRequest{.acks = -1, .topic_data = topics}, 9, 1);
  put_text("/f", frame + frame);
  const Outcome decoded = run({.kind = "request", .files = {"/f"}});
  EXPECT_EQ(decoded.code, 0);
  EXPECT_TRUE(decoded.out.contains(
      R"("records":[{"offset":0,"timestamp":1700000000000,"key":"k","value":"v","headers":[]}])"))
      << decoded.out;
  for (const bool is_pretty : {false, true}) {
    const Outcome raw = run({.kind = "request", .files = {"/f"}, .is_raw = true, .is_pretty = is_pretty});
    put_text("/json", raw.out);
    const Outcome encoded = run({.kind = "encode", .files = {"/json"}});
    EXPECT_EQ(encoded.code, 0) << encoded.errors;
    EXPECT_EQ(encoded.out, frame + frame);
  }
  put_text("/decoded", decoded.out);
  const Outcome refused = run({.kind = "encode", .files = {"/decoded"}});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(refused.errors.contains("--raw")) << refused.errors;
}

TEST_F(CommandTest, DecodesMetadataRecordsInsideFrames) {
  const auto value = protocol::from_hex("01 0c 00 02 61 0001 00");
  protocol::RecordBatchBuilder builder;
  builder.append(1, std::nullopt, *value);
  const auto batch = builder.build();
  using Response = protocol::FetchResponse;
  Response::FetchableTopicResponse::PartitionData partitions[] = {
      {.records = protocol::RecordsRef{.bytes = batch}}};
  Response::FetchableTopicResponse topics[] = {{.partitions = partitions}};
  put_text("/f", response(Response{.responses = topics}, 17, 1));
  const Outcome printed =
      run({.kind = "response", .files = {"/f"}, .api = "Fetch", .version = 17, .records = "metadata"});
  EXPECT_EQ(printed.code, 0);
  EXPECT_TRUE(printed.out.contains(
      R"("value":{"type":"FEATURE_LEVEL_RECORD","version":0,"data":{"name":"a","featureLevel":1}})"))
      << printed.out;
}

TEST_F(CommandTest, SaysThatABatchInsideAFrameIsDamaged) {
  protocol::RecordBatchBuilder builder;
  builder.append(1, as_bytes("k"), as_bytes("v"));
  auto batch = builder.build();
  batch.back() ^= std::byte{1};
  using Response = protocol::FetchResponse;
  Response::FetchableTopicResponse::PartitionData partitions[] = {
      {.records = protocol::RecordsRef{.bytes = batch}}};
  Response::FetchableTopicResponse topics[] = {{.topic = "t", .partitions = partitions}};
  put_text("/f", response(Response{.responses = topics}, 11, 1));
  const Outcome printed = run({.kind = "response", .files = {"/f"}, .api = "Fetch", .version = 11});
  EXPECT_EQ(printed.code, 1);
  EXPECT_TRUE(printed.out.contains("\"crcIsValid\":false")) << printed.out;
}

TEST_F(CommandTest, DecodesForwardedRequestsOnce) {
  const std::string inner = heartbeat(1).substr(4);
  const auto envelope = [&](std::string_view data) {
    return request(protocol::EnvelopeRequest{.request_data = as_bytes(data)}, 0, 2);
  };
  put_text("/f", envelope(inner));
  const Outcome once = run({.kind = "request", .files = {"/f"}});
  EXPECT_EQ(once.code, 0);
  EXPECT_TRUE(once.out.contains(R"("requestData":{"requestHeader":{"requestApiKey":12,)")) << once.out;
  EXPECT_TRUE(once.out.contains(R"("request":{"groupId":"g","generationId":7,"memberId":"m"}})")) << once.out;
  put_text("/f", envelope(envelope(inner).substr(4)));
  const Outcome twice = run({.kind = "request", .files = {"/f"}});
  EXPECT_EQ(twice.code, 0);
  EXPECT_TRUE(twice.out.contains(R"("requestData":{"base64":)")) << twice.out;
}

TEST_F(CommandTest, EncodesWhatWasWrittenByHand) {
  put_text("/json",
           R"({"requestHeader":{"requestApiKey":12,"requestApiVersion":2,"correlationId":1,"clientId":"me"},
                        "request":{"groupId":"g","generationId":7,"memberId":"m"}})");
  EXPECT_EQ(run({.kind = "encode", .files = {"/json"}, .is_hex = true}).out,
            protocol::to_hex(as_bytes(heartbeat(1))) + "\n");
  put_text("/bad", "{\"requestHeader\":");
  EXPECT_EQ(run({.kind = "encode", .files = {"/bad"}}).code, 1);
}

TEST_F(CommandTest, SaysWhatIsWrongWithAFrame) {
  put_text("/cut", heartbeat(1).substr(0, 20));
  Outcome outcome = run({.kind = "request", .files = {"/cut"}});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(outcome.out.contains(R"("request":{"groupId":"g"},"error":{"at":19,)"
                                   R"("field":"generationId","why":"4 bytes are needed, 1 are left"}})"))
      << outcome.out;
  const auto unknown = protocol::from_hex("0000000c 03e7 0000 00000001 ffff 0000");
  put("/unknown", *unknown);
  outcome = run({.kind = "request", .files = {"/unknown"}});
  EXPECT_TRUE(outcome.out.contains("there is no API 999")) << outcome.out;
  put_text("/empty", "");
  outcome = run({.kind = "request", .files = {"/empty"}});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "");
}

TEST_F(CommandTest, SaysWhatIsWrongWithTheCommand) {
  EXPECT_TRUE(run({.kind = "request", .files = {"/none"}}).errors.contains("/none: open"));
  EXPECT_TRUE(run({.kind = "response", .files = {"/none"}}).errors.contains("--api"));
  EXPECT_EQ(run({.kind = "response", .files = {"/none"}, .api = "Nothing", .version = 1}).errors,
            "Nothing is no API");
  put_text("/f", "abc");
  EXPECT_EQ(run({.kind = "request", .files = {"/f"}, .is_hex = true}).errors,
            "these are not pairs of hex digits");
}

}  // namespace
}  // namespace milena::wire
