#include "broker/fetch/fetch_set.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "base/mutant.h"
#include "broker/fetch/copied_slice.h"

namespace milena::broker {

void FetchEntry::changed(const PartitionChange& change, WakeList& wakes) {
  if (!signalled_.exchange(true, std::memory_order_acq_rel)) {
    next_signalled_ = set_.signals_.load(std::memory_order_relaxed);
    while (!set_.signals_.compare_exchange_weak(next_signalled_, this, std::memory_order_release,
                                                std::memory_order_relaxed)) {
    }
  }
  const auto bytes = static_cast<std::int64_t>(change.readable_bytes);
  if constexpr (is_mutant("lose_fetch_wake")) {
    if (bytes < 80 && !change.closed) return;
  }
  const bool enough = set_.bytes_needed_.fetch_sub(bytes, std::memory_order_acq_rel) <= bytes;
  if ((enough || change.closed) && set_.armed_.exchange(false, std::memory_order_acq_rel))
    wakes.add(set_.sleeper_);
}

FetchSet::~FetchSet() {
  for (const auto& entry : order_) detach(*entry);
}

std::size_t FetchSet::KeyHash::hash(const Key& key) {
  const FetchTopic& topic = key.topic;
  const auto of_topic =
      topic.name.empty() ? std::hash<Uuid>{}(topic.id) : std::hash<std::string_view>{}(topic.name);
  return of_topic * 31 + static_cast<std::size_t>(key.partition.value);
}

void FetchSet::reset(bool by_id) {
  for (auto& entry : order_) {
    detach(*entry);
    std::destroy_at(entry.get());
    std::construct_at(entry.get(), *this);  // as new, in the same memory
    spare_entries_.push_back(std::move(entry));
  }
  for (auto& topic : topics_) spare_topics_.push_back(std::move(topic));
  order_.clear();
  index_.clear();
  topics_.clear();
  ready_.clear();
  round_.clear();
  signals_.store(nullptr, std::memory_order_relaxed);
  watching_ = false;
  by_id_ = by_id;
}

void FetchSet::put(const FetchTopic& topic, PartitionId partition, const FetchAsk& ask) {
  const auto found = index_.find(Key{topic, partition});
  FetchEntry& entry = found == index_.end() ? add(topic, partition) : **found;
  entry.ask_ = ask;
  make_ready(entry);
}

FetchEntry& FetchSet::add(const FetchTopic& topic, PartitionId partition) {
  if (spare_entries_.empty()) {
    order_.push_back(std::make_unique<FetchEntry>(*this));
  } else {
    order_.push_back(std::move(spare_entries_.back()));
    spare_entries_.pop_back();
  }
  FetchEntry& entry = *order_.back();
  entry.topic_ = &topic_for(topic);
  entry.partition_ = partition;
  index_.insert(&entry);
  return entry;
}

// Requests list the partitions of a topic one after the other: the newest topic is the one, or it is new.
FetchSet::Topic& FetchSet::topic_for(const FetchTopic& topic) {
  if (topics_.empty() || topics_.back()->id != topic.id || topics_.back()->name != topic.name) {
    if (spare_topics_.empty()) {
      topics_.push_back(std::make_unique<Topic>());
    } else {
      topics_.push_back(std::move(spare_topics_.back()));
      spare_topics_.pop_back();
    }
    topics_.back()->id = topic.id;
    topics_.back()->name = topic.name;
    topics_.back()->known = nullptr;
    topics_.back()->entries = 0;
  }
  ++topics_.back()->entries;
  return *topics_.back();
}

void FetchSet::leave(Topic& topic) {
  if (--topic.entries > 0) return;
  std::erase_if(topics_, [&topic](const auto& held) { return held.get() == &topic; });
}

void FetchSet::forget(const FetchTopic& topic, PartitionId partition) {
  const auto found = index_.find(Key{topic, partition});
  if (found == index_.end()) return;
  FetchEntry* entry = *found;
  detach(*entry);
  take_signals();  // it may be on the stack
  index_.erase(found);
  leave(*entry->topic_);
  std::erase(ready_, entry);
  std::erase(round_, entry);
  std::erase_if(order_, [entry](const auto& held) { return held.get() == entry; });
}

void FetchSet::make_ready(FetchEntry& entry) {
  if (!std::exchange(entry.ready_, true)) ready_.push_back(&entry);
}

void FetchSet::take_signals() {
  auto* entry = signals_.exchange(nullptr, std::memory_order_acquire);
  while (entry != nullptr) {
    auto* next = entry->next_signalled_;
    entry->signalled_.store(false, std::memory_order_release);
    make_ready(*entry);
    entry = next;
  }
}

void FetchSet::attach(FetchEntry& entry) {
  if (entry.attached_ || entry.replica_ == nullptr) return;
  entry.attached_ = entry.replica_->attach(entry);
}

void FetchSet::detach(FetchEntry& entry) {
  if (std::exchange(entry.attached_, false)) entry.replica_->detach(entry);
}

bool FetchSet::watch_all() {
  if (std::exchange(watching_, true)) return true;
  bool unchanged = true;
  for (const auto& entry : order_) {
    if (entry->attached_ || entry->replica_ == nullptr) continue;
    entry->attached_ = entry->replica_->attach(*entry, entry->answer_.high_watermark);
    if (entry->attached_) continue;
    unchanged = false;  // something came between the read and the watch
    make_ready(*entry);
    attach(*entry);
  }
  return unchanged;
}

FetchSet::Outcome FetchSet::evaluate(const FetchLimits& limits) {
  take_signals();
  Outcome outcome;
  std::int64_t bytes_left = limits.max_bytes;
  bool found_any = false;
  for (FetchEntry* entry : ready_) {
    read(*entry, limits, bytes_left, found_any);
    if (!std::exchange(entry->in_round_, true)) round_.push_back(entry);
    outcome.bytes += entry->answer_.records.size;
    outcome.answer_now |= entry->error_ != ErrorCode::kNone || entry->answer_.diverging_epoch.has_value();
  }
  std::erase_if(ready_, [&](FetchEntry* entry) { return !(entry->ready_ = has_more(*entry, limits)); });
  return outcome;
}

void FetchSet::read(FetchEntry& entry, const FetchLimits& limits, std::int64_t& bytes_left, bool& found_any) {
  if (entry.replica_ == nullptr) {
    const FetchTopic topic = entry.topic();
    entry.replica_ =
        by_id_ ? finder_.find(topic.id, entry.partition_) : finder_.find(topic.name, entry.partition_);
    // Before the read, so that no change after it goes unseen.
    if (watching_) attach(entry);
  }
  entry.answer_ = {};
  if (entry.replica_ == nullptr) {
    entry.error_ = error_when_missing(entry);
    return;
  }
  if (limits.stranger) {
    entry.error_ = ErrorCode::kNotLeaderOrFollower;
    return;
  }
  Partition::FetchQuery query;
  query.fetch_offset = entry.ask_.fetch_offset;
  query.current_leader_epoch = entry.ask_.current_leader_epoch;
  query.last_fetched_epoch = entry.ask_.last_fetched_epoch;
  query.max_bytes = static_cast<std::uint32_t>(
      std::max<std::int64_t>(0, std::min<std::int64_t>(entry.ask_.max_bytes, bytes_left)));
  query.min_one_message = !found_any;
  query.read_committed = limits.read_committed;
  query.to_log_end = limits.to_log_end;
  auto answer = entry.replica_->fetch(query);
  if (!answer) {
    entry.error_ = answer.error().code;
    if (entry.error_ == ErrorCode::kUnknownTopicOrPartition) {  // deleted; a new incarnation may come
      detach(entry);
      entry.topic_->known = entry.replica_->topic();
      entry.replica_ = nullptr;
      entry.error_ = error_when_missing(entry);
    }
    return;
  }
  if (answer->records.size > 0 && answer->records.file->is_over_limit()) {
    auto copied = copied_beginning(answer->records);
    if (!copied) {
      entry.error_ = ErrorCode::kKafkaStorageError;
      return;
    }
    answer->records = *std::move(copied);
  }
  entry.error_ = ErrorCode::kNone;
  entry.answer_ = *std::move(answer);
  bytes_left -= entry.answer_.records.size;
  found_any |= entry.answer_.records.size > 0;
}

ErrorCode FetchSet::error_when_missing(const FetchEntry& entry) {
  if (!by_id_) return ErrorCode::kUnknownTopicOrPartition;
  Topic& topic = *entry.topic_;
  if (topic.known == nullptr) topic.known = finder_.topic(topic.id);
  if (topic.known == nullptr) return ErrorCode::kUnknownTopicId;
  const auto namesake = finder_.find(topic.known->name, entry.partition_);
  const bool is_another = namesake != nullptr && namesake->topic_id() != topic.id;
  return is_another ? ErrorCode::kInconsistentTopicId : ErrorCode::kUnknownTopicOrPartition;
}

bool FetchSet::has_more(const FetchEntry& entry, const FetchLimits& limits) {
  if (entry.error_ != ErrorCode::kNone || entry.answer_.diverging_epoch) return true;
  if (entry.answer_.records.size > 0) return true;
  if (limits.to_log_end) return false;
  const Offset end = limits.read_committed ? entry.answer_.last_stable_offset : entry.answer_.high_watermark;
  return entry.ask_.fetch_offset < end;
}

bool FetchSet::arm(std::uint64_t bytes_needed, const std::shared_ptr<Wakeable>& sleeper) {
  if (!watch_all()) return false;
  sleeper_ = sleeper;
  bytes_needed_.store(static_cast<std::int64_t>(bytes_needed), std::memory_order_relaxed);
  armed_.store(true, std::memory_order_seq_cst);
  // A change may have come before armed_ was set: its signal is on the stack, but it woke nobody.
  if (signals_.load(std::memory_order_seq_cst) == nullptr) return true;
  return !disarm();
}

bool FetchSet::disarm() { return armed_.exchange(false, std::memory_order_acq_rel); }

bool FetchSet::news_for_client(const FetchEntry& entry) {
  return entry.error_ != ErrorCode::kNone || entry.answer_.records.size > 0 ||
         entry.answer_.diverging_epoch || entry.answer_.high_watermark != entry.told_high_watermark_ ||
         entry.answer_.log_start_offset != entry.told_log_start_;
}

void FetchSet::remember_told(FetchEntry& entry) {
  const bool failed = entry.error_ != ErrorCode::kNone;  // then the client is told everything anew
  entry.told_high_watermark_ = failed ? protocol::kNoOffset : entry.answer_.high_watermark;
  entry.told_log_start_ = failed ? protocol::kNoOffset : entry.answer_.log_start_offset;
}

void FetchSet::end_rounds() {
  // Whoever got records stands behind those who are ready and got none.
  std::erase_if(ready_, [](const FetchEntry* entry) { return entry->answer_.records.size > 0; });
  for (FetchEntry* entry : round_) {
    if (entry->answer_.records.size > 0) ready_.push_back(entry);
  }
  for (FetchEntry* entry : round_) {
    entry->in_round_ = false;
    entry->answer_.records = {};
  }
  round_.clear();
  sleeper_.reset();
}

}  // namespace milena::broker
