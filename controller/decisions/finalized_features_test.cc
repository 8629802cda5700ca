#include "controller/decisions/finalized_features.h"

#include <gtest/gtest.h>

namespace milena::controller {
namespace {

const FeatureRanges kSupported{
    {"metadata.version", {7, 30}}, {"kraft.version", {0, 1}}, {"group.version", {0, 1}}};

std::string refusal(const FeatureLevels& finalized, FeatureLevel kraft_version = 1) {
  const auto checked = check_finalized(finalized, kraft_version, kSupported);
  return checked ? "" : checked.error();
}

void expect_names(const std::string& refusal, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    EXPECT_NE(refusal.find(part), std::string::npos) << part << " is not in: " << refusal;
  }
}

TEST(FinalizedFeatures, WhatIsSupportedIsNotKeptApart) {
  EXPECT_EQ(check_finalized({{"metadata.version", 30}, {"group.version", 1}}, 1, kSupported),
            FeatureLevels{});
  EXPECT_EQ(check_finalized({{"metadata.version", 7}}, 0, kSupported), FeatureLevels{});
}

TEST(FinalizedFeatures, WhatOnlyAddsGroupsIsKeptAtAnyLevel) {
  EXPECT_EQ(check_finalized({{"metadata.version", 30}, {"share.version", 2}, {"streams.version", 1}}, 1,
                            kSupported),
            (FeatureLevels{{"share.version", 2}, {"streams.version", 1}}));
}

TEST(FinalizedFeatures, AFeatureThatIsOffIsNoMatter) {
  EXPECT_EQ(check_finalized({{"metadata.version", 30}, {"later.version", 0}}, 1, kSupported),
            FeatureLevels{});
}

TEST(FinalizedFeatures, ARefusalNamesFeatureLevelRangeAndWhatToDo) {
  expect_names(refusal({{"metadata.version", 33}}),
               {"metadata.version", "33", "7 to 30", "downgrade --feature metadata.version=30"});
  expect_names(refusal({{"metadata.version", 6}}),
               {"metadata.version", "6", "7 to 30", "upgrade --feature metadata.version=7"});
  expect_names(refusal({{"metadata.version", 30}, {"group.version", 2}}), {"group.version", "2", "0 to 1"});
  expect_names(refusal({{"metadata.version", 30}, {"later.version", 4}}),
               {"later.version", "4", "disable --feature later.version"});
  expect_names(refusal({{"metadata.version", 30}}, 2), {"kraft.version", "2", "0 to 1"});
}

}  // namespace
}  // namespace milena::controller
