// Batches that Kafka 4.3.1's own classes wrote, and what they make of broken ones (compat-tests/batches).
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "protocol/hex.h"
#include "protocol/testing/batch_text.h"

namespace milena::protocol::testing {
namespace {

TEST(RecordBatchGolden, KafkasBatchesSayWhatKafkaPutIn) {
  std::ifstream file("protocol/golden/batches_kafka_4_3_1.txt");
  int batches = 0;
  for (std::string line; std::getline(file, line); ++batches) {
    const auto blank = line.find(' ');
    const auto bytes = from_hex(line.substr(0, blank));
    ASSERT_TRUE(bytes);
    const auto batch = RecordBatchView::parse(*bytes);
    ASSERT_TRUE(batch) << batch.error().why;
    EXPECT_EQ(batch_text(*batch), line.substr(blank + 1));
  }
  EXPECT_EQ(batches, 100);
}

TEST(RecordBatchGolden, PayloadsAreJudgedAsKafkaJudgesThem) {
  std::ifstream file("protocol/golden/batch_verdicts_kafka_4_3_1.txt");
  int cases = 0;
  for (std::string line; std::getline(file, line); ++cases) EXPECT_EQ(disagreement(line), "");
  EXPECT_EQ(cases, 200);
}

TEST(RecordBatchGolden, ADifferentVerdictIsNoticed) {
  SeededRng rng(1);
  const auto batch = to_hex(random_batch(rng));
  EXPECT_NE(disagreement("12,0,0,1000,1000,1048588,producer " + batch + " ok something else"), "");
}

}  // namespace
}  // namespace milena::protocol::testing
