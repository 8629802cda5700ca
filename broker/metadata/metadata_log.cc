#include "broker/metadata/metadata_log.h"

#include <utility>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

// Replays the log into a loader, and gathers what it says about the quorum itself.
Result<controller::MetadataLoader> load(MetadataStore& store, controller::QuorumConfig& quorum) {
  controller::MetadataLoader loader;
  if (auto snapshot = store.take_snapshot()) {
    quorum = std::move(snapshot->quorum);
    loader = controller::MetadataLoader(std::move(snapshot->image));
  }
  Arena arena;
  MILENA_CHECK(
      store.for_each_batch(loader.next_offset(), [&](const protocol::RecordBatchView& view) -> Status {
        arena.reset();
        MILENA_TRY(const auto batch, controller::decode_metadata_batch(view, arena));
        quorum.observe(batch);
        MILENA_TRY(const auto update, loader.load(batch));
        (void)update;
        return {};
      }));
  return loader;
}

}  // namespace

Result<std::unique_ptr<MetadataLog>> MetadataLog::open(Options options, std::unique_ptr<MetadataStore> store,
                                                       const Clock& clock, Rng& rng, const Logger& log) {
  controller::QuorumConfig quorum;
  MILENA_TRY(auto loader, load(*store, quorum));
  if (quorum.voters.empty()) quorum = {.kraft_version = 1, .voters = {options.self}};
  MILENA_TRY(auto raft, controller::RaftCore::open(options.self, quorum, store->quorum_state(),
                                                   {store->end_offset(), store->last_epoch()}));
  std::unique_ptr<MetadataLog> metadata(new MetadataLog(std::move(options), std::move(store), std::move(raft),
                                                        std::move(loader), clock, rng, log));
  metadata->quorum_ = std::move(quorum);
  controller::RaftReady first;
  {
    const MutexLock lock(metadata->mutex_);
    first = metadata->raft_.start(clock.wall_ms());
  }
  MILENA_CHECK(metadata->obey(first));
  Status activated;
  Arena arena;
  metadata->submit({.decide =
                        [&](controller::Controller& controller, std::int64_t now_ms) {
                          return controller.activate(now_ms, metadata->options_.bootstrap, arena);
                        },
                    .done = [&](Status done) { activated = done; }});
  MILENA_CHECK(std::move(activated));
  return metadata;
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

protocol::DescribeQuorumResponse MetadataLog::describe_quorum(const protocol::DescribeQuorumRequest& request,
                                                              Arena& arena) const {
  const MutexLock lock(mutex_);
  return raft_.describe(request, clock_.wall_ms(), arena);
}

void MetadataLog::start(Subscriber subscriber) {
  subscriber_ = std::move(subscriber);
  const MutexLock lock(mutex_);
  thread_ = std::make_unique<WorkerPool>("metadata", 1, 1);
}

void MetadataLog::stop() {
  std::unique_ptr<WorkerPool> ending;
  {
    const MutexLock lock(mutex_);
    ending = std::move(thread_);
  }
  if (ending != nullptr) ending->stop();
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
