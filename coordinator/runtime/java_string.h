// What Java makes of a string, where Kafka's formats depend on it: its UTF-16 form, hash and length.
//
// Pure functions. Bytes that are not UTF-8 count as U+FFFD each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace milena::coordinator {

void for_each_utf16_unit(std::string_view utf8, const std::function<void(std::uint16_t)>& visit);

std::int32_t java_string_hash(std::string_view utf8);
std::size_t java_string_length(std::string_view utf8);

// Which partition of an internal topic a group id or a transactional id belongs to: Kafka's rule, so that a
// data directory means the same to both. In [0, partitions); partitions > 0.
std::int32_t partition_for_key(std::string_view key, std::int32_t partitions);

}  // namespace milena::coordinator
