#include "bench/load/metadata_run.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "bench/load/epoll.h"
#include "bench/load/fail.h"
#include "bench/load/request_pipe.h"
#include "bench/load/time.h"
#include "bench/load/topics.h"
#include "protocol/api.gen.h"
#include "protocol/error_code.h"
#include "protocol/frame.h"
#include "protocol/metadata.gen.h"

namespace milena::bench {
namespace {

constexpr int kVersion = 12;
// In a request: size, API key, version. In an answer: its own id, throttle time.
constexpr std::size_t kCorrelationIdAt = 4 + 2 + 2;

class MetadataRun {
 public:
  explicit MetadataRun(const Options& options) : options_(options), meter_(options.pid), stretch_(meter_) {
    WireClient client(options.broker);
    prepare_topic(client, options.topic, options.partitions, options.create);
    Arena arena;
    protocol::MetadataRequest all_topics;
    all_topics.topics = std::nullopt;
    const BytesView frame =
        protocol::flatten(protocol::encode_request(all_topics, kVersion, 0, kClientId, arena), arena);
    request_.assign(frame.begin(), frame.end());
    for (int i = 0; i < options.connections; ++i) {
      connections_.push_back({std::make_unique<RequestPipe>(options.broker, 1, true), 0});
    }
    for (Connection& connection : connections_) epoll_.add(connection.pipe->socket(), &connection);
  }

  Report run() {
    stretch_.begin();
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(options_.extent.seconds * kSecond);
    for (Connection& connection : connections_) ask(connection);
    while (waiting_ > 0) {
      for (const epoll_event& event : epoll_.wait(Epoll::kForever)) {
        auto& connection = *static_cast<Connection*>(event.data.ptr);
        bool more = (event.events & EPOLLIN) != 0 && !connection.pipe->is_idle();
        while (more) {
          more = connection.pipe->receive();
          if (!take_answer(connection)) continue;
          more = false;
          if (now_ns() < end) ask(connection);
        }
      }
    }
    stretch_.end();
    Report report("metadata");
    report.add_work(work_, stretch_, meter_);
    report.add("answer_bytes", static_cast<std::int64_t>(expected_.size()));
    report.add_latency("latency_us", latency_);
    return report;
  }

 private:
  struct Connection {
    std::unique_ptr<RequestPipe> pipe;
    std::int64_t asked_ns;
  };

  void ask(Connection& connection) {
    RequestPipe::Request& request = connection.pipe->next_request();
    request.head = request_;
    store_be(request.head.data() + kCorrelationIdAt, connection.pipe->next_correlation_id());
    connection.pipe->put();
    connection.asked_ns = now_ns();
    connection.pipe->send();
    ++waiting_;
  }

  bool take_answer(Connection& connection) {
    const auto answer = connection.pipe->next_answer();
    if (!answer) return false;
    --waiting_;
    latency_.add(now_ns() - connection.asked_ns);
    ++work_.requests;
    // One that equals an answer without errors needs no second look.
    const BytesView body = answer->frame.subspan(4);
    if (!std::ranges::equal(body, expected_)) examine(answer->frame);
    return true;
  }

  void examine(BytesView frame) {
    Arena arena;
    const auto response =
        protocol::parse_response(frame, *protocol::find_api(protocol::MetadataRequest::kInfo.key), kVersion);
    if (!response) fail_run("Metadata: malformed answer");
    const auto message = protocol::decode<protocol::MetadataResponse>(response->body, kVersion, arena);
    if (!message) fail_run("Metadata: malformed answer: {}", message.error().why);
    for (const auto& topic : message->topics) {
      const bool failed = topic.error_code != ErrorCode::kNone ||
                          std::ranges::any_of(topic.partitions, [](const auto& partition) {
                            return partition.error_code != ErrorCode::kNone;
                          });
      if (failed) ++work_.errors;
    }
    const BytesView body = frame.subspan(4);
    if (work_.errors == 0) expected_.assign(body.begin(), body.end());
  }

  const Options& options_;
  Meter meter_;
  Stretch stretch_;
  Epoll epoll_;
  std::vector<std::byte> request_;
  std::vector<std::byte> expected_;  // the last answer that was examined, without its correlation id
  std::vector<Connection> connections_;
  std::size_t waiting_ = 0;
  Report::Work work_;
  Histogram latency_;
};

}  // namespace

Report run_metadata(const Options& options) { return MetadataRun(options).run(); }

}  // namespace milena::bench
