#include "broker/metrics/exposition.h"

#include <gtest/gtest.h>

#include <set>

#include "broker/metrics/client_software.h"
#include "broker/metrics/utf8.h"

namespace milena::broker {
namespace {

std::string text_of(Exposition&& out) { return std::move(out).finish(); }

TEST(Exposition, ASampleOfEachType) {
  Exposition out;
  out.add("kafka_brokers", 1);
  out.metric("kafka_topic_partitions").add({"letters"}, 3);
  DurationCounts durations;
  durations.counts[1] = 2;
  durations.sum_ns = 400'000;
  out.metric("milena_request_duration_seconds").add({"Fetch"}, durations);
  out.metric("kafka_network_requestmetrics_totaltimems").add({"Fetch"}, durations);
  const std::string text = text_of(std::move(out));
  for (const auto* line :
       {"# HELP kafka_brokers Brokers of the cluster that are not fenced\n",
        "# TYPE kafka_brokers gauge\nkafka_brokers 1\n", "kafka_topic_partitions{topic=\"letters\"} 3\n",
        "# TYPE milena_request_duration_seconds histogram\n",
        "milena_request_duration_seconds_bucket{request=\"Fetch\",le=\"0.0001\"} 0\n",
        "milena_request_duration_seconds_bucket{request=\"Fetch\",le=\"0.00025\"} 2\n",
        "milena_request_duration_seconds_bucket{request=\"Fetch\",le=\"+Inf\"} 2\n",
        "milena_request_duration_seconds_count{request=\"Fetch\"} 2\n",
        "# TYPE kafka_network_requestmetrics_totaltimems summary\n",
        "kafka_network_requestmetrics_totaltimems_count{request=\"Fetch\"} 2\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(Exposition, NumbersThatAreLargeKeepEveryDigit) {
  Exposition out;
  out.metric("kafka_topic_partition_current_offset").add({"a", "0"}, std::int64_t{123'456'789'012});
  EXPECT_NE(text_of(std::move(out)).find("partition=\"0\"} 123456789012\n"), std::string::npos);
}

TEST(Exposition, LabelsOfClientsAreEscapedAndUtf8) {
  Exposition out;
  out.metric("kafka_consumergroup_members").add({"a\"b\\c\nd\xff"}, 1);
  const std::string text = text_of(std::move(out));
  EXPECT_NE(text.find("{consumergroup=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 1\n"), std::string::npos) << text;
}

TEST(Exposition, AMetricWithoutSamplesIsNotThere) {
  Exposition out;
  (void)out.metric("kafka_topic_partitions");
  EXPECT_EQ(text_of(std::move(out)), "");
}

TEST(Exposition, WhatIsLeftOutIsCounted) {
  Exposition out;
  out.leave_out("topics", 2);
  out.leave_out("topics", 3);
  EXPECT_NE(text_of(std::move(out)).find("milena_metrics_left_out{what=\"topics\"} 5\n"), std::string::npos);
}

TEST(ExpositionDeathTest, WritesOnlyWhatTheTableHasAndOnce) {
  Exposition out;
  out.add("kafka_brokers", 1);
  EXPECT_DEATH(out.add("kafka_brokers", 1), "once");
  EXPECT_DEATH(out.add("kafka_brokerz", 1), "table");
  EXPECT_DEATH(out.metric("kafka_topic_partitions").add({}, 1), "label");
}

TEST(Utf8, WhatIsNoCharacterIsReplaced) {
  EXPECT_EQ(valid_utf8("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(valid_utf8("\x80"), bad);
  EXPECT_EQ(valid_utf8("\xc3"), bad);                      // cut off
  EXPECT_EQ(valid_utf8("\xc0\xaf"), bad + bad);            // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), bad + bad + bad);  // a surrogate
  EXPECT_EQ(valid_utf8("\xf5x"), bad + "x");
}

TEST(MetricTable, NamesAreUniqueAndValid) {
  std::set<std::string_view> names;
  for (const MetricInfo& metric : metric_table()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_EQ(metric.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << metric.name;
    EXPECT_FALSE(metric.meaning.empty() || metric.source.empty()) << metric.name;
    EXPECT_EQ(find_metric(metric.name), &metric);
  }
}

std::string software(const ClientSoftware& counts) {
  Exposition out;
  counts.source()->write(out);
  return text_of(std::move(out));
}

TEST(ClientSoftware, CountsConnectionsForAsLongAsTheyAreOpen) {
  ClientSoftware counts(2);
  auto one = counts.count("java", "4.0");
  const auto two = counts.count("java", "4.0");
  EXPECT_NE(software(counts).find("{name=\"java\",version=\"4.0\"} 2\n"), std::string::npos);
  one.reset();
  EXPECT_NE(software(counts).find("{name=\"java\",version=\"4.0\"} 1\n"), std::string::npos);
}

TEST(ClientSoftware, TellsAFewApartAndCountsTheOthersTogether) {
  ClientSoftware counts(2);
  std::vector<std::shared_ptr<const void>> open;
  for (int i = 0; i < 10; ++i) open.push_back(counts.count("client", std::to_string(i)));
  const std::string crowded = software(counts);
  EXPECT_NE(crowded.find("{name=\"client\",version=\"1\"} 1\n"), std::string::npos) << crowded;
  EXPECT_NE(crowded.find("{name=\"other\",version=\"other\"} 8\n"), std::string::npos) << crowded;
  open.erase(open.begin(), open.begin() + 2);
  open.push_back(counts.count(std::string(500, 'n'), "1"));
  const std::string text = software(counts);
  EXPECT_NE(text.find("{name=\"" + std::string(ClientSoftware::kTextMax, 'n') + "\",version=\"1\"} 1\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace milena::broker
