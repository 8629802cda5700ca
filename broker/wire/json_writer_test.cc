#include "broker/wire/json_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "broker/wire/text.h"

namespace milena::wire {
namespace {

template <class Body>
std::string written(JsonStyle style, Body&& body) {
  std::string out;
  JsonWriter json(style, [&](std::string_view piece) { out += piece; });
  body(json);
  json.end_line();
  return out;
}

TEST(JsonWriter, WritesOneLine) {
  const auto body = [](JsonWriter& json) {
    json.begin_object();
    json.field("a", std::int64_t{-1});
    json.key("b");
    json.begin_array();
    json.null();
    json.boolean(true);
    json.begin_object();
    json.end_object();
    json.end_array();
    json.field("c", "x");
    json.end_object();
  };
  EXPECT_EQ(written(JsonStyle::kOneLine, body), R"({"a":-1,"b":[null,true,{}],"c":"x"})"
                                                "\n");
  EXPECT_EQ(written(JsonStyle::kPretty, body),
            "{\n  \"a\": -1,\n  \"b\": [\n    null,\n    true,\n    {}\n  ],\n  \"c\": \"x\"\n}\n");
}

TEST(JsonWriter, WritesAnyText) {
  const auto text = [](std::string_view v) {
    return written(JsonStyle::kOneLine, [&](JsonWriter& json) { json.text(v); });
  };
  EXPECT_EQ(text("a\"b\\c\n\t\x01\x7f"), "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"\n");
  EXPECT_EQ(text("\xe2\x82\xac"), "\"\xe2\x82\xac\"\n");
  EXPECT_EQ(text("\xff"), "{\"base64\":\"/w==\"}\n");
}

TEST(JsonWriter, WritesBytesAsTextOnlyWhereTheyCanBeRead) {
  const auto bytes = [](std::string_view v) {
    return written(JsonStyle::kOneLine, [&](JsonWriter& json) { json.bytes(as_bytes(v)); });
  };
  EXPECT_EQ(bytes("order 7\n"), "\"order 7\\n\"\n");
  EXPECT_EQ(bytes(std::string_view("\0\1", 2)), "{\"base64\":\"AAE=\"}\n");
}

TEST(JsonWriter, WritesNumbersThatReadBackTheSame) {
  const auto number = [](double v) {
    return written(JsonStyle::kOneLine, [&](JsonWriter& json) { json.number(v); });
  };
  EXPECT_EQ(number(0.1), "0.1\n");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "\"Infinity\"\n");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"\n");
}

TEST(JsonWriter, ClosesWhatAnErrorLeftOpen) {
  const auto closed = written(JsonStyle::kOneLine, [](JsonWriter& json) {
    json.begin_object();
    json.key("a");
    json.begin_array();
    json.begin_object();
    json.key("b");
    json.close_to(1);
    json.field("c", std::int64_t{1});
    json.close_to(0);
  });
  EXPECT_EQ(closed, "{\"a\":[{}],\"c\":1}\n");
}

TEST(JsonWriter, WritesNothingNowhere) {
  JsonWriter json = JsonWriter::nowhere();
  json.begin_array();
  json.text("abc");
  json.bytes(as_bytes("\xff"));
  json.end_array();
  json.end_line();
  EXPECT_EQ(json.depth(), 0u);
}

TEST(Text, KnowsUtf8) {
  for (const std::string_view good :
       {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good)) << to_base64(as_bytes(good));
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                     "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(bad)) << to_base64(as_bytes(bad));
}

TEST(Text, Base64ComesBack) {
  EXPECT_EQ(to_base64(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(to_base64(as_bytes("fooba")), "Zm9vYmE=");
  EXPECT_EQ(to_base64(as_bytes("foob")), "Zm9vYg==");
  for (const std::string_view text : {"", "f", "fo", "foo", "foob", "fooba"}) {
    const auto back = from_base64(to_base64(as_bytes(text)));
    ASSERT_TRUE(back);
    EXPECT_EQ(as_text(*back), text);
  }
  EXPECT_FALSE(from_base64("Zm9"));
  EXPECT_FALSE(from_base64("Zm9*"));
}

}  // namespace
}  // namespace milena::wire
