// How long decoding and encoding a Fetch request takes. Arguments: topics, partitions per topic, version.
#include <benchmark/benchmark.h>

#include <string>

#include "protocol/fetch.gen.h"

namespace milena::protocol {
namespace {

using Topic = FetchRequest::FetchTopic;

FetchRequest request(Arena& arena, std::int64_t topics, std::int64_t partitions) {
  FetchRequest out{.max_wait_ms = 500, .rack_id = "rack-a"};
  const auto all = arena.array<Topic>(static_cast<std::size_t>(topics));
  for (Topic& topic : all) {
    topic.topic = arena.text("orders-eu-west-production-" + std::to_string(&topic - all.data()));
    topic.partitions = arena.array<Topic::FetchPartition>(static_cast<std::size_t>(partitions));
    for (auto& partition : topic.partitions) {
      partition.fetch_offset = 123456789;
      partition.partition_max_bytes = 1 << 20;
    }
  }
  out.topics = all;
  return out;
}

void decode_fetch(benchmark::State& state) {
  const int version = static_cast<int>(state.range(2));
  Arena arena;
  const BytesView bytes = encode(request(arena, state.range(0), state.range(1)), version, arena).head();
  Arena scratch;
  for ([[maybe_unused]] auto _ : state) {
    scratch.reset(1 << 20);
    auto message = decode<FetchRequest>(bytes, version, scratch);
    benchmark::DoNotOptimize(message);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void encode_fetch(benchmark::State& state) {
  const int version = static_cast<int>(state.range(2));
  Arena arena;
  const FetchRequest message = request(arena, state.range(0), state.range(1));
  Arena scratch;
  for ([[maybe_unused]] auto _ : state) {
    scratch.reset(1 << 20);
    benchmark::DoNotOptimize(encode(message, version, scratch).buffer);
  }
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->Args({1, 1, 12})->Args({10, 10, 12})->Args({100, 10, 12})->Args({100, 10, 11});
}

BENCHMARK(decode_fetch)->Apply(shapes);
BENCHMARK(encode_fetch)->Apply(shapes);

}  // namespace
}  // namespace milena::protocol

BENCHMARK_MAIN();
