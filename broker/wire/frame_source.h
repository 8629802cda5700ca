// FrameSource: the frames of one direction of a connection, one after the other, from an Input.
//
// Frames have their size in front, as on the wire; or there is one frame without. One frame is in memory at a
// time. Not thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "broker/wire/input.h"

namespace milena::wire {

enum class Framing {
  kDetect,
  kSized,  // four bytes with the size in front of each
  kBare,   // the input is one frame
};

// Whether these bytes may be a whole frame, or its start.
using LooksLikeFrame = std::function<bool(BytesView)>;

class FrameSource {
 public:
  struct Frame {
    BytesView bytes;              // without the size; holds until the next call
    std::uint64_t position = 0;   // of `bytes`
    std::uint64_t announced = 0;  // more than there are bytes if the input ends within it
  };

  // kDetect: with sizes if they lead exactly to the end of the input, or if it does not look like a frame
  // without.
  FrameSource(Input& input, Framing framing, const LooksLikeFrame& looks_like_frame);

  // Nothing at the end. The error is a sentence about what is at position().
  std::expected<std::optional<Frame>, std::string> next();
  std::uint64_t position() const { return at_; }

 private:
  bool sizes_lead_to_the_end();
  bool looks_sized(const LooksLikeFrame& looks_like_frame);

  Input& input_;
  bool is_sized_;
  std::uint64_t at_ = 0;
};

}  // namespace milena::wire
