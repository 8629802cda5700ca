#include "broker/partition/log_dirs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "controller/image/partition.h"
#include "protocol/error_code.h"

namespace milena::broker {

using controller::MetadataImage;
using storage::KnownLogDir;
using storage::LogDirectory;

namespace {

constexpr Uuid kMetadataTopicId = Uuid::from_halves(0, 1);
// kafka-storage.sh of Kafka 4.0 to 4.3 leaves it in every directory that it formats.
constexpr std::string_view kKafkaBootstrapName = "bootstrap.checkpoint";

std::unexpected<std::string> sentence(std::string what) { return std::unexpected(std::move(what)); }

// The absolute path without links, as far as it exists.
std::string resolved(const std::string& path) {
  std::error_code error;
  const auto full = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  return error ? path : full.string();
}

std::string metadata_path_in(const std::string& directory) {
  return join(directory, storage::directory_name(storage::cluster_metadata_partition()));
}

}  // namespace

std::string normal_path(const std::string& path) {
  const std::string text = std::filesystem::path(path).lexically_normal().string();
  return text.size() > 1 && text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

std::string why_of(std::string_view what, LogDirectory& directory) {
  const std::string disk = directory.health().reason();
  return disk.empty() ? std::string(what) : fmt::format("{}: {}", what, disk);
}

std::string why_of(const Error& error, LogDirectory& directory) { return why_of(error.why, directory); }

std::expected<std::unique_ptr<LogDirs>, std::string> LogDirs::open(Options options, Fs& fs, Rng& rng,
                                                                   const Logger& log) {
  for (auto& path : options.paths) path = normal_path(path);
  if (options.metadata_path) options.metadata_path = normal_path(*options.metadata_path);
  std::unique_ptr<LogDirs> dirs(new LogDirs(std::move(options), fs, rng, log));
  MILENA_CHECK(dirs->check_paths());
  MILENA_CHECK(dirs->open_all());
  MILENA_CHECK(dirs->check_owners());
  MILENA_CHECK(dirs->check_ids());
  MILENA_CHECK(dirs->check_nesting());
  MILENA_CHECK(dirs->find_metadata());
  return dirs;
}

// A directory under two names would find itself locked.
LogDirs::Checked LogDirs::check_paths() const {
  std::map<std::string, std::string> seen;
  for (const std::string& path : options_.paths) {
    const auto [at, is_new] = seen.emplace(resolved(path), path);
    if (!is_new)
      return sentence(fmt::format("log.dirs names one directory twice: {} and {}", at->second, path));
  }
  return {};
}

LogDirs::Checked LogDirs::open_all() {
  for (const auto& path : options_.paths) {
    if (fs_.exists(path)) {
      MILENA_CHECK(open_one(path, true));
    } else {
      absent_.push_back(path);
    }
  }
  const auto& metadata = options_.metadata_path;
  metadata_is_apart_ = metadata && std::ranges::find(options_.paths, *metadata) == options_.paths.end();
  if (metadata_is_apart_ && fs_.exists(*metadata)) MILENA_CHECK(open_one(*metadata, false));
  read_known();
  return {};
}

LogDirs::Checked LogDirs::open_one(const std::string& path, bool for_partitions) {
  auto opened = LogDirectory::open(fs_, path);
  if (!opened && opened.error().code == ErrorCode::kInvalidConfig)
    return sentence(fmt::format("{}: {}", path, opened.error().why));
  if (!opened && !for_partitions)
    return sentence(fmt::format("metadata.log.dir {} cannot be used: {}", path, opened.error().detail));
  if (!opened) {
    set_aside(path, opened.error().detail);
  } else if (for_partitions) {
    usable_.push_back(*std::move(opened));
  } else {
    metadata_only_ = *std::move(opened);
  }
  return {};
}

std::vector<LogDirectory*> LogDirs::all() const {
  std::vector<LogDirectory*> out;
  for (const auto& directory : usable_) out.push_back(directory.get());
  if (metadata_only_ != nullptr) out.push_back(metadata_only_.get());
  return out;
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
    const std::string prefix = join(resolved(outer->path()), "");
    for (const std::string& inner : inner_paths) {
      const std::string path = resolved(inner);
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

LogDirs::Checked LogDirs::find_metadata() {
  std::vector<LogDirectory*> holders;
  for (auto* directory : all()) {
    if (fs_.exists(metadata_path_in(directory->path()))) holders.push_back(directory);
  }
  if (holders.size() > 1) {
    return sentence(
        fmt::format("the metadata log (__cluster_metadata-0) lies in {} and in {}: take the one that is not "
                    "current out of "
                    "log.dirs, or move its __cluster_metadata-0 away",
                    holders[0]->path(), holders[1]->path()));
  }
  if (holders.empty()) return begin_cluster();
  metadata_ = holders.front();
  if (options_.metadata_path && metadata_->path() != *options_.metadata_path) {
    return sentence(
        fmt::format("metadata.log.dir is {}, but the metadata log (__cluster_metadata-0) lies in {}",
                    *options_.metadata_path, metadata_->path()));
  }
  if (metadata_->meta_properties()) return complete_metadata_owner();
  // A first start that ended here left an empty one.
  const auto found = metadata_->contents(storage::directory_name(storage::cluster_metadata_partition()));
  if (!found) return sentence(fmt::format("{}: {}", metadata_->path(), why_of(found.error(), *metadata_)));
  if (found->record_bytes > 0 || !found->foreign.empty()) {
    return sentence(
        fmt::format("{} holds a metadata log, but no meta.properties: put that file back (cluster.id, "
                    "node.id and directory.id are in the other files of this node's backup)",
                    metadata_->path()));
  }
  return begin_cluster();
}

// The voter of the metadata log is known by the id of its directory. Kafka before 3.7 gave none; where the
// line is lost, the directories know it from the last start.
LogDirs::Checked LogDirs::complete_metadata_owner() {
  auto owner = *metadata_->meta_properties();
  if (!owner.directory_id.is_zero()) return {};
  const auto last = std::ranges::find(known_, true, &KnownLogDir::holds_metadata_log);
  owner.directory_id = last != known_.end() ? last->id : Uuid::random(rng_);
  const auto done = metadata_->format(owner);
  if (!done) return sentence(fmt::format("{}: {}", metadata_->path(), why_of(done.error(), *metadata_)));
  return {};
}

// Nobody has a metadata log yet. It is made before any directory says that it belongs to a cluster: from then
// on a start without one knows that it misses it.
LogDirs::Checked LogDirs::begin_cluster() {
  MILENA_CHECK(check_first_start());
  const std::string path = options_.metadata_path.value_or(options_.paths.front());
  const bool is_absent = std::erase(absent_, path) > 0 || (metadata_is_apart_ && metadata_only_ == nullptr);
  if (is_absent) MILENA_CHECK(open_one(path, !metadata_is_apart_));
  if (!unusable_.empty()) return sentence(fmt::format("{} cannot be used: {}", path, unusable_.back().why));
  for (auto* directory : all()) {
    if (directory->path() == path) metadata_ = directory;
  }
  const auto partition = storage::cluster_metadata_partition();
  auto made = metadata_->create_partition(partition, kMetadataTopicId);
  if (cluster_id_.empty()) cluster_id_ = Uuid::random(rng_).to_string();
  if (made && !metadata_->meta_properties())
    made = metadata_->format({cluster_id_, options_.node_id, Uuid::random(rng_)});
  if (!made) return sentence(fmt::format("{}: {}", path, why_of(made.error(), *metadata_)));
  return {};
}

LogDirs::Checked LogDirs::check_first_start() const {
  if (!unusable_.empty()) {
    return sentence(fmt::format("{} cannot be used: {}; {}", unusable_.front().path, unusable_.front().why,
                                missing_metadata()));
  }
  for (auto* directory : all()) {
    if (directory->meta_properties() && !is_freshly_formatted_by_kafka(*directory)) {
      return sentence(fmt::format("{} belongs to cluster {}, but {}", directory->path(), cluster_id_,
                                  missing_metadata()));
    }
  }
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

bool LogDirs::is_freshly_formatted_by_kafka(LogDirectory& directory) const {
  const auto entries = fs_.list(directory.path());
  return entries && std::ranges::find(*entries, kKafkaBootstrapName, &DirEntry::name) != entries->end() &&
         std::ranges::none_of(*entries, [&](const DirEntry& entry) {
           return entry.is_directory &&
                  fs_.exists(join(join(directory.path(), entry.name), storage::kPartitionMetadataName));
         });
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

void LogDirs::format_rest(const MetadataImage& image) {
  warn_of_lost(image);
  const auto missing = missed(image);
  for (const auto& [id, partitions] : missing) {
    log_.error(
        "log directory {} is missing: its {} partitions answer KAFKA_STORAGE_ERROR until it is back in "
        "log.dirs. If it is gone for good, start with milena.lost.log.dirs={}, and they are made anew, empty",
        name_of(id), partitions, id.to_string());
  }
  const bool may_format = missing.empty();
  for (const auto& path : std::exchange(absent_, {})) {
    if (!may_format) {
      set_aside(path, "there is nothing at this path, and a log directory is missing; is it not mounted?");
    } else if (const auto opened = open_one(path, true); !opened) {
      set_aside(path, opened.error());
    }
  }
  std::vector<Directory> kept;
  for (auto& directory : usable_) {
    auto owner = directory->meta_properties();
    if (!owner && !may_format) {
      set_aside(directory->path(),
                "it has no meta.properties, and a log directory is missing; is it not mounted?");
      continue;
    }
    const bool complete = owner && !owner->directory_id.is_zero();
    if (!owner) owner = storage::MetaProperties{cluster_id_, options_.node_id, {}};
    if (owner->directory_id.is_zero()) owner->directory_id = Uuid::random(rng_);
    if (const auto done = complete ? Status{} : directory->format(*owner); !done) {
      set_aside(directory->path(), why_of(done.error(), *directory));
    } else {
      kept.push_back(std::move(directory));
    }
  }
  usable_ = std::move(kept);
  write_known();
}

// An id in milena.lost.log.dirs that says nothing is a mistake, or can be taken out.
void LogDirs::warn_of_lost(const MetadataImage& image) const {
  for (const Uuid& id : options_.lost) {
    if (find(id) != nullptr) {
      log_.warn("milena.lost.log.dirs names {}, which is here and is used", find(id)->path());
    } else if (std::ranges::find(known_, id, &KnownLogDir::id) == known_.end() && !places_any(image, id)) {
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

bool LogDirs::has_history() const {
  if (!known_.empty()) return true;
  for (auto* directory : all()) {
    const auto entries = fs_.list(directory->path());
    for (const DirEntry& entry : entries ? *entries : std::vector<DirEntry>{}) {
      const auto name = storage::parse_partition_name(entry.name);
      if (!entry.is_directory || !name || name->partition == storage::cluster_metadata_partition()) continue;
      const auto metadata = directory->partition_metadata(entry.name);
      if (metadata && metadata->is_valid()) return true;
    }
  }
  return false;
}

void LogDirs::use() {
  for (auto* directory : all()) {
    if (const auto done = directory->begin_use(); !done)
      log_.error("log directory {} cannot be used: {}", directory->path(), why_of(done.error(), *directory));
  }
}

void LogDirs::set_aside(std::string path, std::string why) {
  log_.error("log directory {} cannot be used: {}", path, why);
  unusable_.push_back({std::move(path), std::move(why)});
}

LogDirectory* LogDirs::find(const Uuid& id) const {
  const auto at = std::ranges::find_if(usable_, [&](const Directory& directory) {
    const auto& owner = directory->meta_properties();
    return owner && owner->directory_id == id;
  });
  return at == usable_.end() ? nullptr : at->get();
}

bool LogDirs::complete(const MetadataImage& image) const {
  if (!unusable_.empty() || !missed(image).empty()) return false;
  const auto* self = image.broker(options_.node_id);
  return self == nullptr || std::ranges::all_of(self->log_dirs, [&](const Uuid& id) {
           return find(id) != nullptr || is_lost(id);
         });
}

std::string LogDirs::name_of(const Uuid& id) const {
  const auto at = std::ranges::find(known_, id, &KnownLogDir::id);
  return at == known_.end() ? fmt::format("with directory.id {}", id.to_string())
                            : fmt::format("{} (directory.id {})", at->path, id.to_string());
}

std::vector<Uuid> LogDirs::ids() const {
  std::vector<Uuid> out;
  for (const auto& directory : usable_) out.push_back(directory->meta_properties()->directory_id);
  return out;
}

std::int64_t LogDirs::previous_broker_epoch() const {
  std::set<std::int64_t> epochs;
  for (const auto& directory : usable_) epochs.insert(directory->previous_broker_epoch());
  return epochs.size() == 1 && unusable_.empty() ? *epochs.begin() : -1;
}

void LogDirs::read_known() {
  for (auto* directory : all()) {
    const auto text = read_file(fs_, join(directory->path(), storage::kKnownLogDirsName), 1 << 20);
    auto known = text ? storage::decode_known_log_dirs(as_text(*text)) : std::nullopt;
    if (!known) continue;
    for (auto& entry : *known) {
      if (std::ranges::find(known_, entry.id, &KnownLogDir::id) == known_.end())
        known_.push_back(std::move(entry));
    }
  }
}

// What is missed stays in the list, so that the next start can name it, too.
void LogDirs::write_known() {
  std::vector<KnownLogDir> now;
  for (auto* directory : all()) {
    std::error_code ignored;
    const auto path = std::filesystem::absolute(directory->path(), ignored);
    now.push_back({.id = directory->meta_properties()->directory_id,
                   .holds_metadata_log = directory == metadata_,
                   .path = path.empty() ? directory->path() : path.string()});
  }
  for (auto& entry : known_) {
    if (std::ranges::find(now, entry.id, &KnownLogDir::id) != now.end() || is_lost(entry.id)) continue;
    entry.holds_metadata_log = false;
    now.push_back(std::move(entry));
  }
  known_ = std::move(now);
  const std::string text = storage::encode_known_log_dirs(known_);
  for (auto* directory : all()) {
    const std::string path = join(directory->path(), storage::kKnownLogDirsName);
    const auto before = read_file(fs_, path, 1 << 20);
    if (before && as_text(*before) == text) continue;
    if (const auto done = replace_file(fs_, path, as_bytes(text)); !done)
      log_.warn("{}: cannot be written: {}", path, to_string(done.error()));
  }
}

}  // namespace milena::broker
