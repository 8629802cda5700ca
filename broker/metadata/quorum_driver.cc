#include "broker/metadata/quorum_driver.h"

#include <utility>

namespace milena::broker {

using controller::RaftCore;
using controller::RaftReady;

Result<std::unique_ptr<QuorumDriver>> QuorumDriver::open(controller::Voter self,
                                                         controller::QuorumConfig quorum,
                                                         MetadataStore& store, const Clock& clock,
                                                         const Logger& log) {
  MILENA_TRY(RaftCore raft, RaftCore::open(std::move(self), std::move(quorum), store.quorum_state(),
                                           {store.end_offset(), store.last_epoch()}));
  return std::unique_ptr<QuorumDriver>(new QuorumDriver(std::move(raft), store, clock, log));
}

QuorumDriver::QuorumDriver(RaftCore raft, MetadataStore& store, const Clock& clock, const Logger& log)
    : store_(store),
      clock_(clock),
      log_(log),
      kraft_version_(raft.config().kraft_version),
      raft_(std::move(raft)) {}

Result<std::vector<QuorumDriver::Batch>> QuorumDriver::start() {
  RaftReady ready;
  {
    const MutexLock lock(mutex_);
    ready = raft_.start(clock_.wall_ms());
  }
  MILENA_CHECK(process(std::move(ready)));
  return commit();
}

protocol::LeaderEpoch QuorumDriver::epoch() const {
  const MutexLock lock(mutex_);
  return raft_.epoch();
}

controller::QuorumView QuorumDriver::view() const {
  const MutexLock lock(mutex_);
  return raft_.view(clock_.wall_ms());
}

Status QuorumDriver::process(RaftReady ready) {
  if (ready.quorum_state) MILENA_CHECK(store_.write_quorum_state(*ready.quorum_state));
  if (!ready.append.empty()) MILENA_CHECK(append(std::move(ready.append)));
  if (ready.high_watermark) {
    high_watermark_ = *ready.high_watermark;
    store_.advance_high_watermark(high_watermark_);
  }
  return {};
}

Result<BytesView> QuorumDriver::append(Batch batch) {
  MILENA_TRY(const auto header, protocol::RecordBatchView::parse(batch));
  if (const auto appended = store_.append(batch, header.partition_leader_epoch(), clock_.wall_ms());
      !appended) {
    return unwritten(appended.error());
  }
  is_synced_ = false;
  return pending_.emplace_back(std::move(batch), store_.end_offset()).batch;
}

Result<std::vector<QuorumDriver::Batch>> QuorumDriver::commit() {
  if (!is_synced_) MILENA_CHECK(sync());
  std::vector<Batch> committed;
  while (!pending_.empty() && pending_.front().end <= high_watermark_) {
    committed.push_back(std::move(pending_.front().batch));
    pending_.pop_front();
  }
  return committed;
}

Status QuorumDriver::sync() {
  if (const auto synced = store_.sync(); !synced) return unwritten(synced.error());
  is_synced_ = true;
  if (!std::exchange(is_writable_, true)) log_.info("the metadata log can be written again");
  RaftReady ready;
  {
    const MutexLock lock(mutex_);
    ready = raft_.on_durable(store_.end_offset());
  }
  return process(std::move(ready));
}

std::unexpected<Error> QuorumDriver::unwritten(const Error& error) {
  if (std::exchange(is_writable_, false)) log_.error("the metadata log cannot be written: {}", error.why);
  return std::unexpected(error);
}

}  // namespace milena::broker
