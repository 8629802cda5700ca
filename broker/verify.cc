#include "broker/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "broker/metadata/metadata_reader.h"
#include "broker/partition/log_dirs.h"
#include "storage/known_log_dirs.h"
#include "storage/log_directory.h"

namespace milena::broker {

using controller::MetadataImage;
using controller::MetadataImagePtr;
using storage::LogDirectory;
using storage::PartitionMetadata;
using storage::PartitionName;

namespace {

class Verifier {
 public:
  Verifier(Fs& fs, const VerifyOptions& options) : fs_(fs), options_(options) {}

  VerifyReport run() {
    if (!fs_.exists(options_.directory)) {
      problem("{}: does not exist", options_.directory);
      return std::move(report_);
    }
    if (!fs_.exists(join(options_.directory, storage::kMetaPropertiesName))) {
      problem("{}: has no meta.properties: it is not a log directory", options_.directory);
      return std::move(report_);
    }
    auto opened = LogDirectory::open(fs_, options_.directory);
    if (!opened) {
      problem("{}: {}", options_.directory, opened.error().detail);
      return std::move(report_);
    }
    directory_ = *std::move(opened);
    const auto& owner = directory_->meta_properties();
    say("{}: cluster {}, node {}, directory.id {}", directory_->path(), owner->cluster_id,
        owner->node_id.value, owner->directory_id.to_string());
    load_metadata();
    for (const auto& name : options_.adopt) adopt(name);
    list();
    list_missing();
    return std::move(report_);
  }

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(report_.text), format, std::forward<Args>(args)...);
    report_.text += '\n';
  }
  template <class... Args>
  void problem(fmt::format_string<Args...> format, Args&&... args) {
    say(format, std::forward<Args>(args)...);
    report_.is_fine = false;
  }

  // The directory that was given, this one, or the one that the last start noted.
  std::string metadata_path() const {
    const std::string name = storage::directory_name(storage::cluster_metadata_partition());
    if (options_.metadata_directory) return join(*options_.metadata_directory, name);
    const std::string here = join(directory_->path(), name);
    if (fs_.exists(here)) return here;
    const auto known = known_directories();
    const auto at = std::ranges::find(known, true, &storage::KnownLogDir::holds_metadata_log);
    return at == known.end() ? here : join(at->path, name);
  }

  // Whether the log directory that holds this metadata log is of the same cluster.
  bool is_of_this_cluster(const std::string& metadata_path) const {
    const auto text =
        read_file(fs_, join(parent_directory(metadata_path), storage::kMetaPropertiesName), 1 << 16);
    const auto owner = text ? storage::decode_meta_properties(as_text(*text)) : std::nullopt;
    return owner && owner->cluster_id == directory_->meta_properties()->cluster_id;
  }

  void load_metadata() {
    const std::string path = metadata_path();
    if (fs_.exists(path) && !is_of_this_cluster(path)) return problem("{}: belongs to another cluster", path);
    auto image = read_metadata(fs_, path);
    if (!image) {
      problem("{}: {}; name the directory that holds it with --metadata", path, image.error().why);
    } else {
      image_ = *std::move(image);
    }
  }

  void adopt(const std::string& name) {
    if (image_ == nullptr) return problem("{}: not adopted: the metadata log is not there", name);
    const auto parsed = storage::parse_partition_name(name);
    const auto* topic = parsed && parsed->state == PartitionName::State::kLive
                            ? image_->topic(parsed->partition.topic)
                            : nullptr;
    const auto* state = topic == nullptr ? nullptr : topic->partition(parsed->partition.partition);
    if (state == nullptr || !state->is_replica(directory_->meta_properties()->node_id))
      return problem("{}: not adopted: the metadata has no such partition on this node", name);
    const Uuid placed = state->directory_of(directory_->meta_properties()->node_id);
    if (!controller::is_reserved_directory(placed) && placed != directory_->meta_properties()->directory_id) {
      return problem("{}: not adopted: the metadata places it in the log directory with directory.id {}",
                     name, placed.to_string());
    }
    const auto metadata = directory_->partition_metadata(name);
    if (!metadata) return problem("{}: not adopted: {}", name, why_of(metadata.error(), *directory_));
    if (metadata->is_valid() && metadata->topic_id == topic->id) return adopt_as_it_is(parsed->partition);
    if (metadata->is_valid() && image_->topic(metadata->topic_id) != nullptr)
      return problem("{}: not adopted: it belongs to topic {}", name,
                     image_->topic(metadata->topic_id)->name);
    if (metadata->state == PartitionMetadata::State::kNewerVersion)
      return problem("{}: not adopted: its partition.metadata was written by a newer version", name);
    const bool is_there = fs_.exists(directory_->partition_path(parsed->partition));
    const auto elsewhere = is_there ? std::nullopt : find_elsewhere(parsed->partition, topic->id);
    if (elsewhere)
      return problem("{}: not adopted: {} is this partition, and a start that can read it uses it", name,
                     *elsewhere);
    const auto done = is_there ? directory_->write_partition_metadata(parsed->partition, topic->id)
                               : directory_->create_partition(parsed->partition, topic->id);
    if (!done) return problem("{}: not adopted: {}", name, why_of(done.error(), *directory_));
    say("{}: adopted{}", name, is_there ? "" : ", empty");
  }

  // The next start takes what is there for all of it, whatever the checkpoints say.
  void adopt_as_it_is(const storage::TopicPartition& partition) {
    const std::string name = storage::directory_name(partition);
    const auto checkpoint = directory_->noted(partition);
    if (!checkpoint) return say("{}: needs no adoption", name);
    if (const auto done = directory_->forget_checkpoint(partition); !done)
      return problem("{}: not adopted: {}", name, why_of(done.error(), *directory_));
    say("{}: adopted as it is: it is forgotten that it held records from offset {} up to {}", name,
        checkpoint->log_start_offset.value, checkpoint->known_end().value);
  }

  // Another directory of this partition: a stray here, or one in a log directory of the last start.
  std::optional<std::string> find_elsewhere(const storage::TopicPartition& partition, const Uuid& topic_id) {
    const auto is_it = [&](const std::string& path) {
      const auto text = read_file(fs_, join(path, storage::kPartitionMetadataName), 1 << 16);
      const auto metadata = text ? storage::decode_partition_metadata(as_text(*text)) : PartitionMetadata{};
      return metadata.is_valid() && metadata.topic_id == topic_id;
    };
    if (const auto names = directory_->partitions()) {
      for (const auto& name : *names) {
        const std::string path = join(directory_->path(), name.name);
        if (name.partition == partition && name.state == PartitionName::State::kStray && is_it(path))
          return path;
      }
    }
    for (const auto& known : known_directories()) {
      const std::string path = join(known.path, storage::directory_name(partition));
      if (is_it(path)) return path;
    }
    return std::nullopt;
  }

  std::vector<storage::KnownLogDir> known_directories() const {
    const auto text = read_file(fs_, join(directory_->path(), storage::kKnownLogDirsName));
    const auto known = text ? storage::decode_known_log_dirs(as_text(*text)) : std::nullopt;
    return known.value_or(std::vector<storage::KnownLogDir>{});
  }

  // What the metadata places here, and is not.
  void list_missing() {
    if (image_ == nullptr) return;
    const auto& owner = *directory_->meta_properties();
    for (const auto& [id, topic] : image_->topics) {
      for (const auto& [index, state] : topic->partitions) {
        const storage::TopicPartition partition{topic->name, index};
        const bool is_placed_here =
            state->is_replica(owner.node_id) && state->directory_of(owner.node_id) == owner.directory_id;
        if (!is_placed_here || fs_.exists(directory_->partition_path(partition))) continue;
        const auto checkpoint = directory_->noted(partition);
        const std::string name = storage::directory_name(partition);
        if (checkpoint && checkpoint->has_records()) {
          problem("{}: is gone, though it held records up to offset {}", name, checkpoint->known_end().value);
        } else {
          say("{}: is not there; a start makes it, empty", name);
        }
      }
    }
  }

  void list() {
    const auto names = directory_->partitions();
    if (!names) return problem("{}", why_of(names.error(), *directory_));
    for (const auto& name : *names) {
      const auto metadata = directory_->partition_metadata(name.name);
      const auto contents = directory_->contents(name.name);
      if (!metadata || !contents) {
        problem("{}: cannot be read: {}", name.name,
                why_of(metadata ? contents.error() : metadata.error(), *directory_));
        continue;
      }
      const auto owner = owner_of(name, *metadata);
      if (is_wrong(name, *metadata)) report_.is_fine = false;
      say("{}: {} bytes of records, {}", name.name, contents->record_bytes, owner);
    }
  }

  // What the metadata places here must have a partition.metadata that can be read.
  bool is_wrong(const PartitionName& name, const PartitionMetadata& metadata) const {
    if (name.state != PartitionName::State::kLive || metadata.is_valid() || image_ == nullptr) return false;
    const auto* topic = image_->topic(name.partition.topic);
    return topic != nullptr && topic->partition(name.partition.partition) != nullptr;
  }

  std::string owner_of(const PartitionName& name, const PartitionMetadata& metadata) const {
    using State = PartitionMetadata::State;
    if (name.partition == storage::cluster_metadata_partition()) return "the metadata log";
    switch (metadata.state) {
      case State::kMissing:
        return "no partition.metadata";
      case State::kDamaged:
        return "partition.metadata is damaged";
      case State::kNewerVersion:
        return "partition.metadata was written by a newer version";
      case State::kValid:
        break;
    }
    const std::string id = "topic id " + metadata.topic_id.to_string();
    if (image_ == nullptr) return id;
    const auto* topic = image_->topic(metadata.topic_id);
    return topic == nullptr ? id + ", which the metadata does not know" : id + ", topic " + topic->name;
  }

  Fs& fs_;
  const VerifyOptions& options_;
  std::unique_ptr<LogDirectory> directory_;
  MetadataImagePtr image_;
  VerifyReport report_;
};

}  // namespace

VerifyReport verify_log_directory(Fs& fs, const VerifyOptions& options) {
  return Verifier(fs, options).run();
}

}  // namespace milena::broker
