#include "broker/metadata/metadata_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <utility>

#include "controller/decisions/finalized_features.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::Offset;

struct Loaded {
  controller::MetadataLoader loader;
  controller::QuorumConfig quorum;                 // no voters: the log does not name them
  std::optional<controller::Bootstrap> bootstrap;  // what formatting chose, if the cluster has not begun
};

// Replays snapshot and log. A batch behind an unsupported feature level may hold what nobody here can read,
// so levels are looked at as they come.
std::expected<void, std::string> replay(MetadataStore& store, const controller::FeatureRanges& supported,
                                        Loaded& loaded) {
  const auto check = [&] {
    return controller::check_finalized(loaded.loader.image()->features, loaded.quorum.kraft_version,
                                       supported);
  };
  if (auto snapshot = store.take_snapshot()) {
    loaded.quorum = std::move(snapshot->quorum);
    loaded.loader = controller::MetadataLoader(std::move(snapshot->image));
    MILENA_CHECK(check());
  }
  const Offset from = loaded.loader.next_offset();
  if (store.start_offset() > from) {
    return std::unexpected(fmt::format(
        "its records from offset {} to {} are gone, and no snapshot (*.checkpoint) beside it holds what they "
        "said: put the missing snapshot back",
        from.value, store.start_offset().value));
  }
  std::optional<std::string> refusal;
  Arena arena;
  const auto read =
      store.for_each_batch(loaded.loader.next_offset(), [&](const protocol::RecordBatchView& view) -> Status {
        arena.reset();
        MILENA_TRY(const auto batch, controller::decode_metadata_batch(view, arena));
        loaded.quorum.observe(batch);
        MILENA_TRY(const auto update, loaded.loader.load(batch));
        const bool levels_changed = (update && update->changes.features) || !batch.control.empty();
        if (!levels_changed) return {};
        if (auto checked = check(); !checked) {
          refusal = std::move(checked).error();
          return fail(ErrorCode::kUnsupportedVersion, "unsupported feature level");
        }
        return {};
      });
  if (refusal) return std::unexpected(*std::move(refusal));
  if (!read) return std::unexpected(read.error().why);
  return {};
}

// What formatting wrote down: features, credentials, and the voters of a dynamic quorum.
std::expected<void, std::string> apply_formatting(MetadataStore& store,
                                                  const controller::FeatureRanges& supported,
                                                  Loaded& loaded) {
  auto read = store.read_bootstrap();
  if (!read) return std::unexpected(read.error().why);
  if (!*read) return {};
  auto& [image, quorum] = **read;
  MILENA_CHECK(controller::check_finalized(image.features, quorum.kraft_version, supported));
  if (image.metadata_version() != 0) {
    loaded.bootstrap.emplace(
        controller::Bootstrap{.features = std::move(image.features), .scram = std::move(image.scram)});
  }
  if (loaded.quorum.voters.empty() && !quorum.voters.empty()) {
    loaded.quorum = std::move(quorum);
    loaded.quorum.in_log = false;  // the first leader repeats them there
  }
  return {};
}

std::expected<Loaded, std::string> load(MetadataStore& store, const MetadataLog::Options& options,
                                        const Logger& log) {
  const auto& supported = options.controller.supported_features;
  Loaded loaded;
  MILENA_CHECK(replay(store, supported, loaded));
  if (loaded.loader.image()->metadata_version() == 0) {
    MILENA_CHECK(apply_formatting(store, supported, loaded));
  }
  // A log or a formatted directory without voters is of kraft.version 0: there, configuration names them.
  if (loaded.quorum.voters.empty()) {
    const bool begun = loaded.bootstrap || store.end_offset() > Offset(0);
    loaded.quorum.kraft_version = static_cast<std::int16_t>(begun ? 0 : 1);
    loaded.quorum.voters = {options.self};
  }
  const auto& levels = loaded.bootstrap ? loaded.bootstrap->features : loaded.loader.image()->features;
  if (const auto kept = controller::check_finalized(levels, 0, supported); kept && !kept->empty()) {
    std::vector<std::string> names;
    for (const auto& [name, level] : *kept) names.push_back(fmt::format("{} (level {})", name, level));
    log.warn(
        "the cluster uses features that are not served here: {}. They are kept, and clients are not told of "
        "them",
        fmt::join(names, ", "));
  }
  return loaded;
}

}  // namespace

std::expected<std::unique_ptr<MetadataLog>, std::string> MetadataLog::open(
    Options options, std::unique_ptr<MetadataStore> store, const Clock& clock, Rng& rng, const Logger& log) {
  MILENA_TRY(Loaded loaded, load(*store, options, log));
  auto raft = controller::RaftCore::open(options.self, loaded.quorum, store->quorum_state(),
                                         {store->end_offset(), store->last_epoch()});
  if (!raft) return std::unexpected(raft.error().why);
  std::unique_ptr<MetadataLog> metadata(new MetadataLog(
      std::move(options), std::move(store), *std::move(raft), std::move(loaded.loader), clock, rng, log));
  metadata->kraft_version_ = loaded.quorum.kraft_version;
  metadata->quorum_ = std::move(loaded.quorum);
  const controller::Bootstrap by_default{.features = metadata->options_.bootstrap};
  if (const auto begun = metadata->begin(loaded.bootstrap.value_or(by_default)); !begun) {
    return std::unexpected(begun.error().why);
  }
  return metadata;
}

Status MetadataLog::begin(const controller::Bootstrap& bootstrap) {
  controller::RaftReady first;
  {
    const MutexLock lock(mutex_);
    first = raft_.start(clock_.wall_ms());
  }
  MILENA_CHECK(obey(first));
  Status activated;
  Arena arena;
  submit({.decide = [&](controller::Controller& controller,
                        std::int64_t now_ms) { return controller.activate(now_ms, bootstrap, arena); },
          .done = [&](Status done) { activated = done; }});
  return activated;
}

MetadataLog::MetadataLog(Options options, std::unique_ptr<MetadataStore> store, controller::RaftCore raft,
                         controller::MetadataLoader loader, const Clock& clock, Rng& rng, const Logger& log)
    : options_(std::move(options)),
      store_(std::move(store)),
      clock_(clock),
      log_(log),
      controller_(options_.controller, std::move(loader), rng),
      snapshot_trigger_(options_.snapshots, clock.now().count()),
      raft_(std::move(raft)),
      image_(controller_.image()) {}

MetadataLog::~MetadataLog() { stop(); }

controller::MetadataImagePtr MetadataLog::image() const {
  const MutexLock lock(mutex_);
  return image_;
}

controller::QuorumView MetadataLog::quorum() const {
  const MutexLock lock(mutex_);
  return raft_.view(clock_.wall_ms());
}

void MetadataLog::start(std::unique_ptr<WorkerPool> thread, Subscriber subscriber) {
  subscriber_ = std::move(subscriber);
  const MutexLock lock(mutex_);
  thread_ = std::move(thread);
}

void MetadataLog::stop() {
  WorkerPool* ending = nullptr;
  {
    const MutexLock lock(mutex_);
    ending = thread_.get();
  }
  if (ending == nullptr) return;
  // What is submitted meanwhile is carried out by the thread, as long as it is at work.
  ending->stop();
  const MutexLock lock(mutex_);
  thread_.reset();
}

void MetadataLog::submit(Operation operation) {
  {
    const MutexLock lock(mutex_);
    if (thread_ != nullptr) {
      waiting_.push_back(std::move(operation));
      if (std::exchange(working_, true)) return;
      if (thread_->try_run([this] { work(); })) return;
      working_ = false;
      operation = std::move(waiting_.back());
      waiting_.pop_back();
    }
  }
  std::vector<Operation> one;
  one.push_back(std::move(operation));
  carry_out(std::move(one));
}

void MetadataLog::work() {
  for (;;) {
    std::vector<Operation> operations;
    {
      const MutexLock lock(mutex_);
      operations.swap(waiting_);
      if (operations.empty()) {
        working_ = false;
        return;
      }
    }
    carry_out(std::move(operations));
  }
}

void MetadataLog::carry_out(std::vector<Operation> operations) {
  std::vector<Status> results;
  results.reserve(operations.size());
  for (auto& operation : operations) {
    results.push_back([&]() -> Status {
      if (broken_) return fail(ErrorCode::kKafkaStorageError, "the metadata log cannot be written");
      return append(operation.decide(controller_, clock_.now().count()));
    }());
  }
  const auto committed = commit();
  for (std::size_t i = 0; i < operations.size(); ++i) {
    operations[i].done(committed ? results[i] : committed);
  }
  snapshot_if_due();
}

Status MetadataLog::append(const Records& records) {
  if (records.empty()) return {};
  protocol::LeaderEpoch epoch;
  {
    const MutexLock lock(mutex_);
    epoch = raft_.epoch();
  }
  MILENA_TRY(auto batches, controller_.encode(records, epoch, clock_.wall_ms()));
  for (auto& batch : batches) MILENA_CHECK(append_batch(batch));
  return {};
}

Status MetadataLog::append_batch(MutableBytes bytes) {
  MILENA_TRY(const auto header, protocol::RecordBatchView::parse(bytes));
  if (const auto appended = store_->append(bytes, header.partition_leader_epoch(), clock_.wall_ms());
      !appended) {
    return unwritten(appended.error());
  }
  unsynced_ = true;
  snapshot_trigger_.on_batch(bytes.size());
  const auto replayed = replay(bytes);
  if (!replayed) {
    broken_ = true;
    log_.error("the metadata log cannot go on: {}", replayed.error().why);
  }
  return replayed;
}

Status MetadataLog::replay(BytesView bytes) {
  MILENA_TRY(const auto view, protocol::RecordBatchView::parse(bytes));
  Arena arena;
  MILENA_TRY(const auto batch, controller::decode_metadata_batch(view, arena));
  quorum_.observe(batch);
  MILENA_TRY(auto update, controller_.replay(batch));
  if (update) uncommitted_.push_back(*std::move(update));
  return {};
}

// The log is as it was, and stays so: until the disk has room again, or for good if the directory is offline.
Status MetadataLog::unwritten(const Error& error) {
  if (!std::exchange(unwritable_, true)) log_.error("the metadata log cannot be written: {}", error.why);
  return std::unexpected(error);
}

Status MetadataLog::obey(const controller::RaftReady& ready) {
  if (ready.quorum_state) MILENA_CHECK(store_->write_quorum_state(*ready.quorum_state));
  if (!ready.append.empty()) {
    auto batch = ready.append;
    MILENA_CHECK(append_batch(batch));
    MILENA_CHECK(commit());
  }
  return {};
}

Status MetadataLog::commit() {
  if (!unsynced_) return {};
  if (const auto synced = store_->sync(); !synced) return unwritten(synced.error());
  unsynced_ = false;
  if (std::exchange(unwritable_, false)) log_.info("the metadata log can be written again");
  const auto updates = std::exchange(uncommitted_, {});
  auto before = image();
  {
    const MutexLock lock(mutex_);
    raft_.on_durable(store_->end_offset());
  }
  // Partitions first: whoever sees a topic in the image finds its partitions.
  for (const auto& update : updates) {
    if (subscriber_) subscriber_(before, update.image, update.changes);
    before = update.image;
  }
  const MutexLock lock(mutex_);
  image_ = before;
  return {};
}

void MetadataLog::snapshot_if_due() {
  const auto now_ms = clock_.now().count();
  if (broken_ || unwritable_ || !snapshot_trigger_.is_due(now_ms)) return;
  snapshot_trigger_.reset(now_ms);
  if (const auto done = store_->write_snapshot(*image(), quorum_, clock_.wall_ms()); !done) {
    log_.error("no metadata snapshot could be written: {}", done.error().why);
  }
}

}  // namespace milena::broker
