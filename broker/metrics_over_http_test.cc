// Metrics and health checks of whole brokers, as an HTTP client sees them: each metric moves with what
// clients do.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <latch>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mem_fs.h"
#include "broker/admin/testing/http_client.h"
#include "broker/metrics/metric_table.h"
#include "broker/testing/test_broker.h"
#include "protocol/api_versions.gen.h"
#include "protocol/consumer_group_heartbeat.gen.h"
#include "protocol/delete_records.gen.h"
#include "protocol/delete_topics.gen.h"
#include "protocol/end_txn.gen.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/join_group.gen.h"
#include "protocol/leave_group.gen.h"
#include "protocol/offset_commit.gen.h"

namespace milena::broker {
namespace {

using testing::Client;
using testing::http_get;
using testing::TestBroker;

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

// Of the sample with this name and these labels, as they are written in the text.
std::optional<double> value_in(const std::string& text, std::string_view series) {
  const std::string start = "\n" + std::string(series) + " ";
  const auto at = ("\n" + text).find(start);
  if (at == std::string::npos) return std::nullopt;
  return std::stod(text.substr(at + start.size() - 1));
}

class MetricsTest : public testing::BrokerTest {
 protected:
  void start(std::vector<std::string> overrides = {}, Fs* fs = nullptr) {
    overrides.insert(overrides.end(),
                     {"milena.metrics.listener=127.0.0.1:0", "transaction.state.log.num.partitions=2",
                      "offsets.topic.num.partitions=2", "group.initial.rebalance.delay.ms=0"});
    const std::string directory = fs != nullptr ? "" : root_ + "/" + std::to_string(++starts_);
    broker_ = std::make_unique<TestBroker>(directory, std::move(overrides), fs);
    ASSERT_EQ(broker_->refusal(), "");
    http_port_ = port_of(broker_->metrics_address());
  }
  std::string scrape() const {
    const auto answer = http_get(http_port_, "/metrics");
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.head.find("Content-Type: text/plain; version=0.0.4; charset=utf-8"), std::string::npos)
        << answer.head;
    return answer.body;
  }
  std::optional<double> value(std::string_view series) const { return value_in(scrape(), series); }

  // What clients do.
  void create() { ASSERT_EQ(create_topic(*broker_, "letters", 2), ErrorCode::kNone); }
  void produce_one() { produce(*broker_, "letters", "Dear Milena"); }
  void fetch_one() { EXPECT_NE(fetch(*broker_, "letters").find("Dear Milena"), std::string::npos); }
  void produce_damaged() {
    protocol::RecordBatchBuilder builder;
    builder.append(1'700'000'000'000, std::nullopt, as_bytes("damaged"));
    std::string bytes(as_text(builder.build()));
    bytes.back() ^= 1;
    protocol::ProduceRequest request{.acks = 1, .timeout_ms = 1000};
    request.topic_data = arena_.array<protocol::ProduceRequest::TopicProduceData>(1);
    request.topic_data[0].name = "letters";
    request.topic_data[0].partition_data =
        arena_.array<protocol::ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    request.topic_data[0].partition_data[0].records =
        protocol::RecordsRef{.bytes = as_bytes(arena_.text(bytes))};
    const auto answer = broker_->ask<protocol::ProduceResponse>(request, 12, arena_);
    EXPECT_EQ(answer.responses[0].partition_responses[0].error_code, ErrorCode::kCorruptMessage);
  }
  void fetch_too_far() {
    protocol::FetchRequest request{.max_wait_ms = 0, .min_bytes = 1, .max_bytes = 1 << 20};
    request.topics = arena_.array<protocol::FetchRequest::FetchTopic>(1);
    request.topics[0].topic = "letters";
    request.topics[0].partitions = arena_.array<protocol::FetchRequest::FetchTopic::FetchPartition>(1);
    request.topics[0].partitions[0].fetch_offset = 99;
    const auto answer = broker_->ask<protocol::FetchResponse>(request, 12, arena_);
    EXPECT_EQ(answer.responses[0].partitions[0].error_code, ErrorCode::kOffsetOutOfRange);
  }
  void delete_first_record() {
    protocol::DeleteRecordsRequest request{.timeout_ms = 10'000};
    request.topics = arena_.array<protocol::DeleteRecordsRequest::DeleteRecordsTopic>(1);
    request.topics[0].name = "letters";
    request.topics[0].partitions =
        arena_.array<protocol::DeleteRecordsRequest::DeleteRecordsTopic::DeleteRecordsPartition>(1);
    request.topics[0].partitions[0].offset = 1;
    const auto answer = broker_->ask<protocol::DeleteRecordsResponse>(request, 2, arena_);
    EXPECT_EQ(answer.topics[0].partitions[0].error_code, ErrorCode::kNone);
  }
  void find_coordinator(std::int8_t type, std::string_view key) {
    protocol::FindCoordinatorRequest request{.key_type = type};
    request.coordinator_keys = arena_.array<std::string_view>(1);
    request.coordinator_keys[0] = key;
    const auto found = broker_->ask<protocol::FindCoordinatorResponse>(request, 4, arena_).coordinators[0];
    ASSERT_EQ(found.error_code, ErrorCode::kNone);
  }
  void commit(std::int64_t offset) {
    using Commit = protocol::OffsetCommitRequest;
    find_coordinator(0, "readers");
    Commit request{.group_id = "readers", .generation_id_or_member_epoch = -1};
    request.topics = arena_.array<Commit::OffsetCommitRequestTopic>(1);
    request.topics[0].name = "letters";
    request.topics[0].partitions =
        arena_.array<Commit::OffsetCommitRequestTopic::OffsetCommitRequestPartition>(1);
    request.topics[0].partitions[0].committed_offset = offset;
    const auto answer = broker_->ask<protocol::OffsetCommitResponse>(request, 9, arena_);
    EXPECT_EQ(answer.topics[0].partitions[0].error_code, ErrorCode::kNone);
  }
  void join_new_protocol() {
    find_coordinator(0, "readers");
    protocol::ConsumerGroupHeartbeatRequest request{.group_id = "readers",
                                                    .member_id = "AAAAAAAAAAAAAAAAAAAAAQ",
                                                    .member_epoch = 0,
                                                    .rebalance_timeout_ms = 10'000};
    request.subscribed_topic_names = std::span(arena_.array<std::string_view>(1));
    (*request.subscribed_topic_names)[0] = "letters";
    request.topic_partitions.emplace();
    const auto answer = broker_->ask<protocol::ConsumerGroupHeartbeatResponse>(request, 1, arena_);
    EXPECT_EQ(answer.error_code, ErrorCode::kNone) << answer.error_message.value_or("");
  }
  // Returns its id. Version 3 needs no second request for one.
  std::string join_classic() {
    find_coordinator(0, "readers");
    protocol::JoinGroupRequest request{.group_id = "readers",
                                       .session_timeout_ms = 10'000,
                                       .rebalance_timeout_ms = 10'000,
                                       .protocol_type = "consumer"};
    request.protocols = arena_.array<protocol::JoinGroupRequest::JoinGroupRequestProtocol>(1);
    request.protocols[0].name = "range";
    const auto answer = broker_->ask<protocol::JoinGroupResponse>(request, 3, arena_);
    EXPECT_EQ(answer.error_code, ErrorCode::kNone);
    return std::string(answer.member_id);
  }
  void leave_classic(const std::string& member) {
    const auto answer = broker_->ask<protocol::LeaveGroupResponse>(
        protocol::LeaveGroupRequest{.group_id = "readers", .member_id = member}, 2, arena_);
    EXPECT_EQ(answer.error_code, ErrorCode::kNone);
  }
  protocol::InitProducerIdResponse begin_transaction() {
    find_coordinator(1, "writer");
    protocol::InitProducerIdResponse producer;
    do {
      producer = broker_->ask<protocol::InitProducerIdResponse>(
          protocol::InitProducerIdRequest{.transactional_id = "writer", .transaction_timeout_ms = 60'000}, 4,
          arena_);
    } while (producer.error_code == ErrorCode::kCoordinatorLoadInProgress);
    EXPECT_EQ(producer.error_code, ErrorCode::kNone);
    protocol::RecordBatchBuilder builder({.producer_id = producer.producer_id,
                                          .producer_epoch = producer.producer_epoch,
                                          .base_sequence = 0,
                                          .transactional = true});
    builder.append(SystemClock().wall_ms(), std::nullopt, as_bytes("in a transaction"));
    protocol::ProduceRequest request{.transactional_id = "writer", .acks = -1, .timeout_ms = 10'000};
    request.topic_data = arena_.array<protocol::ProduceRequest::TopicProduceData>(1);
    request.topic_data[0].name = "letters";
    request.topic_data[0].partition_data =
        arena_.array<protocol::ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    request.topic_data[0].partition_data[0].records =
        protocol::RecordsRef{.bytes = as_bytes(arena_.text(as_text(builder.build())))};
    const auto answer = broker_->ask<protocol::ProduceResponse>(request, 12, arena_);
    EXPECT_EQ(answer.responses[0].partition_responses[0].error_code, ErrorCode::kNone);
    return producer;
  }
  void run_transaction(bool commits) {
    const auto producer = begin_transaction();
    const auto ended = broker_->ask<protocol::EndTxnResponse>(
        protocol::EndTxnRequest{.transactional_id = "writer",
                                .producer_id = producer.producer_id,
                                .producer_epoch = producer.producer_epoch,
                                .committed = commits},
        5, arena_);
    EXPECT_EQ(ended.error_code, ErrorCode::kNone);
    // The markers are written after the answer.
    eventually([this] { return value("milena_open_transactions") == 0; });
  }
  void set_background_threads(std::string_view count) {
    using Request = protocol::IncrementalAlterConfigsRequest;
    Request request;
    request.resources = arena_.array<Request::AlterConfigsResource>(1);
    request.resources[0].resource_type = 4;  // a broker
    request.resources[0].configs = arena_.array<Request::AlterConfigsResource::AlterableConfig>(1);
    request.resources[0].configs[0].name = "background.threads";
    request.resources[0].configs[0].value = count;
    const auto answer = broker_->ask<protocol::IncrementalAlterConfigsResponse>(request, 1, arena_);
    EXPECT_EQ(answer.responses[0].error_code, ErrorCode::kNone);
  }
  // A connection that stays open, of a client that says what it is.
  void connect_with_software() {
    auto& client = open_.emplace_back(broker_->port());
    const protocol::ApiVersionsRequest request{.client_software_name = "test-client",
                                               .client_software_version = "1.2"};
    const auto frame = protocol::flatten(protocol::encode_request(request, 3, 7, "test", arena_), arena_);
    ASSERT_TRUE(client.send(as_text(frame)));
    ASSERT_TRUE(client.receive());
  }
  // A fetch that waits for records.
  void park_fetch() {
    protocol::FetchRequest request{.max_wait_ms = 60'000, .min_bytes = 1, .max_bytes = 1 << 20};
    request.topics = arena_.array<protocol::FetchRequest::FetchTopic>(1);
    request.topics[0].topic = "letters";
    request.topics[0].partitions = arena_.array<protocol::FetchRequest::FetchTopic::FetchPartition>(1);
    const auto frame = protocol::flatten(protocol::encode_request(request, 12, 7, "test", arena_), arena_);
    auto& client = open_.emplace_back(broker_->port());
    ASSERT_TRUE(client.send(as_text(frame)));
    eventually([this] { return value("milena_pending_requests").value_or(0) > 0; });
  }
  void send_half_a_request() {
    auto& client = open_.emplace_back(broker_->port());
    ASSERT_TRUE(client.send(testing::frame_of_size(1'000'000, std::string(100'000, 'x'))));
    eventually([this] { return value("milena_request_memory_bytes{state=\"unfinished\"}").value_or(0) > 0; });
  }

  // Something that happens to the test's broker.
  using Step = std::function<void(MetricsTest&)>;
  struct Case {
    std::string series;
    Step before;
    Step action;
  };
  static std::vector<Case> cases();

  static void eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) ASSERT_LT(std::chrono::steady_clock::now(), until) << "it does not come to that";
  }

  MemFs disk_;
  std::unique_ptr<TestBroker> broker_;
  std::uint16_t http_port_ = 0;
  std::vector<Client> open_;
  int starts_ = 0;
};

std::vector<MetricsTest::Case> MetricsTest::cases() {
  const Step nothing = [](MetricsTest&) {};
  const Step create = [](MetricsTest& t) { t.create(); };
  const Step produce = [](MetricsTest& t) { t.produce_one(); };
  const Step produce_damaged = [](MetricsTest& t) { t.produce_damaged(); };
  const Step fetch = [](MetricsTest& t) { t.fetch_one(); };
  const Step fetch_too_far = [](MetricsTest& t) { t.fetch_too_far(); };
  const Step connect = [](MetricsTest& t) { t.connect_with_software(); };
  const Step park = [](MetricsTest& t) { t.park_fetch(); };
  const Step commit = [](MetricsTest& t) { t.commit(1); };
  const Step join = [](MetricsTest& t) { t.join_classic(); };
  const Step join_new = [](MetricsTest& t) { t.join_new_protocol(); };
  // Nothing is under way any more, not even what has been answered.
  const Step create_and_rest = [](MetricsTest& t) {
    t.create();
    eventually([&] { return t.value("milena_pending_requests") == 0; });
  };
  const Step create_and_produce = [](MetricsTest& t) {
    t.create();
    t.produce_one();
  };
  const Step create_and_commit = [](MetricsTest& t) {
    t.create();
    t.commit(0);
  };
  const std::string topic = R"({topic="letters"})";
  const std::string partition = R"({topic="letters",partition="0"})";
  const std::string group = R"({consumergroup="readers"})";
  const std::string group_topic = R"({consumergroup="readers",topic="letters"})";
  const std::string group_partition = R"({consumergroup="readers",topic="letters",partition="0"})";
  const std::string of_topics = "kafka_server_brokertopicmetrics_";
  const std::string of_requests = "kafka_network_requestmetrics_";
  const std::string of_connections = "kafka_server_socket_server_metrics_connection_";
  return {
      {"kafka_topic_partitions" + topic, nothing, create},
      {"kafka_topic_partition_current_offset" + partition, create, produce},
      {"kafka_topic_partition_oldest_offset" + partition, create_and_produce,
       [](MetricsTest& t) { t.delete_first_record(); }},
      {"kafka_topic_partition_in_sync_replica" + partition, nothing, create},
      {"kafka_topic_partition_leader" + partition, nothing, create},
      {"kafka_topic_partition_leader_is_preferred" + partition, nothing, create},
      {"kafka_topic_partition_replicas" + partition, nothing, create},
      {"kafka_topic_partition_under_replicated_partition" + partition, nothing, create},
      {"kafka_consumergroup_current_offset" + group_partition, create_and_commit, commit},
      {"kafka_consumergroup_current_offset_sum" + group_topic, create_and_commit, commit},
      {"kafka_consumergroup_lag" + group_partition, create_and_commit, produce},
      {"kafka_consumergroup_lag_sum" + group_topic, create_and_commit, produce},
      {"kafka_consumergroup_members" + group, create_and_commit, join},
      {of_topics + "messagesin_total" + topic, create, produce},
      {of_topics + "bytesin_total" + topic, create, produce},
      {of_topics + "bytesout_total" + topic, create_and_produce, fetch},
      {of_topics + "totalproducerequests_total" + topic, create, produce},
      {of_topics + "failedproducerequests_total" + topic, create, produce_damaged},
      {of_topics + "totalfetchrequests_total" + topic, create_and_produce, fetch},
      {of_topics + "failedfetchrequests_total" + topic, create_and_produce, fetch_too_far},
      {"kafka_server_replicamanager_leadercount", nothing, create},
      {"kafka_server_replicamanager_partitioncount", nothing, create},
      {"kafka_cluster_partition_atminisr" + partition, nothing, create},
      {"kafka_cluster_partition_underminisr" + partition, nothing, create},
      {of_connections + R"(count{listener="PLAINTEXT"})", nothing, connect},
      {of_connections + R"(creation_total{listener="PLAINTEXT"})", nothing, create},
      {"kafka_log_log_size" + partition, create, produce},
      {of_requests + R"(requests_total{request="Produce"})", create, produce},
      {of_requests + R"(errors_total{request="Produce",error="CORRUPT_MESSAGE"})", create, produce_damaged},
      {of_requests + R"(errors_total{request="Fetch",error="OFFSET_OUT_OF_RANGE"})", create_and_produce,
       fetch_too_far},
      {of_requests + R"(totaltimems_count{request="Produce"})", create, produce},
      {of_requests + R"(totaltimems_sum{request="Produce"})", create, produce},
      {of_requests + R"(totaltimems{request="Produce",quantile="0.99"})", create, produce},
      {R"(milena_request_duration_seconds_count{request="Produce"})", create, produce},
      {R"(milena_request_duration_seconds_sum{request="Produce"})", create, produce},
      {R"(milena_request_duration_seconds_bucket{request="Produce",le="+Inf"})", create, produce},
      {"milena_pending_requests", create_and_rest, park},
      {R"(milena_request_memory_bytes{state="pending"})", create_and_rest, park},
      {R"(milena_request_memory_bytes{state="unfinished"})", nothing,
       [](MetricsTest& t) { t.send_half_a_request(); }},
      {R"(milena_connections_by_software{name="test-client",version="1.2"})", nothing, connect},
      {"milena_worker_pool_max_threads", nothing, [](MetricsTest& t) { t.set_background_threads("7"); }},
      {"milena_log_flush_duration_seconds_count", create, produce},
      {R"(milena_groups{protocol="consumer",state="Stable"})", create, join_new},
      {R"(milena_groups{protocol="classic",state="CompletingRebalance"})", create, join},
      {R"(milena_group_rebalances_total{protocol="classic",cause="join"})", create, join},
      {R"(milena_group_rebalances_total{protocol="classic",cause="leave"})", create,
       [](MetricsTest& t) { t.leave_classic(t.join_classic()); }},
      {R"(milena_group_rebalances_total{protocol="consumer",cause="group_epoch"})", create, join_new},
      {"milena_open_transactions", create, [](MetricsTest& t) { t.begin_transaction(); }},
      {R"(milena_transactions_total{result="commit"})", create,
       [](MetricsTest& t) { t.run_transaction(true); }},
      {R"(milena_transactions_total{result="abort"})", create,
       [](MetricsTest& t) { t.run_transaction(false); }},
      {"process_open_fds", nothing, connect},
  };
}

TEST_F(MetricsTest, EachMovesWithWhatAClientDoes) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.series);
    start({"milena.durability=fsync"});
    c.before(*this);
    const auto before = value(c.series);
    c.action(*this);
    eventually([&] { return value(c.series) != before; });
    if (HasFailure()) return;
    open_.clear();
    broker_.reset();
  }
}

// Those that tell a fact of a single node, or of the machine.
TEST_F(MetricsTest, WhatIsAlwaysThere) {
  start();
  const std::string text = scrape();
  EXPECT_EQ(value_in(text, "kafka_brokers"), 1);
  const std::string address = "127.0.0.1:" + std::to_string(broker_->port());
  EXPECT_EQ(value_in(text, "kafka_broker_info{id=\"1\",address=\"" + address + "\"}"), 1) << text;
  EXPECT_EQ(value_in(text, "kafka_controller_kafkacontroller_activecontrollercount"), 1);
  EXPECT_EQ(value_in(text, "kafka_controller_controllerstats_uncleanleaderelections_total"), 0);
  EXPECT_EQ(value_in(text, "kafka_server_replicamanager_underreplicatedpartitions"), 0);
  EXPECT_GT(value_in(text, "process_resident_memory_bytes"), 1e6);
  EXPECT_GT(value_in(text, "process_virtual_memory_bytes"), 1e6);
  EXPECT_GT(value_in(text, "process_threads"), 1);
  EXPECT_GT(value_in(text, "process_max_fds"), 1);
  const double now = static_cast<double>(SystemClock().wall_ms()) / 1000;
  EXPECT_LE(value_in(text, "process_start_time_seconds"), now + 1);
  EXPECT_GT(value_in(text, "process_start_time_seconds"), now - 86'400);
  for (const auto* what : {"topics", "partitions", "groups", "group_partitions"}) {
    EXPECT_EQ(value_in(text, "milena_metrics_left_out{what=\"" + std::string(what) + "\"}"), 0) << what;
  }
}

TEST_F(MetricsTest, WorkUsesProcessorTime) {
  start();
  create();
  const std::string before = scrape();
  const auto moved = [&](std::string_view series) {
    return value(series).value_or(0) > value_in(before, series).value_or(0);
  };
  eventually([&] {
    produce_one();
    return moved("process_cpu_seconds_total") && (moved("milena_event_loop_cpu_seconds_total{loop=\"0\"}") ||
                                                  moved("milena_event_loop_cpu_seconds_total{loop=\"1\"}"));
  });
  const std::string text = scrape();
  const auto idle = value_in(text, "kafka_network_socketserver_networkprocessoravgidle_percent");
  EXPECT_GT(idle, 0);
  EXPECT_LT(idle, 1);
  EXPECT_EQ(value_in(text, "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent"), idle);
}

TEST_F(MetricsTest, AScrapeHasNothingButTheTableAndAllOfIt) {
  start({"milena.durability=fsync"});
  create();
  produce_one();
  fetch_one();
  produce_damaged();
  commit(0);
  connect_with_software();
  const std::string text = scrape();
  for (const MetricInfo& metric : metric_table()) {
    const std::string type =
        "# TYPE " + std::string(metric.name) + " " + std::string(to_string(metric.type)) + "\n";
    EXPECT_NE(text.find(type), std::string::npos) << type;
  }
  std::size_t types = 0;
  for (auto at = text.find("# TYPE "); at != std::string::npos; at = text.find("# TYPE ", at + 1)) ++types;
  EXPECT_EQ(types, metric_table().size());
}

TEST_F(MetricsTest, ATopicThatIsDeletedIsNotToldOf) {
  start();
  create();
  ASSERT_TRUE(value("kafka_topic_partitions{topic=\"letters\"}"));
  protocol::DeleteTopicsRequest request{.timeout_ms = 10'000};
  request.topics = arena_.array<protocol::DeleteTopicsRequest::DeleteTopicState>(1);
  request.topics[0].name = "letters";
  const auto answer = broker_->ask<protocol::DeleteTopicsResponse>(request, 6, arena_);
  ASSERT_EQ(answer.responses[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(scrape().find("letters"), std::string::npos);
}

TEST_F(MetricsTest, AClosedConnectionIsNotCountedAnyMore) {
  start();
  connect_with_software();
  ASSERT_EQ(value("milena_connections_by_software{name=\"test-client\",version=\"1.2\"}"), 1);
  open_.clear();
  eventually(
      [this] { return !value("milena_connections_by_software{name=\"test-client\",version=\"1.2\"}"); });
  eventually([this] {
    return value("kafka_server_socket_server_metrics_connection_count{listener=\"PLAINTEXT\"}") == 0;
  });
}

TEST_F(MetricsTest, TwoBrokersInOneProcessCountForThemselves) {
  start();
  create();
  TestBroker other(root_ + "/other", {"milena.metrics.listener=127.0.0.1:0"});
  ASSERT_EQ(other.refusal(), "");
  const std::string text = http_get(port_of(other.metrics_address()), "/metrics").body;
  EXPECT_EQ(text.find("letters"), std::string::npos);
  EXPECT_FALSE(value_in(text, "kafka_network_requestmetrics_requests_total{request=\"CreateTopics\"}"));
  EXPECT_EQ(value("kafka_network_requestmetrics_requests_total{request=\"CreateTopics\"}"), 1);
}

TEST_F(MetricsTest, AFailedDirectoryShows) {
  start({"log.dirs=/a,/b"}, &disk_);
  ASSERT_EQ(create_topic(*broker_, "letters", 4), ErrorCode::kNone);
  std::string text = scrape();
  EXPECT_EQ(value_in(text, "kafka_log_logmanager_offlinelogdirectorycount"), 0);
  EXPECT_EQ(value_in(text, "kafka_server_replicamanager_offlinereplicacount"), 0);
  EXPECT_EQ(http_get(http_port_, "/health/ready").status, 200);
  disk_.fail({.call = "pwritev", .code = EIO, .for_good = true, .path_part = "/b/"});
  for (int i = 0; i < 4; ++i) (void)try_produce(*broker_, "letters", "lost", i);
  eventually([this] { return value("kafka_controller_kafkacontroller_offlinepartitionscount") == 2; });
  text = scrape();
  EXPECT_EQ(value_in(text, "kafka_log_logmanager_offlinelogdirectorycount"), 1);
  EXPECT_EQ(value_in(text, "kafka_server_replicamanager_offlinereplicacount"), 2);
  EXPECT_EQ(value_in(text, "kafka_server_replicamanager_leadercount"), 2);
  EXPECT_EQ(http_get(http_port_, "/health/ready").status, 200);
}

TEST_F(MetricsTest, WithoutDirectoriesTheBrokerIsAliveAndNotReady) {
  start({"log.dirs=/a"}, &disk_);
  create();
  disk_.fail({.call = "pwritev", .code = EIO, .for_good = true, .path_part = "/a/"});
  (void)try_produce(*broker_, "letters", "lost");
  eventually([this] { return http_get(http_port_, "/health/ready").status == 503; });
  EXPECT_EQ(http_get(http_port_, "/health/ready").body, "every log directory has failed\n");
  EXPECT_EQ(http_get(http_port_, "/health/live").status, 200);
  EXPECT_EQ(http_get(http_port_, "/metrics").status, 200);
}

TEST_F(MetricsTest, OffUnlessAskedFor) {
  TestBroker broker(root_);
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(broker.metrics_address(), "");
}

TEST_F(MetricsTest, APortThatIsTakenRefusesTheStart) {
  start();
  TestBroker other(root_ + "/other", {"milena.metrics.listener=:" + std::to_string(http_port_)});
  EXPECT_NE(other.refusal().find("The metrics listener failed to bind to 127.0.0.1:"), std::string::npos)
      << other.refusal();
}

// Opening a segment of the metadata log takes until the gate is opened.
class GatedFs final : public Fs {
 public:
  explicit GatedFs(Fs& fs) : fs_(fs) {}
  void open_gate() { gate_.count_down(); }

  IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (path.find("__cluster_metadata") != std::string::npos && path.ends_with(".log")) gate_.wait();
    return fs_.open(path, mode);
  }
  IoStatus rename(const std::string& from, const std::string& to) override { return fs_.rename(from, to); }
  IoStatus remove(const std::string& path) override { return fs_.remove(path); }
  IoStatus remove_tree(const std::string& path) override { return fs_.remove_tree(path); }
  IoStatus make_directories(const std::string& path) override { return fs_.make_directories(path); }
  IoResult<std::vector<DirEntry>> list(const std::string& path) override { return fs_.list(path); }
  bool exists(const std::string& path) override { return fs_.exists(path); }
  IoStatus sync_directory(const std::string& path) override { return fs_.sync_directory(path); }
  IoStatus sync_all(const std::string& path) override { return fs_.sync_all(path); }
  IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) override { return fs_.lock(path); }

 private:
  Fs& fs_;
  std::latch gate_{1};
};

// A port that was free a moment ago.
std::uint16_t free_port() {
  MemFs disk;
  return TestBroker("/data", {}, &disk).port();
}

// Whether anybody listens there.
bool is_open(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

TEST_F(MetricsTest, AliveBeforeItIsReady) {
  MemFs disk;
  GatedFs gated(disk);
  http_port_ = free_port();
  std::unique_ptr<TestBroker> broker;
  std::thread starting([&] {
    broker = std::make_unique<TestBroker>(
        "/data", std::vector{"milena.metrics.listener=127.0.0.1:" + std::to_string(http_port_)}, &gated);
  });
  eventually([this] { return is_open(http_port_) && http_get(http_port_, "/health/live").status == 200; });
  EXPECT_EQ(http_get(http_port_, "/health/ready").status, 503);
  EXPECT_EQ(http_get(http_port_, "/metrics").status, 503);
  gated.open_gate();
  starting.join();
  ASSERT_EQ(broker->refusal(), "");
  EXPECT_EQ(http_get(http_port_, "/health/ready").status, 200);
  EXPECT_EQ(http_get(http_port_, "/metrics").status, 200);
}

}  // namespace
}  // namespace milena::broker
