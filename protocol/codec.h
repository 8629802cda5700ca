// The public face of the wire codec: decode and encode for every message that protocol/schema describes.
//
// Messages are trivially destructible views. Strings and bytes point into the decoded bytes, arrays into an
// Arena; keep both alive while the message is in use. One struct serves all versions of a message: fields
// that the version on the wire lacks hold their default. Decoding never trusts a length: see
// docs/formats/schema.md for the limits. Pure functions, callable from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/result.h"

namespace milena::protocol {

// Beyond these a message is refused whatever its size; Kafka's decoders use the same limits from 4.4 on.
inline constexpr std::int64_t kMaxArrayElements = 1'000'000;
inline constexpr std::uint32_t kMaxTaggedFields = 10'000;
inline constexpr std::size_t kMaxTextSize = 0x7fff;

// No element of an array takes more than this many arena bytes per byte of its smallest encoding (generated
// code asserts it), and no byte is counted for two elements. So decoding n bytes allocates at most
// kMaxExpansion * n.
inline constexpr std::size_t kMaxExpansion = 24;

// What a message is for. Records are what logs hold; they outlive the process that wrote them.
enum class MessageKind : std::uint8_t {
  kRequest,
  kResponse,
  kHeader,
  kMetadataRecord,    // in __cluster_metadata
  kCoordinatorKey,    // in the key of a record of a coordinator's log
  kCoordinatorValue,  // in the value of such a record
  kData,              // a format of its own: consumer protocol, control records, quorum-state, ...
};

struct MessageInfo {
  static constexpr std::int16_t kNeverFlexible = std::numeric_limits<std::int16_t>::max();

  std::string_view name;
  MessageKind kind;
  std::int16_t key;  // API key or record type; -1 for headers and data
  std::int16_t min_version;
  std::int16_t max_version;
  std::int16_t flexible_from;  // first version with compact lengths and tagged fields (KIP-482)

  constexpr bool has_version(int version) const { return version >= min_version && version <= max_version; }
  constexpr bool flexible(int version) const { return version >= flexible_from; }
};

// The bytes of a `records` field. What was decoded is a view of the frame. A response may instead name bytes
// that live in a file: `external` is then whatever the sender of the response understands, and `bytes` is
// empty.
struct RecordsRef {
  BytesView bytes;
  const void* external = nullptr;
  std::size_t external_size = 0;

  constexpr std::size_t size() const { return external != nullptr ? external_size : bytes.size(); }
};

// An encoded message: the head, and the places in it where record bytes belong without having been copied.
struct Encoded {
  struct Splice {
    std::size_t at = 0;  // the records go in front of head()[at]
    RecordsRef records;
  };

  MutableBytes buffer;           // `headroom` bytes for the caller, then the head; in the arena
  std::size_t headroom = 0;      // as asked for
  std::span<Splice> splices;     // ascending in `at`; never empty records
  std::size_t spliced_size = 0;  // bytes of all splices

  BytesView head() const { return buffer.subspan(headroom); }
  std::size_t size() const { return buffer.size() - headroom + spliced_size; }
};

// Reads one message from the front of `input` and moves `input` past it.
// Errors: kUnsupportedVersion for a version that M lacks; kInvalidRequest for malformed bytes, where `why`
// names the field. On error `input` is unchanged and the arena may hold garbage.
template <class M>
Result<M> decode_front(BytesView& input, int version, Arena& arena);

// Reads one message. Bytes that follow it are ignored, as Kafka ignores them in requests, responses and
// coordinator records; where they matter use decode_front.
template <class M>
Result<M> decode(BytesView body, int version, Arena& arena) {
  return decode_front<M>(body, version, arena);
}

// Writes a message. M must have `version`. Fields that the version lacks are left out, so that a handler may
// fill a response without asking for the version; for records that would be a loss nobody notices, so there a
// set field that is neither in the version nor `ignorable` is a broken invariant. A string longer than 32767
// bytes, the most the wire can carry, is cut at a character's end. Null in a version that cannot say null is
// written as empty.
template <class M>
Encoded encode(const M& message, int version, Arena& arena, std::size_t headroom = 0);

// The message in one piece, without the headroom; copied only if there are splices, none of them external.
BytesView flatten(const Encoded& encoded, Arena& arena);

}  // namespace milena::protocol
