// MetadataTest: the metadata of a node on a disk in memory, opened again and again; and messages to its
// controller.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mem_fs.h"
#include "base/mutex.h"
#include "broker/metadata/broker_lifecycle.h"
#include "broker/metadata/cluster_metadata.h"
#include "broker/node_settings.h"
#include "protocol/error_code.h"

namespace milena::broker::testing {

// A pool whose jobs run when the test says so.
class HeldPool final : public WorkerPool {
 public:
  bool try_run(Job job) override {
    jobs_.push_back(std::move(job));
    return true;
  }
  void resize(std::size_t /*threads_max*/) override {}
  void stop() override { run(); }
  Load load() const override { return {.queued = jobs_.size(), .running = 0, .threads_max = 1}; }
  void run() {
    for (; !jobs_.empty(); jobs_.pop_front()) jobs_.front()();
  }

 private:
  std::deque<Job> jobs_;
};

class MetadataTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kDirectoryId = "T5gBaouWTnqLNAPWxhGCzA";
  const std::string kHome = "/data";
  const std::string kPartition = kHome + "/__cluster_metadata-0";

  MetadataTest() {
    disk_.make_directories(kPartition).value();
    write(kHome + "/meta.properties",
          "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\ndirectory.id=" +
              std::string(kDirectoryId) + "\n");
    write(kPartition + "/partition.metadata", "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ");
    disk_.sync_all("/").value();
  }

  void write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(replace_file(disk_, path, as_bytes(content)));
  }

  // Ends what was open as `loss` says, and opens it again; the sentence why it cannot, or none.
  std::string open(MemFs::Loss loss = MemFs::Loss::kNothing) {
    close();
    disk_.crash(loss);
    lines_.clear();
    auto store = open_store();
    if (!store) return store.error();
    ClusterMetadata::Options options;
    options.self.key = {1, home_->meta_properties()->directory_id};
    options.controller.node_id = 1;
    options.controller.supported_features = supported_features();
    options.bootstrap = controller::default_bootstrap_features(supported_features());
    options.snapshots = snapshots_;
    auto opened = ClusterMetadata::open(std::move(options), *std::move(store), clock_, rng_, log_);
    if (!opened) return opened.error();
    metadata_ = *std::move(opened);
    return "";
  }
  void close() {
    metadata_.reset();
    home_.reset();
  }
  std::expected<std::unique_ptr<MetadataStore>, std::string> open_store() {
    home_ = *storage::LogDirectory::open(disk_, kHome);
    auto config = std::make_shared<storage::LogConfig>();
    config->retention_ms = -1;
    config->segment_bytes = segment_bytes_;
    return MetadataStore::open(disk_, *home_, std::move(config), clock_.wall_ms());
  }
  protocol::BrokerRegistrationRequest registration(Arena& arena) {
    using Request = protocol::BrokerRegistrationRequest;
    const auto supported = supported_features();
    Request request{.broker_id = 1,
                    .incarnation_id = Uuid::random(rng_),
                    .features = arena.array<Request::Feature>(supported.size()),
                    .log_dirs = arena.array<Uuid>(1)};
    std::size_t at = 0;
    for (const auto& [name, range] : supported) {
      request.features[at++] = {
          .name = arena.text(name), .min_supported_version = range.min, .max_supported_version = range.max};
    }
    request.log_dirs[0] = *Uuid::parse(kDirectoryId);
    return request;
  }
  // Opens it, and the broker of this node is registered and active.
  void open_with_broker(MemFs::Loss loss = MemFs::Loss::kNothing) {
    ASSERT_EQ(open(loss), "");
    Arena arena;
    const auto started =
        BrokerLifecycle(metadata_->controller(), metadata_->source(), 1, log_).start(registration(arena));
    ASSERT_TRUE(started) << started.error();
  }

  // What came of the creation of a topic; none while there is no answer.
  struct Creation {
    Arena arena;
    std::optional<Result<ErrorCode>> outcome;
    int answers = 0;
  };
  std::shared_ptr<Creation> create(std::string_view topic) {
    auto creation = std::make_shared<Creation>();
    protocol::CreateTopicsRequest request;
    request.topics = creation->arena.array<protocol::CreateTopicsRequest::CreatableTopic>(1);
    request.topics[0] = {.name = creation->arena.text(topic), .num_partitions = 1, .replication_factor = 1};
    Arena& arena = creation->arena;
    ask_controller<protocol::CreateTopicsResponse>(
        metadata_->controller(), {.request = request, .version = 7}, arena,
        [creation](const Result<protocol::CreateTopicsResponse>& answer) {
          ++creation->answers;
          creation->outcome =
              answer ? Result<ErrorCode>(answer->topics[0].error_code) : std::unexpected(answer.error());
        });
    return creation;
  }
  static bool is_created(const std::shared_ptr<Creation>& creation) {
    return creation->outcome && *creation->outcome && **creation->outcome == ErrorCode::kNone;
  }
  // Was refused because the log cannot be written.
  static bool is_unwritten(const std::shared_ptr<Creation>& creation) {
    return creation->outcome && !*creation->outcome &&
           creation->outcome->error().code == ErrorCode::kKafkaStorageError;
  }
  bool has_topic(std::string_view name) const { return image()->topic(name) != nullptr; }
  controller::MetadataImagePtr image() const { return metadata_->source().image(); }

  // Lines of the log that contain `part`.
  int lines_with(std::string_view part) const {
    int n = 0;
    for (const auto& line : lines_) n += line.find(part) == std::string::npos ? 0 : 1;
    return n;
  }
  static void keep(void* context, LogLevel /*level*/, std::string_view line) {
    static_cast<MetadataTest*>(context)->lines_.emplace_back(line);
  }

  MemFs disk_;
  ManualClock clock_;
  SeededRng rng_{1};
  std::vector<std::string> lines_;
  Logger log_{LogLevel::kInfo, &keep, this};
  std::int32_t segment_bytes_ = 1 << 30;
  controller::SnapshotTrigger::Limits snapshots_;
  std::unique_ptr<storage::LogDirectory> home_;
  std::unique_ptr<ClusterMetadata> metadata_;
};

}  // namespace milena::broker::testing
