// Durability: when a write counts as done.
#pragma once

#include <cstdint>
#include <string_view>

namespace milena::broker {

enum class Durability : std::uint8_t {
  kPageCache,  // in the page cache, as in Kafka: survives kill -9, not a power cut
  kFsync,      // on stable storage: survives both
};

constexpr std::string_view to_string(Durability durability) {
  return durability == Durability::kFsync ? "fsync" : "page-cache";
}

}  // namespace milena::broker
