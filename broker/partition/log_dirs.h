// LogDirs: the log directories of this node, as a start finds them: which can be used, that they belong to
// this node and to one cluster, and which one holds the metadata log.
//
// Owned by the broker. Made by open() before anything is written but lock files; afterwards use() and
// format_rest(), each once, on the starting thread; then read by any thread.
//
// Directories are told apart by the ids in their meta.properties, never by their position in log.dirs. One
// that cannot be used is left out, and is neither formatted nor replaced: its partitions are offline, the
// others serve. Nothing is formatted while a directory is missed.
//
// Fails with a sentence that names the directory, when the metadata log cannot be found for sure, when a
// directory belongs to somebody else, or when none can be used.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fs.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/uuid.h"
#include "controller/image/metadata_image.h"
#include "protocol/types.h"
#include "storage/known_log_dirs.h"
#include "storage/log_directory.h"

namespace milena::broker {

// What went wrong, and what the disk said if it has failed.
std::string why_of(std::string_view what, storage::LogDirectory& directory);
std::string why_of(const Error& error, storage::LogDirectory& directory);

std::string absolute_path(const std::string& path);
// The absolute path without links, as far as it exists.
std::string resolved_path(const std::string& path);

class LogDirs {
 public:
  struct Options {
    std::vector<std::string> paths{};          // log.dirs
    std::optional<std::string> metadata_path;  // metadata.log.dir, when it is set
    protocol::BrokerId node_id;
    std::string cluster_id;  // empty: that of the directories, or a new one
    std::set<Uuid> lost;     // milena.lost.log.dirs: gone for good, says the operator
  };
  struct Unusable {
    std::string path;
    std::string why;
  };

  static std::expected<std::unique_ptr<LogDirs>, std::string> open(Options options, Fs& fs, Rng& rng,
                                                                   const Logger& log);

  const std::string& cluster_id() const { return cluster_id_; }
  // The directory of the metadata log. With metadata.log.dir it may be none of log.dirs.
  storage::LogDirectory& metadata() const { return *metadata_; }

  // "; at the last start it lay in /data/a", if that was another directory. For a refusal.
  std::string former_place_of_metadata() const;
  // Whether partitions may live there, too.
  bool is_metadata_shared() const { return metadata_ != metadata_only_.get(); }

  // Formats the directories that are new, once the metadata log has been read: not while partitions of this
  // node lie in a directory that is missed, because the new one may be a mount point without its disk.
  void format_rest(const controller::MetadataImage& image);
  // Whether the node was there before: an empty metadata log has then lost what it knew.
  bool has_history() const;
  // Whether the metadata log is the one that the directories followed, not an older copy of it.
  std::expected<void, std::string> check_current(const storage::Log& metadata_log) const;
  // For check_current() of the next start. The image is of committed records. One thread at a time.
  void note_followed(const controller::MetadataImage& image);
  // From here on the metadata log, or the others, are opened: removes the clean-shutdown markers.
  void use_metadata();
  void use_rest();

  // Those of log.dirs that can be used: partitions live in them. In the order of log.dirs.
  const std::vector<std::unique_ptr<storage::LogDirectory>>& usable() const { return usable_; }
  const std::vector<Unusable>& unusable() const { return unusable_; }
  storage::LogDirectory* find(const Uuid& id) const;  // of usable(); null when there is none
  // Whether the partitions of this directory may be made anew, empty.
  bool is_lost(const Uuid& id) const { return options_.lost.contains(id); }
  // Every directory is there: none of log.dirs is unusable, and the metadata knows no other one.
  bool complete(const controller::MetadataImage& image) const;
  // "/data/b", where the last start found the directory, or its id.
  std::string name_of(const Uuid& id) const;

  std::vector<Uuid> ids() const;
  // The broker epoch at the last clean stop, if all directories agree on it; otherwise -1 (KIP-966).
  std::int64_t previous_broker_epoch() const;

 private:
  using Directory = std::unique_ptr<storage::LogDirectory>;
  using Checked = std::expected<void, std::string>;

  LogDirs(Options options, Fs& fs, Rng& rng, const Logger& log)
      : options_(std::move(options)), fs_(fs), rng_(rng), log_(log) {}

  Checked check_paths() const;
  Checked open_all();
  Checked open_one(const std::string& path, bool for_partitions);
  Checked check_owners();
  Checked check_ids();
  Checked check_nesting() const;
  Checked find_metadata();
  Checked complete_metadata_owner();
  void begin_use(storage::LogDirectory& directory) const;
  void keep_usable(const std::function<std::string(storage::LogDirectory&)>& use);
  std::string complete_owner(storage::LogDirectory& directory);
  std::string format_new(storage::LogDirectory& directory, const controller::MetadataImage& image,
                         bool may_format);
  void report(const std::map<Uuid, std::size_t>& missing) const;
  Checked begin_cluster();
  Checked check_first_start() const;
  std::string missing_metadata() const;
  bool is_freshly_formatted_by_kafka(storage::LogDirectory& directory) const;
  std::vector<storage::LogDirectory*> all() const;
  std::map<Uuid, std::size_t> missed(const controller::MetadataImage& image) const;
  // Whether there is a partition in it; with an image, one that the image does not know.
  bool holds_partitions(storage::LogDirectory& directory,
                        const controller::MetadataImage* other_than = nullptr) const;
  const storage::LogDirectory* nameless_with(const Uuid& id) const;
  Uuid known_id(const storage::LogDirectory& directory);
  Checked check_lost() const;
  const Unusable* unusable_with(const Uuid& id) const;
  bool places_any(const controller::MetadataImage& image, const Uuid& directory) const;
  void warn_of_lost(const controller::MetadataImage& image) const;
  void set_aside(std::string path, std::string why);
  void read_known();
  void write_known();

  const Options options_;
  Fs& fs_;
  Rng& rng_;
  const Logger& log_;
  std::string cluster_id_;
  std::vector<Directory> usable_;
  bool metadata_is_apart_ = false;   // metadata.log.dir is none of log.dirs
  Directory metadata_only_;          // the metadata directory, if it is none of log.dirs
  std::vector<std::string> absent_;  // of log.dirs: nothing at that path
  std::vector<Unusable> unusable_;
  storage::LogDirectory* metadata_ = nullptr;
  std::vector<storage::KnownLogDir> known_;  // from earlier starts
};

}  // namespace milena::broker
