// What a peer may send to hurt us, primitive by primitive: varints, lengths, counts, tags.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/fetch.gen.h"
#include "protocol/heartbeat.gen.h"
#include "protocol/hex.h"
#include "protocol/list_groups.gen.h"
#include "protocol/metadata.gen.h"
#include "protocol/offset_fetch.gen.h"
#include "protocol/varint.h"

namespace milena::protocol {
namespace {

std::vector<std::byte> unhex(std::string_view text) { return from_hex(text).value(); }

template <class M>
class Attempt {
 public:
  Attempt(std::string_view hex, int version)
      : bytes_(unhex(hex)), result_(decode<M>(bytes_, version, arena_)) {}
  explicit operator bool() const { return result_.has_value(); }
  const M* operator->() const { return &*result_; }
  std::string why() const { return result_ ? "accepted" : result_.error().why; }
  std::size_t footprint() const { return arena_.footprint(); }

 private:
  Arena arena_;
  std::vector<std::byte> bytes_;
  Result<M> result_;
};

// MetadataRequest v9: a nullable array of topics, three bools, tags.
using Metadata = Attempt<MetadataRequest>;

TEST(HostileInput, VarintsThatDoNotFit) {
  EXPECT_EQ(Metadata("ffffffff7f 000000 00", 9).why(), "topics");    // more than 32 bits
  EXPECT_EQ(Metadata("808080808001 000000 00", 9).why(), "topics");  // six bytes
  EXPECT_EQ(Metadata("80", 9).why(), "topics");                      // cut off
  EXPECT_EQ(Metadata("ffffffff0f 000000 00", 9).why(), "topics");    // 2^32 - 1
  EXPECT_TRUE(Metadata("8000 000000 00", 9));                        // padded, but 0: Kafka takes it
}

TEST(HostileInput, NullWhereItIsNotAllowed) {
  EXPECT_FALSE(Metadata("00 000000 00", 9)->topics.has_value());
  EXPECT_EQ(Attempt<ListGroupsRequest>("00 00", 4).why(), "states_filter");
  EXPECT_EQ(Attempt<HeartbeatRequest>("ffff 00000000 0000", 0).why(), "group_id");
  EXPECT_EQ(Attempt<HeartbeatRequest>("00 00000000 01 01 00", 4).why(), "group_id");
  EXPECT_EQ(Metadata("ffffffff", 0).why(), "topics");
  // Kafka reads any negative length as null.
  EXPECT_FALSE(Metadata("fffffffe 00", 4)->topics.has_value());
  EXPECT_EQ(Attempt<HeartbeatRequest>("8000 00000000 0000", 0).why(), "group_id");
}

TEST(HostileInput, LengthsBeyondTheEnd) {
  EXPECT_EQ(Attempt<HeartbeatRequest>("7fff 61", 0).why(), "group_id");
  EXPECT_EQ(Attempt<HeartbeatRequest>("80808008 61", 4).why(), "group_id");
  EXPECT_EQ(Metadata("7fffffff", 0).why(), "topics");
}

TEST(HostileInput, StringsLongerThanKafkaAllows) {
  const auto with_name = [](std::size_t size) {
    std::byte length[5];
    const std::byte* end = write_unsigned_varint(length, static_cast<std::uint32_t>(size + 1));
    return to_hex({length, static_cast<std::size_t>(end - length)}) +
           to_hex(std::vector(size, std::byte{'a'})) + "00000000 01 00 00";
  };
  EXPECT_TRUE(Attempt<HeartbeatRequest>(with_name(32767), 4));
  EXPECT_EQ(Attempt<HeartbeatRequest>(with_name(32768), 4).why(), "group_id");
}

TEST(HostileInput, TagSections) {
  EXPECT_EQ(Metadata("00 000000 ffffffff0f", 9).why(), "tagged fields");   // 2^32 - 1 of them
  EXPECT_EQ(Metadata("00 000000 914e", 9).why(), "tagged fields");         // 10,001 of them
  EXPECT_EQ(Metadata("00 000000 01 05 ffffffff0f", 9).why(), "tag size");  // longer than the frame
  EXPECT_EQ(Metadata("00 000000 01 05", 9).why(), "tag size");             // cut off
  EXPECT_TRUE(Metadata("00 000000 03 05 01 ff 05 01 ff 03 00", 9));        // repeated and unsorted
  EXPECT_TRUE(Metadata("00 000000 01 ffffffff0f 00", 9));                  // the largest number
}

// FetchRequest v12 up to its tags: four int32, a bool, session id and epoch, no topics, no rack.
constexpr std::string_view kFetch = "ffffffff 00000000 00000000 00000000 00 00000000 00000000 01 01 01";

TEST(HostileInput, KnownTags) {
  const auto fetch = [](const std::string& tags, int version) {
    return Attempt<FetchRequest>(std::string(kFetch.substr(version >= 15 ? 9 : 0)) + tags, version);
  };
  EXPECT_EQ(fetch("01 00 03 03 6162", 12)->cluster_id, "ab");
  EXPECT_EQ(fetch("02 00 03 03 6162 00 02 02 63", 12)->cluster_id, "c");  // the last one counts
  EXPECT_EQ(fetch("01 00 01 00", 12)->cluster_id, std::nullopt);
  EXPECT_EQ(fetch("01 00 04 03 616263", 12).why(), "tag size");  // one byte more than the string
  EXPECT_EQ(fetch("01 00 02 03 6162", 12).why(), "cluster_id");  // one byte less
  EXPECT_EQ(fetch("01 01 0d 00000001 0000000000000002 00", 12).why(), "tag of another version");
  EXPECT_EQ(fetch("01 01 0d 00000001 0000000000000002 00", 15)->replica_state.replica_epoch, 2);
}

TEST(HostileInput, AnyByteButZeroIsTrue) {
  EXPECT_TRUE(Metadata("00 027fff 00", 9)->allow_auto_topic_creation);
  EXPECT_TRUE(Metadata("00 00ff00 00", 9)->include_cluster_authorized_operations);
}

// Every group of an OffsetFetchRequest may be as small as 3 bytes, and takes 72 here: the worst there is.
TEST(HostileInput, TheSmallestElementsExpandByTheStatedFactor) {
  std::string hex = "a19c01";  // 20,000 groups
  for (int i = 0; i < 20'000; ++i) hex += "01 00 00";
  const Attempt<OffsetFetchRequest> request(hex + "00 00", 8);
  ASSERT_TRUE(request) << request.why();
  EXPECT_EQ(request->groups.size(), 20'000u);
  EXPECT_LE(request.footprint(), 2 * kMaxExpansion * 60'006);
  EXPECT_GE(request.footprint(), kMaxExpansion * 60'000);
}

// Each count alone is plausible for the bytes that are left; together they would claim them many times over.
TEST(HostileInput, NestedCountsCannotClaimTheSameBytes) {
  std::string hex = "8180 01";  // 16,384 groups in 49,152 bytes
  hex += "01";                  // the first one's id
  hex += "8180 01";             // with 16,384 topics
  const std::string zeros(std::size_t{49'152} * 2, '0');
  const Attempt<OffsetFetchRequest> request(hex + zeros, 8);
  EXPECT_EQ(request.why(), "topics");
  EXPECT_LE(request.footprint(), 2 * kMaxExpansion * (49'152 + 7) + 2048);
}

TEST(HostileInput, MoreThanAMillionElementsAreRefusedWhateverTheSize) {
  std::string hex = "c2843d";  // 1,000,001 strings
  hex += std::string(std::size_t{1'000'100} * 2, '1');
  const Attempt<ListGroupsRequest> request(hex, 4);
  EXPECT_EQ(request.why(), "states_filter");
  EXPECT_EQ(request.footprint(), 0u);
}

}  // namespace
}  // namespace milena::protocol
