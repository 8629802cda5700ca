// Whole brokers in this process, spoken to over loopback sockets.
#include "broker/broker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/mem_fs.h"
#include "base/posix_fs.h"
#include "broker/net/testing/client.h"
#include "protocol/api.gen.h"
#include "protocol/api_versions.gen.h"
#include "protocol/create_topics.gen.h"
#include "protocol/error_code.h"
#include "protocol/fetch.gen.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/frame.h"
#include "protocol/metadata.gen.h"
#include "protocol/offset_commit.gen.h"
#include "protocol/offset_fetch.gen.h"
#include "protocol/produce.gen.h"
#include "protocol/record_batch_builder.h"

namespace milena::broker {
namespace {

class TestBroker {
 public:
  // On the real disk, unless it is given another.
  explicit TestBroker(const std::string& directory, std::vector<std::string> overrides = {},
                      Fs* fs = nullptr) {
    overrides.emplace_back("listeners=PLAINTEXT://127.0.0.1:0");
    auto settings = StaticConfig::read({.overrides = std::move(overrides), .data = directory});
    EXPECT_TRUE(settings) << settings.error();
    auto config = BrokerConfig::make(*std::move(settings), {.processors = 2, .descriptors_max = 4096});
    EXPECT_TRUE(config) << config.error();
    broker_ = std::make_unique<Broker>(*std::move(config),
                                       Broker::World{fs != nullptr ? *fs : disk_, clock_, rng_, log_});
    started_ = broker_->start();
  }

  const std::expected<void, std::string>& started() const { return started_; }
  const std::string& cluster_id() const { return broker_->cluster_id(); }
  void stop() { broker_->stop(); }

  // Sends one request on a connection of its own; the response lives in `arena`.
  template <class Response, class Request>
  Response ask(const Request& request, int version, Arena& arena) {
    auto client = send(request, version, arena);
    const auto reply = client.receive();
    EXPECT_TRUE(reply);
    std::string_view body = arena.text(reply->body);
    const bool tagged_header =
        Response::kInfo.flexible(version) && !std::is_same_v<Response, protocol::ApiVersionsResponse>;
    if (tagged_header) body.remove_prefix(1);
    auto response = protocol::decode<Response>(as_bytes(body), version, arena);
    EXPECT_TRUE(response) << response.error().why;
    return *response;
  }

  // Whether the answer is to close the connection.
  template <class Request>
  bool closes_on(const Request& request, int version, Arena& arena) {
    return send(request, version, arena).closed();
  }

 private:
  template <class Request>
  testing::Client send(const Request& request, int version, Arena& arena) {
    const std::string address = broker_->addresses().front();
    testing::Client client(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    const auto frame = protocol::flatten(protocol::encode_request(request, version, 7, "test", arena), arena);
    EXPECT_TRUE(client.send(as_text(frame)));
    return client;
  }

  PosixFs disk_;
  SystemClock clock_;
  SystemRng rng_;
  Logger log_{LogLevel::kError};
  std::unique_ptr<Broker> broker_;
  std::expected<void, std::string> started_;
};

class BrokerTest : public ::testing::Test {
 protected:
  BrokerTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "milena-broker-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~BrokerTest() override { std::filesystem::remove_all(root_); }

  protocol::CreateTopicsRequest creation_of(std::string_view name, int partitions) {
    protocol::CreateTopicsRequest request;
    request.topics = arena_.array<protocol::CreateTopicsRequest::CreatableTopic>(1);
    request.topics[0] = {.name = name, .num_partitions = partitions, .replication_factor = 1};
    return request;
  }

  ErrorCode create_topic(TestBroker& broker, std::string_view name, int partitions) {
    return broker.ask<protocol::CreateTopicsResponse>(creation_of(name, partitions), 7, arena_)
        .topics[0]
        .error_code;
  }

  using Produced = protocol::ProduceResponse::TopicProduceResponse::PartitionProduceResponse;
  Produced try_produce(TestBroker& broker, std::string_view topic, std::string_view value) {
    protocol::RecordBatchBuilder builder;
    builder.append(1'700'000'000'000, std::nullopt, as_bytes(value));
    const auto batch = builder.build();
    protocol::ProduceRequest request{.acks = -1, .timeout_ms = 1000};
    request.topic_data = arena_.array<protocol::ProduceRequest::TopicProduceData>(1);
    request.topic_data[0].name = topic;
    request.topic_data[0].partition_data =
        arena_.array<protocol::ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    request.topic_data[0].partition_data[0].records = protocol::RecordsRef{.bytes = batch};
    return broker.ask<protocol::ProduceResponse>(request, 12, arena_).responses[0].partition_responses[0];
  }

  protocol::Offset produce(TestBroker& broker, std::string_view topic, std::string_view value) {
    const auto answer = try_produce(broker, topic, value);
    EXPECT_EQ(answer.error_code, ErrorCode::kNone);
    return answer.base_offset;
  }

  std::string fetch(TestBroker& broker, std::string_view topic) {
    protocol::FetchRequest request{.max_wait_ms = 0, .min_bytes = 1, .max_bytes = 1 << 20};
    request.topics = arena_.array<protocol::FetchRequest::FetchTopic>(1);
    request.topics[0].topic = topic;
    request.topics[0].partitions = arena_.array<protocol::FetchRequest::FetchTopic::FetchPartition>(1);
    request.topics[0].partitions[0].partition_max_bytes = 1 << 20;
    const auto answer = broker.ask<protocol::FetchResponse>(request, 12, arena_).responses[0].partitions[0];
    EXPECT_EQ(answer.error_code, ErrorCode::kNone);
    return std::string(as_text(answer.records->bytes));
  }

  std::string root_;
  Arena arena_;
};

TEST_F(BrokerTest, TwoBrokersInOneProcessAreStrangersToEachOther) {
  TestBroker one(root_ + "/one"), two(root_ + "/two");
  ASSERT_TRUE(one.started()) << one.started().error();
  ASSERT_TRUE(two.started()) << two.started().error();
  EXPECT_NE(one.cluster_id(), two.cluster_id());
  EXPECT_EQ(create_topic(one, "letters", 2), ErrorCode::kNone);
  const auto seen = two.ask<protocol::MetadataResponse>(protocol::MetadataRequest{}, 12, arena_);
  EXPECT_TRUE(seen.topics.empty());
}

TEST_F(BrokerTest, TopicsAndRecordsSurviveARestart) {
  std::string cluster;
  {
    TestBroker broker(root_);
    ASSERT_TRUE(broker.started());
    cluster = broker.cluster_id();
    ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
    EXPECT_EQ(produce(broker, "letters", "Dear Milena"), 0);
    broker.stop();
  }
  TestBroker broker(root_);
  ASSERT_TRUE(broker.started()) << broker.started().error();
  EXPECT_EQ(broker.cluster_id(), cluster);
  EXPECT_NE(fetch(broker, "letters").find("Dear Milena"), std::string::npos);
  EXPECT_EQ(produce(broker, "letters", "once more"), 1);
  EXPECT_EQ(create_topic(broker, "letters", 1), ErrorCode::kTopicAlreadyExists);
}

TEST_F(BrokerTest, InFsyncModeAcksAllIsAnsweredOnceTheRecordIsOnDisk) {
  TestBroker broker(root_, {"milena.durability=fsync"});
  ASSERT_TRUE(broker.started());
  ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
  EXPECT_EQ(produce(broker, "letters", "Dear Milena"), 0);
  EXPECT_NE(fetch(broker, "letters").find("Dear Milena"), std::string::npos);
}

TEST_F(BrokerTest, R9_AFullDiskRefusesWritesUntilThereIsRoomAndServesReads) {
  for (const char* durability : {"milena.durability=page-cache", "milena.durability=fsync"}) {
    MemFs disk;
    TestBroker broker("/data", {durability}, &disk);
    ASSERT_TRUE(broker.started()) << broker.started().error();
    ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
    EXPECT_EQ(produce(broker, "letters", "Dear Milena"), 0);

    disk.fail({.call = "pwritev", .code = ENOSPC, .for_good = true});
    EXPECT_EQ(try_produce(broker, "letters", "too much").error_code, ErrorCode::kKafkaStorageError);
    EXPECT_TRUE(broker.closes_on(creation_of("more", 1), 7, arena_));
    EXPECT_NE(fetch(broker, "letters").find("Dear Milena"), std::string::npos);

    disk.clear_faults();
    EXPECT_EQ(produce(broker, "letters", "once more"), 1);
    EXPECT_EQ(create_topic(broker, "more", 1), ErrorCode::kNone);
    EXPECT_EQ(produce(broker, "more", "and here"), 0);
    const std::string read = fetch(broker, "letters");
    EXPECT_NE(read.find("once more"), std::string::npos);
    EXPECT_EQ(read.find("too much"), std::string::npos);
  }
}

TEST_F(BrokerTest, ADirectoryInUseOrOfAnotherNodeOrClusterIsRefusedInOneSentence) {
  TestBroker owner(root_);
  ASSERT_TRUE(owner.started());
  EXPECT_NE(TestBroker(root_).started().error().find("in use"), std::string::npos);
  owner.stop();
  EXPECT_NE(TestBroker(root_, {"node.id=2"}).started().error().find("belongs to node 1"), std::string::npos);
  EXPECT_NE(TestBroker(root_, {"milena.cluster.id=AAAAAAAAAAAAAAAAAAAAAQ"})
                .started()
                .error()
                .find("belongs to cluster"),
            std::string::npos);
}

TEST_F(BrokerTest, CommittedOffsetsSurviveARestart) {
  const auto offset_of = [&](TestBroker& broker) {
    protocol::OffsetFetchRequest request;
    request.groups = arena_.array<protocol::OffsetFetchRequest::OffsetFetchRequestGroup>(1);
    request.groups[0].group_id = "readers";
    for (;;) {  // the log is read in the background
      const auto group = broker.ask<protocol::OffsetFetchResponse>(request, 9, arena_).groups[0];
      if (group.error_code == ErrorCode::kCoordinatorLoadInProgress) continue;
      EXPECT_EQ(group.error_code, ErrorCode::kNone);
      return group.topics.empty() ? protocol::kNoOffset : group.topics[0].partitions[0].committed_offset;
    }
  };
  {
    TestBroker broker(root_, {"offsets.topic.num.partitions=3"});
    ASSERT_TRUE(broker.started());
    ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
    protocol::FindCoordinatorRequest find;
    find.coordinator_keys = arena_.array<std::string_view>(1);
    find.coordinator_keys[0] = "readers";
    const auto found = broker.ask<protocol::FindCoordinatorResponse>(find, 4, arena_).coordinators[0];
    EXPECT_EQ(found.error_code, ErrorCode::kNone);
    EXPECT_EQ(found.node_id, 1);

    using Commit = protocol::OffsetCommitRequest;
    Commit commit{.group_id = "readers"};
    commit.topics = arena_.array<Commit::OffsetCommitRequestTopic>(1);
    commit.topics[0].name = "letters";
    commit.topics[0].partitions =
        arena_.array<Commit::OffsetCommitRequestTopic::OffsetCommitRequestPartition>(2);
    commit.topics[0].partitions[0] = {.partition_index = 0, .committed_offset = 7};
    commit.topics[0].partitions[1] = {.partition_index = 5, .committed_offset = 7};
    const auto answer = broker.ask<protocol::OffsetCommitResponse>(commit, 9, arena_).topics[0].partitions;
    ASSERT_EQ(answer.size(), 2);
    EXPECT_EQ(answer[0].partition_index, 5);
    EXPECT_EQ(answer[0].error_code, ErrorCode::kUnknownTopicOrPartition);
    EXPECT_EQ(answer[1].error_code, ErrorCode::kNone);
    EXPECT_EQ(offset_of(broker), 7);
    broker.stop();
  }
  TestBroker broker(root_, {"offsets.topic.num.partitions=3"});
  ASSERT_TRUE(broker.started());
  EXPECT_EQ(offset_of(broker), 7);
}

// Old versions of librdkafka switch features off unless the advertised range holds one exact version; the
// versions of APIs that are not served yet are missing here.
TEST_F(BrokerTest, AdvertisedVersionsHoldWhatOldClientsLookFor) {
  TestBroker broker(root_);
  const auto response = broker.ask<protocol::ApiVersionsResponse>(
      protocol::ApiVersionsRequest{.client_software_name = "t", .client_software_version = "1"}, 4, arena_);
  std::map<int, std::pair<int, int>> ranges;
  for (const auto& api : response.api_keys) ranges[api.api_key] = {api.min_version, api.max_version};
  const std::multimap<int, int> wanted = {{0, 0}, {0, 3}, {0, 7},  {1, 4},  {1, 10},
                                          {2, 1}, {3, 0}, {10, 0}, {18, 0}, {22, 0}};
  for (const auto& [key, version] : wanted) {
    ASSERT_TRUE(ranges.contains(key)) << key;
    EXPECT_LE(ranges[key].first, version) << key;
    EXPECT_GE(ranges[key].second, version) << key;
  }
}

// docs/COMPATIBILITY.md is generated: run with MILENA_REWRITE_DOCS=1 after a change of the routes.
TEST_F(BrokerTest, TheCompatibilityPageListsWhatIsServed) {
  TestBroker broker(root_);
  const auto response = broker.ask<protocol::ApiVersionsResponse>(
      protocol::ApiVersionsRequest{.client_software_name = "t", .client_software_version = "1"}, 4, arena_);
  std::string table = "\n| key | API | advertised | answered |\n|---|---|---|---|\n";
  for (const auto& api : response.api_keys) {
    const auto info = std::ranges::find(protocol::kApis, api.api_key, &protocol::ApiInfo::key);
    table += fmt::format("| {} | {} | {}-{} | {}-{} |\n", api.api_key, info->name, api.min_version,
                         api.max_version, info->min_version, api.max_version);
  }
  const std::string path = "docs/COMPATIBILITY.md";
  std::ifstream file(path);
  std::string page((std::istreambuf_iterator<char>(file)), {});
  const std::string begin = "<!-- served APIs: begin -->", end = "<!-- served APIs: end -->";
  const auto from = page.find(begin), to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("MILENA_REWRITE_DOCS") != nullptr) {
    page.replace(from + begin.size(), to - from - begin.size(), "\n" + table + "\n");
    std::ofstream(path) << page;
    return;
  }
  EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), "\n" + table + "\n");
}

}  // namespace
}  // namespace milena::broker
