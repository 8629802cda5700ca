#include "storage/producer_snapshot.h"

#include <concepts>

#include "base/crc32c.h"

namespace milena::storage {
namespace {

constexpr std::int16_t kVersion = 1;
constexpr std::size_t kCrcAt = 2;
constexpr std::size_t kCheckedFrom = 6;
constexpr std::size_t kEntrySize = 46;
constexpr std::uint32_t kAdditionMagic = 0x4d696c31;  // "Mil1"
constexpr std::size_t kBatchSize = 24;
constexpr std::size_t kUnreplicatedSize = 16;

class Output {
 public:
  template <std::integral T>
  void put(T value) {
    bytes_.resize(bytes_.size() + sizeof(T));
    store_be(bytes_.data() + bytes_.size() - sizeof(T), value);
  }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// Reads integers; zero, and failed() for good, once the bytes end.
class Input {
 public:
  explicit Input(BytesView bytes) : bytes_(bytes) {}
  template <std::integral T>
  T take() {
    if (bytes_.size() < sizeof(T)) {
      failed_ = true;
      return {};
    }
    const T value = load_be<T>(bytes_.data());
    bytes_ = bytes_.subspan(sizeof(T));
    return value;
  }
  // A count of things that each take `size` bytes.
  std::size_t take_count(std::size_t size) {
    const auto count = take<std::int32_t>();
    if (count < 0 || static_cast<std::size_t>(count) > bytes_.size() / size) failed_ = true;
    return failed_ ? 0 : static_cast<std::size_t>(count);
  }
  bool empty() const { return bytes_.empty(); }
  bool failed() const { return failed_; }

 private:
  BytesView bytes_;
  bool failed_ = false;
};

void put_entry(Output& out, const ProducerEntry& entry) {
  const bool has_batch = entry.batch_count > 0;
  const RememberedBatch last = has_batch ? entry.remembered().back() : RememberedBatch{.last_offset = -1};
  out.put(entry.producer_id.value);
  out.put(entry.producer_epoch);
  out.put(last.last_sequence);
  out.put(last.last_offset.value);
  out.put(last.offset_delta);
  out.put(entry.last_timestamp);
  out.put(entry.coordinator_epoch);
  out.put(entry.current_txn_first_offset.value);
}

ProducerEntry take_entry(Input& in) {
  ProducerEntry entry;
  RememberedBatch last;
  entry.producer_id = in.take<std::int64_t>();
  entry.producer_epoch = in.take<std::int16_t>();
  last.last_sequence = in.take<std::int32_t>();
  last.last_offset = in.take<std::int64_t>();
  last.offset_delta = in.take<std::int32_t>();
  last.timestamp = entry.last_timestamp = in.take<std::int64_t>();
  entry.coordinator_epoch = in.take<std::int32_t>();
  const auto txn_first_offset = in.take<std::int64_t>();
  if (txn_first_offset >= 0) entry.current_txn_first_offset = txn_first_offset;
  if (last.last_offset >= 0) entry.remember(last);
  return entry;
}

void put_addition(Output& out, std::span<const ProducerEntry> entries,
                  std::span<const UnreplicatedTransaction> unreplicated) {
  out.put(kAdditionMagic);
  for (const ProducerEntry& entry : entries) {
    out.put(entry.batch_count);
    for (const RememberedBatch& batch : entry.remembered()) {
      out.put(batch.last_sequence);
      out.put(batch.offset_delta);
      out.put(batch.last_offset.value);
      out.put(batch.timestamp);
    }
  }
  out.put(static_cast<std::int32_t>(unreplicated.size()));
  for (const UnreplicatedTransaction& txn : unreplicated) {
    out.put(txn.first_offset.value);
    out.put(txn.last_offset.value);
  }
}

bool take_addition(Input& in, std::span<ProducerEntry> entries,
                   std::vector<UnreplicatedTransaction>& unreplicated) {
  if (in.take<std::uint32_t>() != kAdditionMagic) return false;
  for (ProducerEntry& entry : entries) {
    const auto count = in.take<std::uint8_t>();
    if (count > ProducerEntry::kBatchesRetained) return false;
    entry.batch_count = 0;
    for (std::uint8_t i = 0; i < count; ++i) {
      RememberedBatch batch;
      batch.last_sequence = in.take<std::int32_t>();
      batch.offset_delta = in.take<std::int32_t>();
      batch.last_offset = in.take<std::int64_t>();
      batch.timestamp = in.take<std::int64_t>();
      entry.remember(batch);
    }
  }
  const std::size_t count = in.take_count(kUnreplicatedSize);
  for (std::size_t i = 0; i < count; ++i) {
    const Offset first_offset = in.take<std::int64_t>();
    unreplicated.push_back({first_offset, in.take<std::int64_t>()});
  }
  return !in.failed() && in.empty();
}

}  // namespace

std::vector<std::byte> encode_producer_snapshot(const ProducerState& state) {
  const auto entries = state.entries();
  Output out;
  out.bytes().reserve(kCheckedFrom + 4 + entries.size() * (kEntrySize + 1 + kBatchSize) + 64);
  out.put(kVersion);
  out.put(std::uint32_t{0});
  out.put(static_cast<std::int32_t>(entries.size()));
  for (const ProducerEntry& entry : entries) put_entry(out, entry);
  put_addition(out, entries, state.unreplicated());
  store_be(out.bytes().data() + kCrcAt, crc32c(BytesView(out.bytes()).subspan(kCheckedFrom)));
  return std::move(out.bytes());
}

std::optional<ProducerState> decode_producer_snapshot(BytesView bytes) {
  Input in(bytes);
  if (in.take<std::int16_t>() != kVersion) return std::nullopt;
  const auto crc = in.take<std::uint32_t>();
  if (in.failed() || crc != crc32c(bytes.subspan(kCheckedFrom))) return std::nullopt;
  std::vector<ProducerEntry> entries(in.take_count(kEntrySize));
  for (ProducerEntry& entry : entries) entry = take_entry(in);
  std::vector<UnreplicatedTransaction> unreplicated;
  if (in.failed()) return std::nullopt;
  if (!in.empty() && !take_addition(in, entries, unreplicated)) return std::nullopt;
  ProducerState state;
  state.load(entries, unreplicated);
  return state;
}

bool is_newer_producer_snapshot(BytesView bytes) {
  return bytes.size() >= kCheckedFrom && load_be<std::int16_t>(bytes.data()) > kVersion &&
         load_be<std::uint32_t>(bytes.data() + kCrcAt) == crc32c(bytes.subspan(kCheckedFrom));
}

}  // namespace milena::storage
