#include "broker/partition/log_dirs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "broker/config/log_dir_paths.h"
#include "controller/image/partition.h"
#include "protocol/error_code.h"

namespace milena::broker {

using controller::MetadataImage;
using storage::KnownLogDir;
using storage::LogDirectory;

namespace {

constexpr Uuid kMetadataTopicId = Uuid::from_halves(0, 1);

std::unexpected<std::string> sentence(std::string what) { return std::unexpected(std::move(what)); }

std::string metadata_path_in(const std::string& directory) {
  return join(directory, storage::directory_name(storage::cluster_metadata_partition()));
}

}  // namespace

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const auto full = std::filesystem::absolute(path, error);
  return error ? path : full.string();
}

std::string resolved_path(const std::string& path) {
  std::error_code error;
  const auto full = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  return error ? path : full.string();
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
  for (const auto& path : options.paths) {  // by another name, it may be one of them
    if (options.metadata_path && resolved_path(path) == resolved_path(*options.metadata_path))
      options.metadata_path = path;
  }
  std::unique_ptr<LogDirs> dirs(new LogDirs(std::move(options), fs, rng, log));
  MILENA_CHECK(dirs->check_paths());
  MILENA_CHECK(dirs->open_all());
  MILENA_CHECK(dirs->check_owners());
  MILENA_CHECK(dirs->check_ids());
  MILENA_CHECK(dirs->check_nesting());
  MILENA_CHECK(dirs->check_lost());
  MILENA_CHECK(dirs->find_metadata());
  return dirs;
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
  if (fs_.exists(join(path, storage::kPartitionMetadataName)))
    return sentence(fmt::format("{} is the directory of a partition, not a log directory", path));
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
  owner.directory_id = last != known_.end() ? last->id : known_id(*metadata_);
  const auto done = metadata_->format(owner);
  if (!done) return sentence(fmt::format("{}: {}", metadata_->path(), why_of(done.error(), *metadata_)));
  return {};
}

// The id that a directory had at this path, unless another one has it; else a new one.
Uuid LogDirs::known_id(const LogDirectory& directory) {
  const auto last = std::ranges::find(known_, absolute_path(directory.path()), &KnownLogDir::path);
  return last != known_.end() && find(last->id) == nullptr ? last->id : Uuid::random(rng_);
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

void LogDirs::format_rest(const MetadataImage& image) {
  warn_of_lost(image);
  keep_usable([&](LogDirectory& directory) { return complete_owner(directory); });
  const auto missing = missed(image);
  const bool may_format = missing.empty();
  for (const auto& path : std::exchange(absent_, {})) {
    if (!may_format) {
      set_aside(path, "there is nothing at this path, and a log directory is missing; is it not mounted?");
    } else if (const auto opened = open_one(path, true); !opened) {
      set_aside(path, opened.error());
    }
  }
  keep_usable([&](LogDirectory& directory) { return format_new(directory, image, may_format); });
  report(missing);
  write_known();
}

// Sets those aside for which `use` answers why they cannot be used.
void LogDirs::keep_usable(const std::function<std::string(LogDirectory&)>& use) {
  std::vector<std::string> reasons;  // `use` may look at all of them
  for (const auto& directory : usable_) reasons.push_back(use(*directory));
  std::vector<Directory> kept;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (reasons[i].empty()) {
      kept.push_back(std::move(usable_[i]));
    } else {
      set_aside(usable_[i]->path(), std::move(reasons[i]));
    }
  }
  usable_ = std::move(kept);
}

// Kafka before 3.7 gave no ids.
std::string LogDirs::complete_owner(LogDirectory& directory) {
  auto owner = directory.meta_properties();
  if (!owner || !owner->directory_id.is_zero()) return "";
  owner->directory_id = known_id(directory);
  const auto done = directory.format(*owner);
  return done ? "" : why_of(done.error(), directory);
}

std::string LogDirs::format_new(LogDirectory& directory, const MetadataImage& image, bool may_format) {
  if (directory.meta_properties()) return "";
  if (holds_partitions(directory, &image))
    return "it has no meta.properties, but holds partitions that this cluster does not know: put that file "
           "back";
  if (!may_format && holds_partitions(directory))
    return "it has no meta.properties, but holds partitions, and a log directory is missing: put that file "
           "back";
  if (!may_format) return "it has no meta.properties, and a log directory is missing; is it not mounted?";
  const auto done = directory.format({cluster_id_, options_.node_id, Uuid::random(rng_)});
  return done ? "" : why_of(done.error(), directory);
}

void LogDirs::report(const std::map<Uuid, std::size_t>& missing) const {
  for (const Unusable& directory : unusable_)
    log_.error("log directory {} cannot be used: {}", directory.path, directory.why);
  for (const auto& [id, partitions] : missing) {
    if (const auto* const unusable = unusable_with(id)) {
      log_.error("{} partitions of {} answer KAFKA_STORAGE_ERROR until it can be used again", partitions,
                 unusable->path);
      continue;
    }
    log_.error(
        "log directory {} is missing: its {} partitions answer KAFKA_STORAGE_ERROR until it is back in "
        "log.dirs. If it is gone for good, start with milena.lost.log.dirs={}, and they are made anew, empty",
        name_of(id), partitions, id.to_string());
  }
}

void LogDirs::use_metadata() { begin_use(*metadata_); }

// Those that were set aside are somebody else's, and are left as they are.
void LogDirs::use_rest() {
  for (const auto& directory : usable_) begin_use(*directory);
}

void LogDirs::begin_use(LogDirectory& directory) const {
  if (const auto done = directory.begin_use(); !done)
    log_.error("log directory {} cannot be used: {}", directory.path(), why_of(done.error(), directory));
}

void LogDirs::set_aside(std::string path, std::string why) {
  unusable_.push_back({std::move(path), std::move(why)});
}

LogDirectory* LogDirs::find(const Uuid& id) const {
  const auto at = std::ranges::find_if(usable_, [&](const Directory& directory) {
    const auto& owner = directory->meta_properties();
    return owner && owner->directory_id == id;
  });
  return at == usable_.end() ? nullptr : at->get();
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
    now.push_back({.id = directory->meta_properties()->directory_id,
                   .holds_metadata_log = directory == metadata_,
                   .path = absolute_path(directory->path())});
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
