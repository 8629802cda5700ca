#include "broker/net/frame_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "protocol/frame.h"

namespace milena::broker {

void FrameReader::feed(MutableBytes input) {
  MILENA_ASSERT(input_.empty(), "input is fed before the last one was consumed");
  input_ = input;
}

FrameReader::Next FrameReader::next(Frame& frame) {
  if (size_have_ == 0 && input_.size() >= 4) {  // the usual case: a frame that lies in the input as a whole
    const Next verdict = read_size(input_.data());
    if (verdict != Next::kFrame) return verdict;
    if (input_.size() - 4 >= size_) {
      frame = {input_.subspan(4, size_), Buffer{}};
      input_ = input_.subspan(4 + size_);
      return Next::kFrame;
    }
  }
  while (size_have_ < 4 && !input_.empty()) {
    size_bytes_[size_have_++] = input_.front();
    input_ = input_.subspan(1);
    if (size_have_ == 4) {
      if (const Next verdict = begin_frame(); verdict != Next::kFrame) return verdict;
    }
  }
  if (size_have_ == 4) {
    for (;;) {
      const std::size_t n = std::min(input_.size(), space().size());
      if (n > 0) std::memcpy(partial_.data() + have_, input_.data(), n);
      have_ += n;
      input_ = input_.subspan(n);
      if (have_ == size_) {
        frame = {{partial_.data(), size_}, std::move(partial_)};
        end_frame();
        return Next::kFrame;
      }
      if (!space().empty()) break;
      if (const Next verdict = grow(); verdict != Next::kFrame) return verdict;
    }
  }
  held_ = Buffer{};
  return Next::kNeedBytes;
}

FrameReader::Next FrameReader::hold() {
  if (input_.empty() || held_) return Next::kNeedBytes;
  held_ = pool_.take(input_.size());
  if (!held_) return Next::kNoMemory;
  std::memcpy(held_.data(), input_.data(), input_.size());
  input_ = {held_.data(), input_.size()};
  return Next::kNeedBytes;
}

MutableBytes FrameReader::space() const {
  if (!partial_) return {};
  return {partial_.data() + have_, std::min(size_, partial_.capacity()) - have_};
}

FrameReader::Next FrameReader::read_size(const std::byte* from) {
  const auto size = protocol::parse_request_size({from, protocol::kFrameSizeBytes}, frame_bytes_max_);
  if (!size) return Next::kMalformed;
  size_ = *size;
  return Next::kFrame;
}

FrameReader::Next FrameReader::begin_frame() {
  if (const Next verdict = read_size(size_bytes_.data()); verdict != Next::kFrame) return verdict;
  have_ = 0;
  partial_ = pool_.take(std::min(size_, kStageBytes));
  return partial_ ? Next::kFrame : Next::kNoMemory;
}

FrameReader::Next FrameReader::grow() {
  Buffer whole = pool_.take(size_);
  if (!whole) return Next::kNoMemory;
  std::memcpy(whole.data(), partial_.data(), have_);
  partial_ = std::move(whole);
  return Next::kFrame;
}

void FrameReader::end_frame() {
  size_have_ = 0;
  size_ = 0;
  have_ = 0;
  partial_ = Buffer{};
}

}  // namespace milena::broker
