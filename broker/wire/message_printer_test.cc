// Messages as JSON, by hand: names, nested messages, tags, errors.
#include "broker/wire/message_printer.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "broker/wire/message_encoder.h"
#include "protocol/hex.h"

namespace milena::wire {
namespace {

using protocol::kSchemaTable;

std::string printed(std::string_view message, int version, std::string_view hex, PrintOptions options = {}) {
  std::string out;
  JsonWriter json(JsonStyle::kOneLine, [&](std::string_view piece) { out += piece; });
  const auto bytes = protocol::from_hex(hex);
  EXPECT_TRUE(bytes);
  ByteReader in(*bytes, 100);
  const auto error = MessagePrinter(json, options).print(*kSchemaTable.find(message), version, in);
  json.end_line();
  out.pop_back();
  if (!error) return out;
  return out + " " + std::to_string(error->at) + " " + error->field + ": " + error->why;
}

TEST(MessagePrinter, PrintsAMessageWithKafkasNames) {
  EXPECT_EQ(printed("MetadataRequest", 12, "02 00000000000000000000000000000001 04 746f70 00 01 00 00"),
            R"({"topics":[{"topicId":"AAAAAAAAAAAAAAAAAAAAAQ","name":"top"}],"allowAutoTopicCreation":true,)"
            R"("includeTopicAuthorizedOperations":false})");
  EXPECT_EQ(printed("MetadataRequest", 12, "00 01 00 00"),
            R"({"topics":null,"allowAutoTopicCreation":true,"includeTopicAuthorizedOperations":false})");
  EXPECT_EQ(printed("KRaftVersionRecord", 0, "0000 0001 00"), R"({"version":0,"kRaftVersion":1})");
}

TEST(MessagePrinter, NamesNumbers) {
  EXPECT_EQ(printed("HeartbeatResponse", 1, "00000000 0019"),
            R"({"throttleTimeMs":0,"errorCode":25,"errorCodeName":"UNKNOWN_MEMBER_ID"})");
  EXPECT_EQ(printed("HeartbeatResponse", 1, "00000000 ffff"),
            R"({"throttleTimeMs":0,"errorCode":-1,"errorCodeName":"UNKNOWN_SERVER_ERROR"})");
  EXPECT_EQ(printed("HeartbeatResponse", 1, "00000000 7fff"), R"({"throttleTimeMs":0,"errorCode":32767})");
  EXPECT_EQ(printed("ConfigRecord", 0, "04 02 78 02 61 02 62 00"),
            R"({"resourceType":4,"resourceTypeName":"BROKER","resourceName":"x","name":"a","value":"b"})");
}

TEST(MessagePrinter, ShowsTags) {
  // delivery_complete_count is tag 0; 1234 is not in the schema.
  const std::string head = "00000001 00000002 0000000000000003 01 ";
  EXPECT_EQ(
      printed("ShareUpdateValue", 0, head + "02 00 04 00000007 d209 03 78797a"),
      R"({"snapshotEpoch":1,"leaderEpoch":2,"startOffset":3,"stateBatches":[],"deliveryCompleteCount":7,)"
      R"("unknownTags":[{"tag":1234,"value":"xyz"}]})");
  EXPECT_EQ(
      printed("ShareUpdateValue", 0, head + "02 00 04 00000007 00 04 00000008"),
      R"({"snapshotEpoch":1,"leaderEpoch":2,"startOffset":3,"stateBatches":[],"deliveryCompleteCount":7,)"
      R"("repeatedTags":[{"deliveryCompleteCount":8}]})");
  EXPECT_EQ(
      printed("ShareUpdateValue", 0, head + "01 00 05 0000000700"),
      R"({"snapshotEpoch":1,"leaderEpoch":2,"startOffset":3,"stateBatches":[],"deliveryCompleteCount":7})"
      " 124 deliveryCompleteCount: the tagged field is 1 bytes longer than its value");
}

TEST(MessagePrinter, SaysWhereAndWhyItStopped) {
  EXPECT_EQ(printed("MetadataRequest", 12, "02 00000000000000000000000000000001 09 746f70"),
            R"({"topics":[{"topicId":"AAAAAAAAAAAAAAAAAAAAAQ"}]})"
            " 117 topics[0].name: a string of 8 bytes, 3 are left");
  EXPECT_EQ(printed("HeartbeatResponse", 1, "00000000 00"), R"({"throttleTimeMs":0})"
                                                            " 104 errorCode: 2 bytes are needed, 1 are left");
  EXPECT_EQ(printed("MetadataRequest", 12, "ffffffff0f"),
            "{}"
            " 100 topics: 4294967294 elements are announced, 0 bytes are left");
  EXPECT_EQ(printed("HeartbeatResponse", 9, ""),
            "null 100 : HeartbeatResponse has no version 9, only 0 to 4");
}

TEST(MessagePrinter, DecodesWhatConsumersTellEachOther) {
  const std::string join = "0001 67 00000001 0000 0008 636f6e73756d6572 00000001 0005 72616e6765 ";
  const std::string start =
      R"({"groupId":"g","sessionTimeoutMs":1,"memberId":"","protocolType":"consumer","protocols":[{"name":"range",)"
      R"("metadata":)";
  const std::string subscription = "0000 00000001 0001 74 ffffffff";
  EXPECT_EQ(
      printed("JoinGroupRequest", 0, join + "0000000d" + subscription),
      start +
          R"({"type":"ConsumerProtocolSubscription","version":0,"data":{"topics":["t"],"userData":null}}}]})");
  EXPECT_EQ(printed("JoinGroupRequest", 0, join + "0000000d" + subscription, {.is_raw = true}),
            start + R"({"base64":"AAAAAAABAAF0/////w=="}}]})");
  EXPECT_EQ(printed("JoinGroupRequest", 0, join + "0000000c 0000 00000001 0001 74 ffffff"),
            start + R"({"base64":"AAAAAAABAAF0////"}}]})");
}

// Of fields that are not there.
TEST(MessageEncoder, KnowsDefaults) {
  const auto encoded = [](std::string_view message, int version, const char* text) {
    const auto bytes = encode_message(*kSchemaTable.find(message), version, boost::json::parse(text));
    return bytes ? protocol::to_hex(*bytes) : bytes.error();
  };
  EXPECT_EQ(encoded("MetadataRequest", 12, "{}"), "00010000");  // null topics, creation allowed
  EXPECT_EQ(encoded("MetadataRequest", 0, "{}"), "00000000");   // no topics, where they may not be null
  EXPECT_EQ(encoded("KRaftVersionRecord", 0, R"({"kRaftVersion":1})"), "0000000100");
  EXPECT_EQ(encoded("HeartbeatResponse", 1, R"({"errorCode":25,"errorCodeName":"x"})"), "000000000019");
}

TEST(MessageEncoder, SaysWhatIsWrong) {
  const auto why = [](std::string_view message, const char* text) {
    return encode_message(*kSchemaTable.find(message), 1, boost::json::parse(text)).error();
  };
  EXPECT_EQ(why("HeartbeatResponse", R"({"errorCod":25})"),
            "HeartbeatResponse: errorCod is no field of this version");
  EXPECT_EQ(why("HeartbeatResponse", R"({"errorCode":40000})"),
            "HeartbeatResponse: errorCode: not a whole number from -32768 to 32767");
  EXPECT_EQ(why("JoinGroupRequest", R"({"protocols":[{"metadata":{"type":"x"}}]})"),
            "JoinGroupRequest: protocols: [0]: metadata: neither a string nor {\"base64\": ...}; what was "
            "printed decoded "
            "must be printed with --raw");
  EXPECT_EQ(why("JoinGroupRequest", R"({"groupId":null})"),
            "JoinGroupRequest: groupId: null, which it may not be in this version");
}

}  // namespace
}  // namespace milena::wire
