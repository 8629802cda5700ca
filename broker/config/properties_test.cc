#include "broker/config/properties.h"

#include <gtest/gtest.h>

namespace milena::broker {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs parsed(std::string_view text) {
  auto pairs = parse_properties(text);
  EXPECT_TRUE(pairs) << pairs.error();
  return pairs ? *pairs : Pairs{};
}

TEST(Properties, SplitsAtTheFirstSeparator) {
  EXPECT_EQ(parsed("a=1\nb:2\nc 3\nd\t=\t4\ne = : 5\nf=g=h\n"),
            (Pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", ": 5"}, {"f", "g=h"}}));
}

TEST(Properties, SkipsCommentsAndBlankLines) {
  EXPECT_EQ(parsed("# a=1\n  ! b=2\n\n   \t\n  c=3  \n#x \\\nd=4"), (Pairs{{"c", "3  "}, {"d", "4"}}));
}

TEST(Properties, JoinsContinuedLinesWithoutTheirIndentation) {
  EXPECT_EQ(parsed("fruits apple, \\\n      banana, \\\r\n\tcherry\nend=\\\\\nx=1\\"),
            (Pairs{{"fruits", "apple, banana, cherry"}, {"end", "\\"}, {"x", "1"}}));
}

TEST(Properties, TakesEscapesInKeysAndValues) {
  EXPECT_EQ(parsed("a\\=b\\:c\\ d = \\t\\n\\u0041\\u00e9\\u20ac\\q\n\\#x=1"),
            (Pairs{{"a=b:c d", "\t\nA\xc3\xa9\xe2\x82\xacq"}, {"#x", "1"}}));
  EXPECT_EQ(parsed("a=\\ud83d\\ude00"), (Pairs{{"a", "\xf0\x9f\x98\x80"}}));
}

TEST(Properties, ReadsBytesAsLatin1) { EXPECT_EQ(parsed("a=caf\xe9"), (Pairs{{"a", "caf\xc3\xa9"}})); }

TEST(Properties, AKeyMayHaveNoValueAndALineNoEnd) {
  EXPECT_EQ(parsed("a\nb=\n=c\nd=1"), (Pairs{{"a", ""}, {"b", ""}, {"", "c"}, {"d", "1"}}));
  EXPECT_EQ(parsed("a=1\rb=2"), (Pairs{{"a", "1"}, {"b", "2"}}));
}

TEST(Properties, RefusesABrokenUnicodeEscape) {
  for (const char* text : {"x=1\na=\\u12", "x=1\na=\\u12g4", "x=1\na\\u=1"}) {
    const auto pairs = parse_properties(text);
    ASSERT_FALSE(pairs) << text;
    EXPECT_EQ(pairs.error(), "line 2: Malformed \\uxxxx encoding.");
  }
}

TEST(Properties, AByteOrderMarkIsNoPartOfTheFirstKey) {
  const auto pairs = parse_properties("\xef\xbb\xbflog.dirs=/data\n");
  ASSERT_TRUE(pairs);
  EXPECT_EQ(pairs->front().first, "log.dirs");
}

}  // namespace
}  // namespace milena::broker
