#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace milena {
namespace {

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8A9136AAu);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\xff'))), 0x62A8AB43u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, GoesOnOverPieces) {
  const std::string text = "a letter that arrives in two halves";
  const auto whole = crc32c(as_bytes(text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view view = text;
    EXPECT_EQ(crc32c(as_bytes(view.substr(cut)), crc32c(as_bytes(view.substr(0, cut)))), whole);
  }
}

}  // namespace
}  // namespace milena
