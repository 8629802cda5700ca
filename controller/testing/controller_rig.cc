#include "controller/testing/controller_rig.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace milena::controller::test_support {
namespace {

Uuid directory_of(BrokerId id) {
  return Uuid::from_halves(0xd1, 1000 + static_cast<std::uint64_t>(id.value));
}

MetadataLoader loaded(const std::vector<std::vector<std::byte>>& log) {
  MetadataLoader loader;
  Arena scratch;
  for (const auto& bytes : log) {
    const auto batch = decode_metadata_batch(*protocol::RecordBatchView::parse(bytes), scratch);
    MILENA_ASSERT(batch && loader.load(*batch), "a log that was written can be read");
  }
  return loader;
}

}  // namespace

FeatureRanges rig_features() {
  return {{std::string(kMetadataVersion), {kOldestMetadataVersion, kNewestMetadataVersion}},
          {std::string(kKRaftVersion), {0, 1}},
          {std::string(kElrFeature), {0, 1}},
          {"group.version", {0, 1}},
          {"transaction.version", {0, 2}}};
}

ControllerSettings rig_settings() {
  return {.node_id = 1, .cluster_id = "rig-cluster", .supported_features = rig_features()};
}

ControllerRig::ControllerRig(const ControllerSettings& with, const std::vector<std::vector<std::byte>>& log,
                             std::int64_t now)
    : rng(99),
      settings(with),
      controller(settings, loaded(log), rng),
      now_ms(now),
      follower_(loaded(log)),
      log_(log) {}

ControllerRig::ControllerRig(ControllerSettings with, const FeatureLevels& bootstrap, std::uint64_t seed)
    : rng(seed), settings(std::move(with)), controller(settings, MetadataLoader(), rng) {
  commit(controller.activate(now_ms, {.features = bootstrap}, arena));
}

void ControllerRig::commit(std::span<const MetadataRecord> records) {
  const auto batches = controller.encode(records, 1, now_ms);
  MILENA_ASSERT(batches, "what the controller decides fits a batch");
  for (const auto& bytes : *batches) {
    const auto view = protocol::RecordBatchView::parse(bytes);
    const auto batch = decode_metadata_batch(*view, arena);
    MILENA_ASSERT(batch, "what the controller writes can be read");
    MILENA_ASSERT(controller.replay(*batch), "what the controller decides can be replayed");
    MILENA_ASSERT(follower_.load(*batch), "by anybody");
    log_.push_back(bytes);
  }
  if (log_.size() < 100 || log_.size() % 100 == 0) {
    MILENA_ASSERT(*follower_.image() == image(), "with the same result");
  }
}

std::int64_t ControllerRig::register_broker(BrokerId id, std::string_view rack, std::int64_t previous_epoch,
                                            std::span<const Uuid> directories) {
  using Request = protocol::BrokerRegistrationRequest;
  const FeatureRanges ranges = rig_features();
  const auto features = arena.array<Request::Feature>(ranges.size());
  std::ranges::transform(ranges, features.begin(), [&](const auto& range) {
    return Request::Feature{.name = arena.text(range.first),
                            .min_supported_version = range.second.min,
                            .max_supported_version = range.second.max};
  });
  Request request{
      .broker_id = id,
      .cluster_id = settings.cluster_id,
      .incarnation_id = Uuid::random(rng),
      .listeners = list_of<Request::Listener>(arena, {{.name = "PLAINTEXT", .host = "h", .port = 9092}}),
      .features = features,
      .log_dirs = arena.array<Uuid>(directories.empty() ? 1 : directories.size()),
      .previous_broker_epoch = previous_epoch};
  request.log_dirs[0] = directory_of(id);
  std::ranges::copy(directories, request.log_dirs.begin());
  if (!rack.empty()) request.rack = arena.text(rack);
  const auto response = commit(controller.register_broker(now_ms, request, kRigKraftVersion, arena));
  MILENA_ASSERT(response.error_code == ErrorCode::kNone, "the rig's brokers may register");
  return response.broker_epoch;
}

protocol::BrokerHeartbeatResponse ControllerRig::heartbeat(BrokerId id, bool want_fence, bool want_shut_down,
                                                           std::span<const Uuid> failed_directories) {
  const auto offline = arena.array<Uuid>(failed_directories.size());
  std::ranges::copy(failed_directories, offline.begin());
  return commit(controller.broker_heartbeat(now_ms,
                                            {.broker_id = id,
                                             .broker_epoch = image().broker(id)->epoch,
                                             .current_metadata_offset = image().provenance.offset,
                                             .want_fence = want_fence,
                                             .want_shut_down = want_shut_down,
                                             .offline_log_dirs = offline},
                                            arena));
}

void ControllerRig::fail_directories(BrokerId id, std::initializer_list<Uuid> directories) {
  const bool fenced = image().broker(id)->fenced;
  MILENA_ASSERT(heartbeat(id, fenced, false, list_of<Uuid>(arena, directories)).is_fenced == fenced,
                "a directory's failure fences nobody");
}

ErrorCode ControllerRig::assign_directory(BrokerId id, std::string_view topic, PartitionId index,
                                          const Uuid& directory) {
  using Request = protocol::AssignReplicasToDirsRequest;
  using Directory = Request::DirectoryData;
  const auto partitions = list_of<Directory::TopicData::PartitionData>(arena, {{.partition_index = index}});
  const auto topics = list_of<Directory::TopicData>(
      arena, {{.topic_id = image().topic(topic)->id, .partitions = partitions}});
  const Request request{.broker_id = id,
                        .broker_epoch = image().broker(id)->epoch,
                        .directories = list_of<Directory>(arena, {{.id = directory, .topics = topics}})};
  const auto response = commit(controller.assign_directories(request, arena));
  MILENA_ASSERT(response.error_code == ErrorCode::kNone, "the rig's brokers are registered");
  return response.directories[0].topics[0].partitions[0].error_code;
}

void ControllerRig::unfence(BrokerId id) {
  MILENA_ASSERT(!heartbeat(id, false, false).is_fenced, "a broker that is up to date is unfenced");
}

void ControllerRig::add_broker(BrokerId id, std::string_view rack) {
  register_broker(id, rack);
  unfence(id);
}

const Topic& ControllerRig::create_topic(std::string_view name, std::int32_t partitions,
                                         std::int16_t replication_factor) {
  using Request = protocol::CreateTopicsRequest;
  const Request request{
      .topics = list_of<Request::CreatableTopic>(arena, {{.name = arena.text(name),
                                                          .num_partitions = partitions,
                                                          .replication_factor = replication_factor}})};
  const auto response = commit(controller.create_topics(request, {}, arena));
  MILENA_ASSERT(response.topics[0].error_code == ErrorCode::kNone, "the rig's topics may be created");
  return *image().topic(name);
}

}  // namespace milena::controller::test_support
