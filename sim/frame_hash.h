// FrameHash: a number for all that was said in a run: two runs that differ in one byte differ in it.
#pragma once

#include <cstdint>
#include <string_view>

namespace milena::sim {

class FrameHash {
 public:
  // FNV-1a, 64 bits, over the time, the direction and the bytes.
  void add(std::int64_t at_ms, char direction, std::string_view frame) {
    for (int i = 0; i < 8; ++i) mix(static_cast<unsigned char>(at_ms >> (8 * i)));
    mix(static_cast<unsigned char>(direction));
    for (const char c : frame) mix(static_cast<unsigned char>(c));
    ++frames_;
  }
  std::uint64_t value() const { return value_; }
  std::uint64_t frames() const { return frames_; }

 private:
  void mix(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3; }

  std::uint64_t value_ = 0xcbf29ce484222325;
  std::uint64_t frames_ = 0;
};

}  // namespace milena::sim
