#include "protocol/control_record.h"

#include "base/assert.h"
#include "protocol/error_code.h"

namespace milena::protocol {
namespace {

constexpr std::int16_t kKeyVersion = 0;
constexpr std::int16_t kMarkerVersion = 0;
constexpr std::size_t kKeyBytes = 4;
constexpr std::size_t kMarkerBytes = 6;

}  // namespace

Result<ControlRecordType> control_record_type(const RecordView& record) {
  if (!record.key || record.key->size() < kKeyBytes) {
    return fail(ErrorCode::kInvalidRecord, "control record key is too short");
  }
  if (load_be<std::int16_t>(record.key->data()) < 0) {
    return fail(ErrorCode::kInvalidRecord, "control record key of a negative version");
  }
  const auto type = load_be<std::int16_t>(record.key->data() + 2);
  const bool known = type >= 0 && type <= static_cast<std::int16_t>(ControlRecordType::kKraftVoters);
  return known ? static_cast<ControlRecordType>(type) : ControlRecordType::kUnknown;
}

Result<std::int32_t> end_txn_marker_coordinator_epoch(const RecordView& record) {
  if (!record.value || record.value->size() < kMarkerBytes) {
    return fail(ErrorCode::kInvalidRecord, "transaction marker is too short");
  }
  if (load_be<std::int16_t>(record.value->data()) < 0) {
    return fail(ErrorCode::kInvalidRecord, "transaction marker of a negative version");
  }
  return load_be<std::int32_t>(record.value->data() + 2);
}

std::array<std::byte, kKeyBytes> control_record_key(ControlRecordType type) {
  MILENA_ASSERT(type != ControlRecordType::kUnknown, "unknown control records are never written");
  std::array<std::byte, kKeyBytes> key;
  store_be(key.data(), kKeyVersion);
  store_be(key.data() + 2, static_cast<std::int16_t>(type));
  return key;
}

std::vector<std::byte> build_control_batch(BatchSettings settings, std::int64_t timestamp_ms,
                                           ControlRecordType type, BytesView value) {
  const auto key = control_record_key(type);
  settings.control = true;
  RecordBatchBuilder builder(settings);
  builder.append(timestamp_ms, BytesView(key), value);
  return builder.build();
}

std::vector<std::byte> build_end_txn_marker(BatchSettings settings, std::int64_t timestamp_ms,
                                            ControlRecordType type, std::int32_t coordinator_epoch) {
  MILENA_ASSERT(type == ControlRecordType::kAbort || type == ControlRecordType::kCommit,
                "a transaction ends by commit or abort");
  std::array<std::byte, kMarkerBytes> value;
  store_be(value.data(), kMarkerVersion);
  store_be(value.data() + 2, coordinator_epoch);
  settings.transactional = true;
  settings.base_sequence = kNoSequence;
  return build_control_batch(settings, timestamp_ms, type, value);
}

}  // namespace milena::protocol
