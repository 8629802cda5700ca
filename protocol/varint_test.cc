#include "protocol/varint.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace milena::protocol {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes out;
  for (const int v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

Bytes written(std::int32_t value) {
  Bytes out(kMaxVarint);
  out.resize(static_cast<std::size_t>(write_varint(out.data(), value) - out.data()));
  return out;
}

Bytes written(std::int64_t value) {
  Bytes out(kMaxVarlong);
  out.resize(static_cast<std::size_t>(write_varlong(out.data(), value) - out.data()));
  return out;
}

TEST(Varint, MatchesKnownEncodings) {
  EXPECT_EQ(written(0), bytes_of({0x00}));
  EXPECT_EQ(written(-1), bytes_of({0x01}));
  EXPECT_EQ(written(1), bytes_of({0x02}));
  EXPECT_EQ(written(63), bytes_of({0x7e}));
  EXPECT_EQ(written(-64), bytes_of({0x7f}));
  EXPECT_EQ(written(64), bytes_of({0x80, 0x01}));
  EXPECT_EQ(written(std::numeric_limits<std::int32_t>::max()), bytes_of({0xfe, 0xff, 0xff, 0xff, 0x0f}));
  EXPECT_EQ(written(std::numeric_limits<std::int32_t>::min()), bytes_of({0xff, 0xff, 0xff, 0xff, 0x0f}));
  EXPECT_EQ(written(std::numeric_limits<std::int64_t>::min()),
            bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
}

TEST(Varint, RoundTripsAtEveryWidthAndSizeAgrees) {
  SeededRng rng(1);
  for (int bits = 0; bits < 64; ++bits) {
    for (int i = 0; i < 50; ++i) {
      const auto wide = static_cast<std::int64_t>(rng.next() >> (63 - bits));
      const auto long_form = written(wide);
      EXPECT_EQ(long_form.size(), varlong_size(wide));
      std::int64_t read_back = 0;
      EXPECT_EQ(read_varlong(long_form.data(), long_form.data() + long_form.size(), read_back),
                long_form.data() + long_form.size());
      EXPECT_EQ(read_back, wide);

      const auto narrow = static_cast<std::int32_t>(wide);
      const auto short_form = written(narrow);
      EXPECT_EQ(short_form.size(), varint_size(narrow));
      std::int32_t narrow_back = 0;
      EXPECT_EQ(read_varint(short_form.data(), short_form.data() + short_form.size(), narrow_back),
                short_form.data() + short_form.size());
      EXPECT_EQ(narrow_back, narrow);
    }
  }
}

TEST(Varint, UnsignedRoundTripsTheExtremes) {
  for (const std::uint32_t value : {0u, 1u, 127u, 128u, 16383u, 16384u, 0xffffffffu}) {
    std::array<std::byte, kMaxVarint> out;
    const auto* end = write_unsigned_varint(out.data(), value);
    EXPECT_EQ(static_cast<std::size_t>(end - out.data()), unsigned_varint_size(value));
    std::uint32_t back = 0;
    EXPECT_EQ(read_unsigned_varint(out.data(), end, back), end);
    EXPECT_EQ(back, value);
  }
}

TEST(Varint, EveryTruncationIsRefused) {
  const auto whole = written(std::numeric_limits<std::int64_t>::min());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::int64_t value = 0;
    EXPECT_EQ(read_varlong(whole.data(), whole.data() + n, value), nullptr) << n;
  }
}

TEST(Varint, TooLongOrTooWideIsRefusedAndPaddingIsAccepted) {
  std::uint32_t value = 0;
  const auto six = bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x00});
  EXPECT_EQ(read_unsigned_varint(six.data(), six.data() + six.size(), value), nullptr);
  const auto wide = bytes_of({0xff, 0xff, 0xff, 0xff, 0x1f});
  EXPECT_EQ(read_unsigned_varint(wide.data(), wide.data() + wide.size(), value), nullptr);
  const auto padded = bytes_of({0x85, 0x80, 0x80, 0x80, 0x00});
  EXPECT_EQ(read_unsigned_varint(padded.data(), padded.data() + padded.size(), value), padded.data() + 5);
  EXPECT_EQ(value, 5u);

  std::uint64_t wide_value = 0;
  const auto eleven = bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00});
  EXPECT_EQ(read_unsigned_varlong(eleven.data(), eleven.data() + eleven.size(), wide_value), nullptr);
  const auto beyond = bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03});
  EXPECT_EQ(read_unsigned_varlong(beyond.data(), beyond.data() + beyond.size(), wide_value), nullptr);
}

}  // namespace
}  // namespace milena::protocol
