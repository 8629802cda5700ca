// What is known about an API as such. The table of all of them, kApis, is generated: protocol/api.gen.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/codec.h"

namespace milena::protocol {

// The kinds of listener that serve an API, as Kafka has it.
inline constexpr std::uint8_t kOnBroker = 1;
inline constexpr std::uint8_t kOnController = 2;

struct ApiInfo {
  std::int16_t key;
  std::string_view name;
  std::int16_t min_version;  // what the codec can read and write
  std::int16_t max_version;
  // What ApiVersions may tell, at most: usually the same. Produce claims versions it cannot decode, because
  // old librdkafka versions insist (KAFKA-18659), and versions that Kafka calls unstable are kept quiet.
  std::int16_t min_advertised;
  std::int16_t max_advertised;
  std::int16_t flexible_from;
  std::uint8_t listeners;  // kOnBroker | kOnController

  // Whether a request of this version is answered: versions that are only claimed or unstable are not.
  constexpr bool serves(int version) const { return version >= min_version && version <= max_advertised; }
  constexpr bool flexible(int version) const { return version >= flexible_from; }
};

// Null for a key that no API has any more, or yet.
const ApiInfo* find_api(std::int16_t key);

}  // namespace milena::protocol
