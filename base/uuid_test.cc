#include "base/uuid.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace milena {
namespace {

TEST(Uuid, TextFormIsKafkas) {
  EXPECT_EQ(Uuid{}.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(Uuid::from_halves(0, 1).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");  // __cluster_metadata
}

TEST(Uuid, RandomIdsRoundTripThroughText) {
  SeededRng rng(7);
  for (int i = 0; i < 1000; ++i) {
    const Uuid id = Uuid::random(rng);
    EXPECT_EQ(Uuid::parse(id.to_string()), id);
    EXPECT_NE(id.to_string().front(), '-');
  }
}

TEST(Uuid, RefusesWhatIsNotAnId) {
  EXPECT_FALSE(Uuid::parse(""));
  EXPECT_FALSE(Uuid::parse("AAAAAAAAAAAAAAAAAAAAA"));
  EXPECT_FALSE(Uuid::parse("AAAAAAAAAAAAAAAAAAAAA+"));
  EXPECT_FALSE(Uuid::parse("AAAAAAAAAAAAAAAAAAAAAB"));  // bits beyond the 128th
}

}  // namespace
}  // namespace milena
