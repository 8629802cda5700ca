// What validating a produced batch costs, per codec. Not run by ctest: record_batch_bench
// [--benchmark_filter=...]
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/assert.h"
#include "base/rng.h"
#include "protocol/record_batch_builder.h"
#include "protocol/record_batch_validator.h"

namespace milena::protocol {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

// Events as services write them: the same field names, different numbers.
std::string event(Rng& rng, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    text += "{\"user\":" + std::to_string(rng.below(100000)) + ",\"action\":\"view\",\"page\":\"/item/" +
            std::to_string(rng.below(1000)) + "\",\"ms\":" + std::to_string(rng.below(500)) + "}";
  }
  text.resize(size);
  return text;
}

std::vector<std::byte> batch(CompressionType type, std::size_t record_bytes, int records) {
  SeededRng rng(1);
  RecordBatchBuilder builder({.compression = type});
  for (int i = 0; i < records; ++i) {
    builder.append(kNow + i, as_bytes(std::to_string(i)), as_bytes(event(rng, record_bytes)));
  }
  return builder.build();
}

// Arguments: codec, bytes per value, records.
void validate(benchmark::State& state) {
  const auto type = static_cast<CompressionType>(state.range(0));
  const auto records = static_cast<int>(state.range(2));
  auto bytes = batch(type, static_cast<std::size_t>(state.range(1)), records);
  Codecs codecs;
  const BatchRules rules = {.produce_version = 12, .max_message_bytes = 16 << 20};
  for ([[maybe_unused]] auto _ : state) {
    const auto result = validate_produced_batch(bytes, rules, kNow, codecs);
    MILENA_ASSERT(result.has_value(), "the batch is sound");
    benchmark::DoNotOptimize(result->max_timestamp_ms);
  }
  const auto count = static_cast<double>(state.iterations()) * records;
  state.counters["per_record"] =
      benchmark::Counter(count, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * records * state.range(1));
  state.SetLabel(std::string(compression_name(type)) + ", " + std::to_string(bytes.size()) + " bytes");
}

BENCHMARK(validate)
    ->ArgNames({"codec", "value", "records"})
    ->ArgsProduct({{0, 1, 2, 3, 4}, {1024}, {16}})
    ->ArgsProduct({{0, 1, 2, 3, 4}, {100}, {140, 10'000}});

void recompress(benchmark::State& state) {
  const auto from = batch(CompressionType::kNone, 1024, 16);
  const auto type = static_cast<CompressionType>(state.range(0));
  const BatchRules rules = {.max_message_bytes = 16 << 20, .compression = type};
  const auto view = RecordBatchView::parse(from).value();
  Codecs codecs;
  std::vector<std::byte> out;
  for ([[maybe_unused]] auto _ : state) {
    MILENA_ASSERT(recompress_batch(view, rules, std::nullopt, codecs, out).has_value(), "fits");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * 16 * 1024);
  state.SetLabel(std::string(compression_name(type)));
}

BENCHMARK(recompress)->ArgName("codec")->DenseRange(0, 4);

}  // namespace
}  // namespace milena::protocol
