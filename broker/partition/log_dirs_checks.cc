// LogDirs: what is held against each other before anything is used or written.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "broker/partition/log_dirs.h"
#include "controller/image/partition.h"

namespace milena::broker {

using controller::MetadataImage;
using storage::KnownLogDir;
using storage::LogDirectory;

namespace {

// kafka-storage.sh of Kafka 4.0 to 4.3 leaves it in every directory that it formats.
constexpr std::string_view kKafkaBootstrapName = "bootstrap.checkpoint";

std::unexpected<std::string> sentence(std::string what) { return std::unexpected(std::move(what)); }

}  // namespace

// A directory under two names would find itself locked.
LogDirs::Checked LogDirs::check_paths() const {
  std::map<std::string, std::string> seen;
  for (const std::string& path : options_.paths) {
    const auto [at, is_new] = seen.emplace(resolved_path(path), path);
    if (!is_new && at->second == path) return sentence(fmt::format("log.dirs names {} twice", path));
    if (!is_new)
      return sentence(fmt::format("log.dirs names one directory twice: {} and {}", at->second, path));
  }
  return {};
}

LogDirs::Checked LogDirs::check_owners() {
  cluster_id_ = options_.cluster_id;
  for (auto* directory : all()) {
    const auto& owner = directory->meta_properties();
    if (!owner) continue;
    if (owner->node_id != options_.node_id) {
      return sentence(fmt::format("{}: belongs to node {}, and this is node {} (node.id)", directory->path(),
                                  owner->node_id.value, options_.node_id.value));
    }
    if (cluster_id_.empty()) cluster_id_ = owner->cluster_id;
    if (owner->cluster_id != cluster_id_) {
      return sentence(fmt::format("{}: belongs to cluster {}, not to {}", directory->path(),
                                  owner->cluster_id, cluster_id_));
    }
  }
  return {};
}

// Each directory has an id, and none that another one has.
LogDirs::Checked LogDirs::check_ids() {
  std::map<Uuid, std::string> seen;
  for (auto* directory : all()) {
    const auto& owner = directory->meta_properties();
    if (!owner || owner->directory_id.is_zero()) continue;
    if (controller::is_reserved_directory(owner->directory_id)) {
      return sentence(fmt::format("{}/{}: directory.id {} is a reserved one", directory->path(),
                                  storage::kMetaPropertiesName, owner->directory_id.to_string()));
    }
    const auto [at, is_new] = seen.emplace(owner->directory_id, directory->path());
    if (!is_new) {
      return sentence(
          fmt::format("{} and {} have the same directory.id: one is a copy of the other; take the "
                      "one that is not current out of log.dirs",
                      at->second, directory->path()));
    }
  }
  return {};
}

// A partition is removed with everything in its directory.
LogDirs::Checked LogDirs::check_nesting() const {
  auto inner_paths = options_.paths;
  if (metadata_is_apart_) inner_paths.push_back(*options_.metadata_path);
  for (auto* outer : all()) {
    const std::string prefix = join(resolved_path(outer->path()), "");
    for (const std::string& inner : inner_paths) {
      const std::string path = resolved_path(inner);
      if (inner == outer->path() || !path.starts_with(prefix)) continue;
      const std::string child = path.substr(0, path.find('/', prefix.size()));
      if (!fs_.exists(join(child, storage::kPartitionMetadataName))) continue;
      return sentence(
          fmt::format("{} lies in {}, which is a partition of log directory {}: move it out of there", inner,
                      child, outer->path()));
    }
  }
  return {};
}

// A directory is lost when it is not named any more. One that is only away for now would come back, and what
// was made anew, empty, in place of its partitions would hide them.
LogDirs::Checked LogDirs::check_lost() const {
  for (const Uuid& id : options_.lost) {
    if (find(id) != nullptr) {
      return sentence(fmt::format("milena.lost.log.dirs names {}, which is here and is used: take it out",
                                  find(id)->path()));
    }
    const auto* const unusable = unusable_with(id);
    if (unusable != nullptr) {
      return sentence(
          fmt::format("milena.lost.log.dirs names {}, which is in log.dirs and cannot be used for now ({}): "
                      "if it is gone "
                      "for good, take it out of log.dirs",
                      unusable->path, unusable->why));
    }
    if (const auto* const nameless = nameless_with(id)) {
      return sentence(
          fmt::format("milena.lost.log.dirs names {}, which holds partitions and has lost its "
                      "meta.properties: put that file "
                      "back",
                      nameless->path()));
    }
  }
  return {};
}

// The one of log.dirs that has this id, by what it says itself, or had it at the last start.
const LogDirs::Unusable* LogDirs::unusable_with(const Uuid& id) const {
  const auto known = std::ranges::find(known_, id, &KnownLogDir::id);
  const auto at = std::ranges::find_if(unusable_, [&](const Unusable& directory) {
    const auto text = read_file(fs_, join(directory.path, storage::kMetaPropertiesName), 1 << 16);
    const auto owner = text ? storage::decode_meta_properties(as_text(*text)) : std::nullopt;
    if (owner) return owner->directory_id == id;
    return known != known_.end() && resolved_path(directory.path) == resolved_path(known->path);
  });
  return at == unusable_.end() ? nullptr : &*at;
}

// One without meta.properties that lies where this id was, and holds partitions.
const LogDirectory* LogDirs::nameless_with(const Uuid& id) const {
  const auto known = std::ranges::find(known_, id, &KnownLogDir::id);
  if (known == known_.end()) return nullptr;
  for (const auto& directory : usable_) {
    const bool is_there = resolved_path(directory->path()) == resolved_path(known->path);
    if (!directory->meta_properties() && is_there && holds_partitions(*directory)) return directory.get();
  }
  return nullptr;
}

LogDirs::Checked LogDirs::check_first_start() const {
  if (!unusable_.empty()) {
    const bool is_only_one = options_.paths.size() == 1 && !options_.metadata_path;
    return sentence(fmt::format("{} cannot be used: {}{}", unusable_.front().path, unusable_.front().why,
                                is_only_one ? "" : "; " + missing_metadata()));
  }
  for (auto* directory : all()) {
    if (directory->meta_properties() && !is_freshly_formatted_by_kafka(*directory)) {
      return sentence(fmt::format("{} belongs to cluster {}, but {}", directory->path(), cluster_id_,
                                  missing_metadata()));
    }
    if (holds_partitions(*directory))
      return sentence(fmt::format("{} holds partitions, but {}", directory->path(), missing_metadata()));
  }
  if (!known_.empty()) return sentence("this node was here before, but " + missing_metadata());
  return {};
}

std::string LogDirs::missing_metadata() const {
  const auto last = std::ranges::find(known_, true, &KnownLogDir::holds_metadata_log);
  std::string out = fmt::format("the metadata log (__cluster_metadata-0) is in none of {}",
                                fmt::join(options_.paths, ", "));
  if (options_.metadata_path) out += fmt::format(" and metadata.log.dir {}", *options_.metadata_path);
  if (last != known_.end()) out += fmt::format("; at the last start it was in {}", last->path);
  return out + ": add or mount the directory that holds it";
}

std::string LogDirs::former_place_of_metadata() const {
  const auto last = std::ranges::find(known_, true, &KnownLogDir::holds_metadata_log);
  const auto& owner = metadata_->meta_properties();
  if (last == known_.end() || !owner || last->id == owner->directory_id) return "";
  return fmt::format("; at the last start it lay in {}", last->path);
}

bool LogDirs::is_freshly_formatted_by_kafka(LogDirectory& directory) const {
  const auto entries = fs_.list(directory.path());
  return entries && std::ranges::find(*entries, kKafkaBootstrapName, &DirEntry::name) != entries->end() &&
         std::ranges::none_of(*entries, [&](const DirEntry& entry) {
           return entry.is_directory &&
                  fs_.exists(join(join(directory.path(), entry.name), storage::kPartitionMetadataName));
         });
}

LogDirs::Checked LogDirs::check_current(const storage::Log& metadata_log) const {
  std::vector<std::string> ahead;
  storage::FollowedMetadata last{};
  for (const auto& directory : usable_) {
    const auto& followed = directory->followed_metadata();
    if (!followed || !directory->meta_properties()) continue;  // without it, it may be anybody's
    const auto epoch = metadata_log.epoch_of(followed->offset);
    const bool is_known = epoch == followed->epoch || epoch == protocol::kNoLeaderEpoch;
    if (followed->offset < metadata_log.log_end_offset() && is_known) continue;
    ahead.push_back(directory->path());
    if (last.offset < followed->offset) last = *followed;
  }
  if (ahead.empty()) return {};
  return sentence(fmt::format(
      "the metadata log in {} ends at offset {}, and is not the one that {} followed up to offset {} (epoch "
      "{}): "
      "it is an older copy, or of another history of this cluster. Put the current one back. If there is "
      "none, "
      "remove {} there and start again: topics that this metadata log does not know are then kept as *-stray",
      metadata_->path(), metadata_log.log_end_offset().value, fmt::join(ahead, ", "), last.offset.value,
      last.epoch.value, storage::kFollowedMetadataName));
}

void LogDirs::note_followed(const MetadataImage& image) {
  const storage::FollowedMetadata followed{.offset = image.provenance.offset,
                                           .epoch = image.provenance.epoch};
  for (const auto& directory : usable_) {
    if (!directory->health().offline()) directory->note_followed_metadata(followed);
  }
}

bool LogDirs::has_history() const {
  return !known_.empty() ||
         std::ranges::any_of(all(), [&](LogDirectory* directory) { return holds_partitions(*directory); });
}

bool LogDirs::holds_partitions(LogDirectory& directory, const MetadataImage* other_than) const {
  const auto entries = fs_.list(directory.path());
  for (const DirEntry& entry : entries ? *entries : std::vector<DirEntry>{}) {
    const auto name = storage::parse_partition_name(entry.name);
    if (!entry.is_directory || !name || name->partition == storage::cluster_metadata_partition()) continue;
    const auto metadata = directory.partition_metadata(entry.name);
    if (!metadata || !metadata->is_valid()) continue;
    if (other_than == nullptr || other_than->topic(metadata->topic_id) == nullptr) return true;
  }
  return false;
}

// An id in milena.lost.log.dirs that says nothing is a mistake, or can be taken out.
void LogDirs::warn_of_lost(const MetadataImage& image) const {
  for (const Uuid& id : options_.lost) {
    if (std::ranges::find(known_, id, &KnownLogDir::id) == known_.end() && !places_any(image, id)) {
      log_.warn(
          "milena.lost.log.dirs names {}, and no partition of this node lies in such a directory: it can be "
          "taken out",
          id.to_string());
    }
  }
}

bool LogDirs::places_any(const MetadataImage& image, const Uuid& directory) const {
  for (const auto& [topic_id, topic] : image.topics) {
    for (const auto& [index, partition] : topic->partitions) {
      if (partition->is_replica(options_.node_id) && partition->directory_of(options_.node_id) == directory)
        return true;
    }
  }
  return false;
}

std::map<Uuid, std::size_t> LogDirs::missed(const MetadataImage& image) const {
  std::map<Uuid, std::size_t> out;
  for (const auto& [id, topic] : image.topics) {
    for (const auto& [index, partition] : topic->partitions) {
      if (!partition->is_replica(options_.node_id)) continue;
      const Uuid directory = partition->directory_of(options_.node_id);
      if (controller::is_reserved_directory(directory) || find(directory) != nullptr || is_lost(directory))
        continue;
      ++out[directory];
    }
  }
  return out;
}

bool LogDirs::complete(const MetadataImage& image) const {
  if (!unusable_.empty() || !missed(image).empty()) return false;
  const auto* self = image.broker(options_.node_id);
  return self == nullptr || std::ranges::all_of(self->log_dirs, [&](const Uuid& id) {
           return find(id) != nullptr || is_lost(id);
         });
}

}  // namespace milena::broker
