// TestBroker: a whole broker in this process, spoken to over loopback sockets; BrokerTest: a directory for
// its data, and the requests that most tests begin with.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/posix_fs.h"
#include "broker/broker.h"
#include "broker/net/testing/client.h"
#include "protocol/api_versions.gen.h"
#include "protocol/create_topics.gen.h"
#include "protocol/error_code.h"
#include "protocol/fetch.gen.h"
#include "protocol/frame.h"
#include "protocol/produce.gen.h"
#include "protocol/record_batch_builder.h"

namespace milena::broker::testing {

class TestBroker {
 public:
  // On the real disk and by the system's clock, unless it is given others. `directory` is its data; empty
  // when the overrides set log.dirs. A quarter of the descriptors is for files, or 16.
  explicit TestBroker(const std::string& directory, std::vector<std::string> overrides = {}, Fs* fs = nullptr,
                      const Clock* clock = nullptr, std::size_t descriptors_max = 4096) {
    overrides.emplace_back("listeners=PLAINTEXT://127.0.0.1:0");
    ConfigSources sources{.overrides = std::move(overrides)};
    if (!directory.empty()) sources.data = directory;
    auto settings = StaticConfig::read(sources);
    EXPECT_TRUE(settings) << settings.error();
    auto config =
        BrokerConfig::make(*std::move(settings), {.processors = 2, .descriptors_max = descriptors_max});
    EXPECT_TRUE(config) << config.error();
    broker_ = std::make_unique<Broker>(*std::move(config),
                                       Broker::World{.fs = fs != nullptr ? *fs : disk_,
                                                     .clock = clock != nullptr ? *clock : clock_,
                                                     .rng = rng_,
                                                     .log = log_,
                                                     .runtime = runtime_});
    started_ = broker_->start();
  }

  const std::expected<void, std::string>& started() const { return started_; }
  // Why it did not start; empty if it did.
  std::string refusal() const { return started_ ? "" : started_.error(); }
  // The lines of its log so far.
  std::string lines() const {
    const MutexLock lock(lines_mutex_);
    return lines_;
  }
  const std::string& cluster_id() const { return broker_->cluster_id(); }
  std::uint16_t port() const {
    const std::string address = broker_->addresses().front();
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  std::string metrics_address() const { return broker_->metrics_address(); }
  void stop() { broker_->stop(); }

  // Sends one request on a connection of its own; the response lives in `arena`.
  template <class Response, class Request>
  Response ask(const Request& request, int version, Arena& arena) {
    auto client = send(request, version, arena);
    return decoded<Response>(client.receive(), version, arena);
  }

  // The same; none when the connection is closed instead.
  template <class Response, class Request>
  std::optional<Response> try_ask(const Request& request, int version, Arena& arena) {
    auto client = send(request, version, arena);
    const auto reply = client.receive();
    if (!reply) return std::nullopt;
    return decoded<Response>(reply, version, arena);
  }

  // Sends several requests of one version in one piece on one connection; their responses in order.
  template <class Response, class Request>
  std::vector<Response> ask_at_once(const std::vector<Request>& requests, int version, Arena& arena) {
    Client client(port());
    std::string frames;
    for (const Request& request : requests) {
      frames +=
          as_text(protocol::flatten(protocol::encode_request(request, version, 7, "test", arena), arena));
    }
    EXPECT_TRUE(client.send(frames));
    std::vector<Response> responses;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      responses.push_back(decoded<Response>(client.receive(), version, arena));
    }
    return responses;
  }

  // Whether the answer is to close the connection.
  template <class Request>
  bool closes_on(const Request& request, int version, Arena& arena) {
    return send(request, version, arena).closed();
  }

  // What a reply says; lives in `arena`.
  template <class Response>
  static Response decoded(const std::optional<testing::Response>& reply, int version, Arena& arena) {
    EXPECT_TRUE(reply);
    std::string_view body = arena.text(reply->body);
    const bool tagged_header =
        Response::kInfo.flexible(version) && !std::is_same_v<Response, protocol::ApiVersionsResponse>;
    if (tagged_header) body.remove_prefix(1);
    auto response = protocol::decode<Response>(as_bytes(body), version, arena);
    EXPECT_TRUE(response) << response.error().why;
    return *response;
  }

 private:
  template <class Request>
  Client send(const Request& request, int version, Arena& arena) {
    Client client(port());
    const auto frame = protocol::flatten(protocol::encode_request(request, version, 7, "test", arena), arena);
    EXPECT_TRUE(client.send(as_text(frame)));
    return client;
  }

  ThreadRuntime runtime_;
  PosixFs disk_;
  SystemClock clock_;
  SystemRng rng_;
  static void keep_line(void* broker, LogLevel, std::string_view line) {
    auto& self = *static_cast<TestBroker*>(broker);
    const MutexLock lock(self.lines_mutex_);
    self.lines_.append(line).push_back('\n');
  }

  mutable Mutex lines_mutex_;
  std::string lines_ MILENA_GUARDED_BY(lines_mutex_);
  Logger log_{LogLevel::kInfo, &keep_line, this};
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
  Produced try_produce(TestBroker& broker, std::string_view topic, std::string_view value,
                       int partition = 0) {
    protocol::RecordBatchBuilder builder;
    builder.append(1'700'000'000'000, std::nullopt, as_bytes(value));
    const auto batch = builder.build();
    protocol::ProduceRequest request{.acks = -1, .timeout_ms = produce_timeout_ms_};
    request.topic_data = arena_.array<protocol::ProduceRequest::TopicProduceData>(1);
    request.topic_data[0].name = topic;
    request.topic_data[0].partition_data =
        arena_.array<protocol::ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    request.topic_data[0].partition_data[0].index = partition;
    request.topic_data[0].partition_data[0].records = protocol::RecordsRef{.bytes = batch};
    return broker.ask<protocol::ProduceResponse>(request, 12, arena_).responses[0].partition_responses[0];
  }

  protocol::Offset produce(TestBroker& broker, std::string_view topic, std::string_view value,
                           int partition = 0) {
    const auto answer = try_produce(broker, topic, value, partition);
    EXPECT_EQ(answer.error_code, ErrorCode::kNone);
    return answer.base_offset;
  }

  // What a fetch of the partition from its start answers.
  using Fetched = protocol::FetchResponse::FetchableTopicResponse::PartitionData;
  Fetched try_fetch(TestBroker& broker, std::string_view topic, int partition = 0) {
    protocol::FetchRequest request{.max_wait_ms = 0, .min_bytes = 1, .max_bytes = 1 << 20};
    request.topics = arena_.array<protocol::FetchRequest::FetchTopic>(1);
    request.topics[0].topic = topic;
    request.topics[0].partitions = arena_.array<protocol::FetchRequest::FetchTopic::FetchPartition>(1);
    request.topics[0].partitions[0].partition = partition;
    request.topics[0].partitions[0].partition_max_bytes = 1 << 20;
    return broker.ask<protocol::FetchResponse>(request, 12, arena_).responses[0].partitions[0];
  }

  std::string fetch(TestBroker& broker, std::string_view topic, int partition = 0) {
    const auto answer = try_fetch(broker, topic, partition);
    EXPECT_EQ(answer.error_code, ErrorCode::kNone);
    return answer.records ? std::string(as_text(answer.records->bytes)) : "";
  }

  std::string root_;
  Arena arena_;
  std::int32_t produce_timeout_ms_ = 1000;
};

}  // namespace milena::broker::testing
