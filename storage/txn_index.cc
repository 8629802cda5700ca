#include "storage/txn_index.h"

namespace milena::storage {
namespace {

constexpr std::int16_t kVersion = 0;

}  // namespace

std::vector<std::byte> encode_txn_index(std::span<const AbortedTransaction> aborted) {
  std::vector<std::byte> bytes(aborted.size() * kTxnIndexEntrySize);
  std::byte* to = bytes.data();
  for (const AbortedTransaction& txn : aborted) {
    store_be(to, kVersion);
    store_be(to + 2, txn.producer_id.value);
    store_be(to + 10, txn.first_offset.value);
    store_be(to + 18, txn.last_offset.value);
    store_be(to + 26, txn.last_stable_offset.value);
    to += kTxnIndexEntrySize;
  }
  return bytes;
}

std::optional<std::vector<AbortedTransaction>> decode_txn_index(BytesView bytes,
                                                                protocol::Offset base_offset) {
  if (bytes.size() % kTxnIndexEntrySize != 0) return std::nullopt;
  std::vector<AbortedTransaction> aborted;
  aborted.reserve(bytes.size() / kTxnIndexEntrySize);
  Offset last_marker = base_offset - 1;
  for (; !bytes.empty(); bytes = bytes.subspan(kTxnIndexEntrySize)) {
    const std::byte* from = bytes.data();
    if (load_be<std::int16_t>(from) != kVersion) return std::nullopt;
    const AbortedTransaction txn{.producer_id = load_be<std::int64_t>(from + 2),
                                 .first_offset = load_be<std::int64_t>(from + 10),
                                 .last_offset = load_be<std::int64_t>(from + 18),
                                 .last_stable_offset = load_be<std::int64_t>(from + 26)};
    if (txn.last_offset <= last_marker || txn.first_offset < 0 || txn.first_offset > txn.last_offset)
      return std::nullopt;
    last_marker = txn.last_offset;
    aborted.push_back(txn);
  }
  return aborted;
}

bool collect_aborted(std::span<const AbortedTransaction> index, protocol::Offset from,
                     protocol::Offset upper_bound, std::vector<AbortedTransaction>& out) {
  for (const AbortedTransaction& txn : index) {
    if (txn.last_offset >= from && txn.first_offset < upper_bound) out.push_back(txn);
    if (txn.last_stable_offset >= upper_bound) return true;
  }
  return false;
}

}  // namespace milena::storage
