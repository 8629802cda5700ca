// CRC-32C (Castagnoli), as Kafka's record batches carry it. ISA-L does the work.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace milena {

// The checksum of bytes. To go on over several pieces, pass the checksum of what came before.
std::uint32_t crc32c(BytesView bytes, std::uint32_t before = 0);

}  // namespace milena
