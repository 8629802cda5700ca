#include "broker/net/frame_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/rng.h"
#include "broker/net/testing/client.h"

namespace milena::broker {
namespace {

using Next = FrameReader::Next;
using testing::frame_of_size;

constexpr std::int32_t kMax = 4 * 1024 * 1024;

std::string framed(const std::string& bytes) {
  return frame_of_size(static_cast<std::int32_t>(bytes.size()), bytes);
}

MutableBytes mutable_bytes(std::string& text) {
  return {reinterpret_cast<std::byte*>(text.data()), text.size()};
}

// Takes what is complete; the last verdict is returned.
Next drain(FrameReader& reader, std::vector<std::string>& frames) {
  for (;;) {
    FrameReader::Frame frame;
    const Next next = reader.next(frame);
    if (next != Next::kFrame) return next;
    frames.emplace_back(as_text(frame.bytes));
  }
}

std::vector<std::string> read_in_pieces(const std::string& stream, const std::vector<std::size_t>& cuts) {
  BufferPool pool(1 << 20);
  FrameReader reader(pool, kMax);
  std::vector<std::string> frames;
  std::size_t at = 0;
  for (std::size_t cut : cuts) {
    std::string piece = stream.substr(at, cut - at);
    at = cut;
    reader.feed(mutable_bytes(piece));
    EXPECT_EQ(drain(reader, frames), Next::kNeedBytes);
  }
  EXPECT_EQ(reader.partial_bytes(), 0u);
  return frames;
}

TEST(FrameReader, CutsTheSameFramesWhereverTheStreamIsSplit) {
  const std::vector<std::string> sent = {std::string(10, 'a'), std::string(300, 'b'), std::string(11, 'c')};
  std::string stream;
  for (const auto& body : sent) stream += framed(body);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    ASSERT_EQ(read_in_pieces(stream, {cut, stream.size()}), sent) << "split at " << cut;
  }
  std::vector<std::size_t> every_byte;
  for (std::size_t i = 1; i <= stream.size(); ++i) every_byte.push_back(i);
  EXPECT_EQ(read_in_pieces(stream, every_byte), sent);
}

TEST(FrameReader, FindsManyFramesInOneRead) {
  std::string stream;
  for (int i = 0; i < 1000; ++i) stream += framed("request " + std::to_string(100 + i));
  const auto frames = read_in_pieces(stream, {stream.size()});
  ASSERT_EQ(frames.size(), 1000u);
  EXPECT_EQ(frames[999], "request 1099");
}

TEST(FrameReader, RandomSplitsOfRandomFramesGiveTheFramesBack) {
  SeededRng rng(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> sent;
    std::string stream;
    for (std::uint64_t n = rng.below(6) + 1; n > 0; --n) {
      const std::size_t size = 10 + rng.below(rng.one_in(4) ? 300'000 : 2'000);
      std::string body(size, '\0');
      for (char& c : body) c = static_cast<char>('a' + rng.below(26));
      stream += framed(body);
      sent.push_back(std::move(body));
    }
    std::vector<std::size_t> cuts;
    for (std::uint64_t n = rng.below(20); n > 0; --n) cuts.push_back(rng.below(stream.size()));
    cuts.push_back(stream.size());
    std::ranges::sort(cuts);
    ASSERT_EQ(read_in_pieces(stream, cuts), sent) << "round " << round;
  }
}

TEST(FrameReader, ALargeFrameMayBeFilledInPlace) {
  BufferPool pool(0);
  FrameReader reader(pool, kMax);
  const std::string body(1'000'000, 'x');
  const std::string stream = framed(body);
  std::string start = stream.substr(0, 100);
  std::vector<std::string> frames;
  reader.feed(mutable_bytes(start));
  ASSERT_EQ(drain(reader, frames), Next::kNeedBytes);
  EXPECT_EQ(reader.partial_bytes(), 100u);
  EXPECT_EQ(reader.announced_bytes(), body.size());
  std::size_t at = 100;
  std::size_t rounds = 0;
  while (frames.empty()) {
    const MutableBytes space = reader.space();
    ASSERT_FALSE(space.empty());
    std::memcpy(space.data(), stream.data() + at, space.size());
    at += space.size();
    reader.filled(space.size());
    drain(reader, frames);
    ++rounds;
  }
  EXPECT_EQ(rounds, 2u) << "once for the stage, once for the rest";
  EXPECT_EQ(frames[0], body);
}

TEST(FrameReader, BufferFollowsTheBytesReceivedNotTheSizeAnnounced) {
  BufferPool pool(0);
  FrameReader reader(pool, kMax);
  std::string start = frame_of_size(kMax, std::string(100, 'x'));
  std::vector<std::string> frames;
  reader.feed(mutable_bytes(start));
  EXPECT_EQ(drain(reader, frames), Next::kNeedBytes);
  EXPECT_LE(reader.space().size(), FrameReader::kStageBytes);
  EXPECT_TRUE(reader.space_ends_early());
}

TEST(FrameReader, HeldInputSurvivesItsBuffer) {
  BufferPool pool(1 << 20);
  FrameReader reader(pool, kMax);
  std::vector<std::string> frames;
  {
    std::string stream =
        framed("the first one") + framed("the second one") + framed("the third one").substr(0, 9);
    reader.feed(mutable_bytes(stream));
    FrameReader::Frame frame;
    ASSERT_EQ(reader.next(frame), Next::kFrame);
    frames.emplace_back(as_text(frame.bytes));
    EXPECT_EQ(reader.hold(), Next::kNeedBytes);
    std::ranges::fill(stream, '!');
  }
  EXPECT_TRUE(reader.has_input());
  EXPECT_EQ(drain(reader, frames), Next::kNeedBytes);
  EXPECT_FALSE(reader.has_input());
  std::string rest = framed("the third one").substr(9);
  reader.feed(mutable_bytes(rest));
  drain(reader, frames);
  EXPECT_EQ(frames, (std::vector<std::string>{"the first one", "the second one", "the third one"}));
}

TEST(FrameReader, RefusesSizesThatNoRequestHas) {
  for (const std::int32_t size : {-1, std::numeric_limits<std::int32_t>::min(), 0, 1, 2, 3, 4, 5, 6, 7, 9,
                                  kMax + 1, std::numeric_limits<std::int32_t>::max()}) {
    for (const bool split : {false, true}) {
      BufferPool pool(0);
      FrameReader reader(pool, kMax);
      std::string stream = frame_of_size(size, "0123456789");
      std::string tail = split ? stream.substr(2) : "";
      if (split) stream.resize(2);
      std::vector<std::string> frames;
      reader.feed(mutable_bytes(stream));
      Next verdict = drain(reader, frames);
      if (split) {
        EXPECT_EQ(verdict, Next::kNeedBytes);
        reader.feed(mutable_bytes(tail));
        verdict = drain(reader, frames);
      }
      EXPECT_EQ(verdict, Next::kMalformed) << size;
      EXPECT_TRUE(frames.empty());
    }
  }
}

TEST(FrameReader, TakesAFrameOfExactlyTheLargestSize) {
  const std::string body(static_cast<std::size_t>(kMax), 'y');
  const std::string stream = framed(body);
  EXPECT_EQ(read_in_pieces(stream, {stream.size()}), std::vector{body});
  EXPECT_EQ(read_in_pieces(stream, {70'000, stream.size()}), std::vector{body});
}

}  // namespace
}  // namespace milena::broker
