// The records of __transaction_state: one key, the transactional id; its value is all there is to know of it.
// See docs/formats/transaction_state.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "base/bytes.h"
#include "coordinator/transaction/reply.h"
#include "coordinator/transaction/transaction.h"

namespace milena::coordinator {

// `transaction_version`: the finalized level, which decides about the record's version.
void append_transaction(TransactionOutcome& out, std::string_view transactional_id,
                        const Transaction& transaction, std::int16_t transaction_version);
void append_transaction_tombstone(TransactionOutcome& out, std::string_view transactional_id);

// Nothing: not a transaction's key.
std::optional<std::string_view> read_transactional_id(BytesView key, Arena& arena);
// Nothing: no transaction that a coordinator could go on with.
std::optional<Transaction> read_transaction(BytesView value, Arena& arena);

}  // namespace milena::coordinator
