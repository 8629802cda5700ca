#include "coordinator/runtime/java_string.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace milena::coordinator {
namespace {

// Hashes and lengths as Java 17 computes them.
TEST(JavaString, HashesAsJavaDoes) {
  EXPECT_EQ(java_string_hash(""), 0);
  EXPECT_EQ(java_string_hash("g"), 103);
  EXPECT_EQ(java_string_hash("my-group"), -1906497762);
  EXPECT_EQ(java_string_hash("gr\xc3\xbcppe"), -1233264812);
  EXPECT_EQ(java_string_hash("\xf0\x9f\x98\x80"), 1772899);
  EXPECT_EQ(java_string_hash("polygenelubricants"), std::numeric_limits<std::int32_t>::min());
}

TEST(JavaString, CountsUtf16Units) {
  EXPECT_EQ(java_string_length("gr\xc3\xbcppe"), 6u);
  EXPECT_EQ(java_string_length("\xf0\x9f\x98\x80"), 2u);
}

TEST(JavaString, TakesBrokenUtf8ByteByByte) {
  EXPECT_EQ(java_string_length("\xff\xfe"), 2u);
  EXPECT_EQ(java_string_length("a\xe2\x82"), 3u);
  EXPECT_EQ(java_string_length("\xc0\xaf"), 2u);
  EXPECT_EQ(java_string_length("\xe2\x28\xa1"), 3u);
}

TEST(JavaString, PartitionIsKafkasChoice) {
  EXPECT_EQ(partition_for_key("g", 50), 103 % 50);
  EXPECT_EQ(partition_for_key("my-group", 50), 1906497762 % 50);
  EXPECT_EQ(partition_for_key("polygenelubricants", 50), 0);
}

}  // namespace
}  // namespace milena::coordinator
