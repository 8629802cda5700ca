// Every message by name, for tools and tests that work on all of them alike.
#pragma once

#include <span>

#include "protocol/codec.h"

namespace milena::protocol {

struct MessageEntry {
  MessageInfo info;
  // Decodes one message from the front of `input`, moves `input` past it, and encodes what was understood.
  Result<BytesView> (*reencode)(BytesView& input, int version, Arena& arena);
};

// Ascending by name.
std::span<const MessageEntry> message_table();
const MessageEntry* find_message(std::string_view name);

template <class M>
Result<BytesView> reencode(BytesView& input, int version, Arena& arena) {
  MILENA_TRY(const M message, decode_front<M>(input, version, arena));
  return flatten(encode(message, version, arena), arena);
}

template <class M>
constexpr MessageEntry message_entry() {
  return {.info = M::kInfo, .reencode = &reencode<M>};
}

}  // namespace milena::protocol
