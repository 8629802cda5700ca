#include "bench/load/sample_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "protocol/record_batch_builder.h"

namespace milena::bench {
namespace {

constexpr std::array<std::string_view, 8> kActions = {"view",   "search",   "add_to_cart", "checkout",
                                                      "refund", "register", "comment",     "share"};

void append_event(std::string& text, Rng& rng) {
  const auto action = kActions[rng.below(kActions.size())];
  fmt::format_to(
      std::back_inserter(text),
      R"({{"user_id":{},"session":"{:016x}","action":"{}","item":{},"price":{}.{:02},"page":"/shop/{}"}})",
      rng.below(1'000'000), rng.next(), action, rng.below(50'000), rng.below(500), rng.below(100), action);
}

}  // namespace

std::vector<std::byte> sample_batch(const BatchShape& shape, std::size_t count, std::int64_t timestamp_ms) {
  SeededRng rng(1);
  protocol::RecordBatchBuilder builder({.compression = shape.codec});
  std::string value;
  for (std::size_t i = 0; i < count; ++i) {
    value.clear();
    while (value.size() < shape.record_bytes) append_event(value, rng);
    value.resize(shape.record_bytes);
    builder.append(timestamp_ms, std::nullopt, as_bytes(value));
  }
  return builder.build();
}

std::vector<std::byte> full_batch(const BatchShape& shape, std::int64_t timestamp_ms) {
  // One record more than `fits` does not fit. Compression makes that a search.
  std::size_t fits = 1;
  std::size_t too_many = 2;
  const auto is_too_large = [&](std::size_t count) {
    return sample_batch(shape, count, timestamp_ms).size() > shape.batch_bytes;
  };
  while (!is_too_large(too_many)) fits = std::exchange(too_many, 2 * too_many);
  while (too_many - fits > 1) {
    const std::size_t middle = fits + (too_many - fits) / 2;
    (is_too_large(middle) ? too_many : fits) = middle;
  }
  return sample_batch(shape, fits, timestamp_ms);
}

}  // namespace milena::bench
