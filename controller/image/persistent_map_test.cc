#include "controller/image/persistent_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "base/rng.h"

namespace milena::controller {
namespace {

using Map = PersistentMap<int, int>;

void expect_equal(const Map& map, const std::map<int, int>& model) {
  ASSERT_EQ(map.size(), model.size());
  auto at = map.begin();
  for (const auto& [key, value] : model) {
    ASSERT_NE(at, map.end());
    ASSERT_EQ(at->key, key);
    ASSERT_EQ(at->value, value);
    ++at;
  }
  ASSERT_EQ(at, map.end());
}

TEST(PersistentMap, AgreesWithAnOrdinaryMapUnderRandomWrites) {
  SeededRng rng(1);
  Map map;
  std::map<int, int> model;
  for (int step = 0; step < 50'000; ++step) {
    // The range of keys breathes, so that chunks split, shrink, merge and disappear.
    const std::uint64_t range = step % 20'000 < 10'000 ? 4'000 : 60;
    const int key = static_cast<int>(rng.below(range));
    if (rng.below(100) < 55) {
      map.set(key, step);
      model[key] = step;
    } else {
      ASSERT_EQ(map.erase(key), model.erase(key) == 1);
    }
    const int probe = static_cast<int>(rng.below(4'100));
    const int* found = map.find(probe);
    ASSERT_EQ(found != nullptr, model.contains(probe));
    if (found != nullptr) ASSERT_EQ(*found, model[probe]);
    const auto lower = model.lower_bound(probe);
    const auto from = map.lower_bound_of(probe);
    ASSERT_EQ(from == map.end(), lower == model.end());
    if (lower != model.end()) ASSERT_EQ(from->key, lower->first);
    if (step % 1'000 == 0) expect_equal(map, model);
  }
  expect_equal(map, model);
}

TEST(PersistentMap, CopiesAreIndependent) {
  Map map;
  for (int i = 0; i < 1'000; ++i) map.set(i * 2, i);
  const Map before = map;
  for (int i = 0; i < 1'000; ++i) map.set(i * 2, -1);
  for (int i = 0; i < 1'000; ++i) map.set(i * 2 + 1, i);
  for (int i = 0; i < 500; ++i) map.erase(i);
  ASSERT_EQ(before.size(), 1'000u);
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(*before.find(i * 2), i);
  EXPECT_FALSE(before == map);
}

TEST(PersistentMap, EqualityLooksAtEntriesNotAtChunks) {
  Map forward, backward;
  for (int i = 0; i < 300; ++i) forward.set(i, i);
  for (int i = 299; i >= 0; --i) backward.set(i, i);
  EXPECT_EQ(forward, backward);
}

TEST(PersistentMap, TextKeysAreFoundByViewWithoutACopy) {
  PersistentMap<std::string, int> map;
  map.set("topic", 1);
  EXPECT_EQ(*map.find(std::string_view("topic")), 1);
  EXPECT_FALSE(map.contains(std::string_view("topi")));
}

}  // namespace
}  // namespace milena::controller
