// LogDirsTest: brokers over log directories on a disk in memory, and topics with a record in each partition.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/mem_fs.h"
#include "broker/testing/test_broker.h"
#include "protocol/describe_log_dirs.gen.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "storage/followed_metadata.h"

namespace milena::broker::testing {

class LogDirsTest : public BrokerTest {
 protected:
  static constexpr int kPartitions = 6;

  static std::vector<std::string> in(const std::string& directories, std::vector<std::string> more = {}) {
    more.push_back("log.dirs=" + directories);
    more.emplace_back("auto.create.topics.enable=false");
    return more;
  }
  TestBroker start(const std::string& directories, std::vector<std::string> more = {}) {
    return TestBroker("", in(directories, std::move(more)), &disk_);
  }

  // A topic with a record in each of its partitions, as a broker over `directories` has made it.
  void fill(const std::string& directories, const std::string& topic = "orders") {
    auto broker = start(directories);
    ASSERT_EQ(broker.refusal(), "");
    ASSERT_EQ(create_topic(broker, topic, kPartitions), ErrorCode::kNone);
    for (int i = 0; i < kPartitions; ++i) produce(broker, topic, value_of(topic, i), i);
    broker.stop();
  }
  static std::string value_of(const std::string& topic, int partition) {
    return "value of " + topic + "-" + std::to_string(partition);
  }
  // The partitions whose record is served; the others must answer KAFKA_STORAGE_ERROR.
  std::set<int> served(TestBroker& broker, const std::string& topic = "orders") {
    std::set<int> out;
    for (int i = 0; i < kPartitions; ++i) {
      const auto answer = try_fetch(broker, topic, i);
      if (answer.error_code == ErrorCode::kKafkaStorageError) continue;
      EXPECT_EQ(answer.error_code, ErrorCode::kNone) << i;
      EXPECT_NE(as_text(answer.records->bytes).find(value_of(topic, i)), std::string_view::npos) << i;
      out.insert(i);
    }
    return out;
  }
  // Those whose directory lies in `directory`.
  std::set<int> lying_in(const std::string& directory, const std::string& topic = "orders") {
    std::set<int> out;
    for (int i = 0; i < kPartitions; ++i)
      if (disk_.exists(directory + "/" + topic + "-" + std::to_string(i))) out.insert(i);
    return out;
  }
  std::set<int> all() const {
    std::set<int> out;
    for (int i = 0; i < kPartitions; ++i) out.insert(i);
    return out;
  }
  void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE((*disk_.open(path, OpenMode::kTruncate))->write_at(0, as_bytes(text)));
  }
  std::vector<std::string> names_in(const std::string& directory, std::string_view ending) {
    std::vector<std::string> out;
    for (const auto& entry : *disk_.list(directory))
      if (entry.name.ends_with(ending)) out.push_back(entry.name);
    return out;
  }

  using Described = protocol::DescribeLogDirsResponse::DescribeLogDirsResult;
  std::map<std::string, Described> describe(TestBroker& broker) {
    std::map<std::string, Described> out;
    const auto answer =
        broker.ask<protocol::DescribeLogDirsResponse>(protocol::DescribeLogDirsRequest{}, 5, arena_);
    EXPECT_EQ(answer.error_code, ErrorCode::kNone);
    for (const auto& result : answer.results) out[std::string(result.log_dir)] = result;
    return out;
  }
  ErrorCode set_config(TestBroker& broker, std::string_view key, std::string_view value) {
    protocol::IncrementalAlterConfigsRequest request;
    request.resources = arena_.array<protocol::IncrementalAlterConfigsRequest::AlterConfigsResource>(1);
    auto& resource = request.resources[0];
    resource.resource_type = 4;  // a broker
    resource.resource_name = "1";
    resource.configs =
        arena_.array<protocol::IncrementalAlterConfigsRequest::AlterConfigsResource::AlterableConfig>(1);
    resource.configs[0].name = key;
    resource.configs[0].value = value;
    return broker.ask<protocol::IncrementalAlterConfigsResponse>(request, 1, arena_).responses[0].error_code;
  }

  // The whole directory, as cp -a does.
  void copy(const std::string& from, const std::string& to) {
    ASSERT_TRUE(disk_.make_directories(to));
    for (const auto& entry : *disk_.list(from)) {
      const std::string source = from + "/" + entry.name, target = to + "/" + entry.name;
      if (entry.is_directory) {
        copy(source, target);
        continue;
      }
      const auto bytes = *read_file(disk_, source);
      ASSERT_TRUE((*disk_.open(target, OpenMode::kCreate))->write_at(0, bytes));
    }
  }
  // As an operator does who goes on with an older metadata log than the directory followed.
  void forget_metadata_of(const std::string& directory) {
    ASSERT_TRUE(disk_.remove(join(directory, storage::kFollowedMetadataName)));
  }
  std::string text_of(const std::string& path) { return std::string(as_text(*read_file(disk_, path))); }
  // meta.properties' directory.id.
  std::string id_of(const std::string& directory) {
    const std::string meta = text_of(directory + "/meta.properties");
    const auto at = meta.find("directory.id=") + 13;
    return meta.substr(at, meta.find('\n', at) - at);
  }
  // A line of a broker's log.
  static ::testing::AssertionResult tells(const TestBroker& broker, std::string_view text) {
    const std::string lines = broker.lines();
    if (lines.find(text) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "nothing tells \"" << text << "\":\n" << lines;
  }

  MemFs disk_;
};

}  // namespace milena::broker::testing
