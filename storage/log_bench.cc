// What an append, a look-up, a recovery and an idle partition cost on the disk this runs on.
//   log_bench [--benchmark_filter=...]; files go to a directory under TMPDIR (/tmp), removed afterwards.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdlib>
#include <filesystem>

#include "base/posix_fs.h"
#include "protocol/record_batch_builder.h"
#include "storage/log_directory.h"

namespace milena::storage {
namespace {

class Place {
 public:
  Place() {
    std::string pattern = (std::filesystem::temp_directory_path() / "milena-bench-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Place() { std::filesystem::remove_all(path_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<std::byte> batch_of(std::size_t size) {
  protocol::RecordBatchBuilder builder;
  const std::string value(size - protocol::kBatchHeaderBytes - 10, 'x');
  builder.append(1'700'000'000'000, std::nullopt, as_bytes(value));
  return builder.build();
}

std::unique_ptr<Log> open_log(LogDirectory& directory, int index, Fs& fs) {
  SeededRng rng(static_cast<std::uint64_t>(index));
  const TopicPartition partition{"bench", index};
  if (!fs.exists(directory.partition_path(partition)))
    (void)directory.create_partition(partition, Uuid::random(rng));
  auto log = directory.open_log(partition, std::make_shared<const LogConfig>(), 0);
  if (!log) std::abort();
  return std::move(*log);
}

// Appends until 1 GiB, then starts again with an empty file, so that the disk never fills.
void BM_RawPwrite(benchmark::State& state) {
  const Place place;
  PosixFs fs;
  const std::vector<std::byte> batch = batch_of(static_cast<std::size_t>(state.range(0)));
  std::unique_ptr<File> file;
  std::uint64_t at = 1 << 30;
  for ([[maybe_unused]] auto _ : state) {
    if (at + batch.size() > 1 << 30) {
      state.PauseTiming();
      file = std::move(*fs.open(join(place.path(), "raw"), OpenMode::kTruncate));
      at = 0;
      state.ResumeTiming();
    }
    if (!file->write_at(at, batch)) state.SkipWithError("write");
    at += batch.size();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_RawPwrite)->Arg(1024)->Arg(16384)->Arg(65536);

void BM_Append(benchmark::State& state) {
  const Place place;
  PosixFs fs;
  auto directory = std::move(*LogDirectory::open(fs, place.path()));
  std::vector<std::byte> batch = batch_of(static_cast<std::size_t>(state.range(0)));
  std::unique_ptr<Log> log;
  std::uint64_t written = 1 << 30;
  int index = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (written + batch.size() > 1 << 30) {
      state.PauseTiming();
      if (log) std::filesystem::remove_all(log->directory());
      log = open_log(*directory, index++, fs);
      written = 0;
      state.ResumeTiming();
    }
    if (!log->append_as_leader(batch, {.now_ms = 0})) state.SkipWithError("append");
    written += batch.size();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Append)->Arg(1024)->Arg(16384)->Arg(65536);

void BM_Read(benchmark::State& state) {
  const Place place;
  PosixFs fs;
  auto directory = std::move(*LogDirectory::open(fs, place.path()));
  std::vector<std::byte> batch = batch_of(1024);
  const auto log = open_log(*directory, 0, fs);
  constexpr int kBatches = 100'000;
  for (int i = 0; i < kBatches; ++i)
    if (!log->append_as_leader(batch, {.now_ms = 0})) std::abort();
  SeededRng rng(1);
  const bool tail = state.range(0) != 0;
  for ([[maybe_unused]] auto _ : state) {
    const Offset offset = tail ? kBatches - 1 : static_cast<std::int64_t>(rng.below(kBatches));
    benchmark::DoNotOptimize(log->read(offset, 1 << 20, kBatches, true));
  }
}
BENCHMARK(BM_Read)->ArgName("tail")->Arg(0)->Arg(1);

// Opening a log of 1 GiB none of which was checkpointed as flushed.
void BM_Recover1GiB(benchmark::State& state) {
  const Place place;
  PosixFs fs;
  std::vector<std::byte> batch = batch_of(static_cast<std::size_t>(state.range(0)));
  {
    auto directory = std::move(*LogDirectory::open(fs, place.path()));
    const auto log = open_log(*directory, 0, fs);
    for (std::uint64_t written = 0; written < 1 << 30; written += batch.size())
      if (!log->append_as_leader(batch, {.now_ms = 0})) std::abort();
  }
  for ([[maybe_unused]] auto _ : state) {
    auto directory = std::move(*LogDirectory::open(fs, place.path()));
    benchmark::DoNotOptimize(open_log(*directory, 0, fs));
  }
  state.SetBytesProcessed(state.iterations() << 30);
}
BENCHMARK(BM_Recover1GiB)->Arg(1024)->Arg(65536)->Unit(benchmark::kMillisecond)->Iterations(3);

// 5,000 partitions: made, given one record each, closed, opened again; and what one of them costs in memory
// then.
void BM_Partitions(benchmark::State& state) {
  constexpr int kPartitions = 5000;
  const bool with_record = state.range(0) != 0;
  for ([[maybe_unused]] auto _ : state) {
    const Place place;
    PosixFs fs;
    std::vector<std::byte> batch = batch_of(1024);
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto ms = [](auto from, auto to) {
      return std::chrono::duration<double, std::milli>(to - from).count();
    };
    const auto started = now();
    {
      auto directory = std::move(*LogDirectory::open(fs, place.path()));
      std::vector<std::unique_ptr<Log>> logs;
      std::vector<Log*> pointers;
      for (int i = 0; i < kPartitions; ++i) logs.push_back(open_log(*directory, i, fs));
      for (const auto& log : logs) pointers.push_back(log.get());
      (void)directory->recovery_done();
      state.counters["create_ms"] = ms(started, now());
      if (with_record)
        for (const auto& log : logs) (void)log->append_as_leader(batch, {.now_ms = 0});
      const auto closing = now();
      if (!directory->close(pointers, 1)) std::abort();
      state.counters["close_ms"] = ms(closing, now());
    }
    auto directory = std::move(*LogDirectory::open(fs, place.path()));
    std::vector<std::unique_ptr<Log>> logs;
    logs.reserve(kPartitions);
    const auto before = ::mallinfo2().uordblks;
    const auto opening = now();
    for (int i = 0; i < kPartitions; ++i) logs.push_back(open_log(*directory, i, fs));
    state.counters["open_ms"] = ms(opening, now());
    state.counters["bytes_each"] = static_cast<double>(::mallinfo2().uordblks - before) / kPartitions;
    state.counters["descriptors"] = static_cast<double>(std::distance(
        std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator{}));
  }
}
BENCHMARK(BM_Partitions)
    ->ArgName("with_record")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace milena::storage

BENCHMARK_MAIN();
