#include "broker/handlers/fetch.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;
using TopicAnswer = FetchResponse::FetchableTopicResponse;
using PartitionAnswer = TopicAnswer::PartitionData;

constexpr protocol::BrokerId kDebugReplica = -2;
constexpr std::int8_t kReadUncommitted = 0;
constexpr std::int8_t kReadCommitted = 1;
constexpr std::int16_t kTopicIdsSince = 13;
constexpr std::int16_t kLeaderHintsSince = 16;

protocol::BrokerId replica_of(const Call& call, const FetchRequest& request) {
  return call.version >= 15 ? request.replica_state.replica_id : request.replica_id;
}

// Any negative epoch means that the client knows none, as in Kafka.
LeaderEpoch known_epoch(LeaderEpoch epoch) { return epoch < 0 ? protocol::kNoLeaderEpoch : epoch; }

// A client before version 6 does not know KAFKA_STORAGE_ERROR as something to try again after.
ErrorCode for_version(ErrorCode error, int version) {
  return error == ErrorCode::kKafkaStorageError && version <= 5 ? ErrorCode::kNotLeaderOrFollower : error;
}

void fill_answer(Call& call, const FetchEntry& entry, PartitionAnswer& out) {
  out.partition_index = entry.partition();
  out.error_code = for_version(entry.error(), call.version);
  out.records = protocol::RecordsRef{};
  if (entry.error() != ErrorCode::kNone) {
    out.high_watermark = protocol::kNoOffset;
    // Kafka has a list for a partition that it does not find, and null when reading one failed.
    if (entry.error() == ErrorCode::kUnknownTopicOrPartition || entry.error() == ErrorCode::kUnknownTopicId) {
      out.aborted_transactions = std::span<PartitionAnswer::AbortedTransaction>{};
    }
    return;
  }
  const auto& answer = entry.answer();
  out.high_watermark = answer.high_watermark;
  out.last_stable_offset = answer.last_stable_offset;
  out.log_start_offset = answer.log_start_offset;
  if (answer.diverging_epoch) {
    out.diverging_epoch = {.epoch = answer.diverging_epoch->leader_epoch,
                           .end_offset = answer.diverging_epoch->end_offset};
  }
  if (answer.aborted_transactions) {
    auto list = call.arena.array<PartitionAnswer::AbortedTransaction>(answer.aborted_transactions->size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& aborted = (*answer.aborted_transactions)[i];
      list[i] = {.producer_id = aborted.producer_id, .first_offset = aborted.first_offset};
    }
    out.aborted_transactions = list;
  }
  if (answer.records.size > 0) {
    auto& range = call.arena.make<FileRange>();
    range = {.file = answer.records.file.get(), .position = answer.records.position};
    call.request.pin(answer.records.file);
    entry.replica()->count_bytes_out(answer.records.size);
    out.records = protocol::RecordsRef{.bytes = {}, .external = &range, .external_size = answer.records.size};
  }
}

// Somebody else leads the partition, or leads it in another epoch.
bool went_astray(const FetchEntry* entry) {
  return entry->error() == ErrorCode::kNotLeaderOrFollower || entry->error() == ErrorCode::kFencedLeaderEpoch;
}

}  // namespace

// A fetch that waits: for bytes, for its deadline, or for its client to go away, whichever comes first. Lives
// on the request's loop; only woken() is called elsewhere. Keeps itself alive until it has answered, and is
// used again then.
class ParkedFetch final : public Wakeable,
                          public Parked,
                          public std::enable_shared_from_this<ParkedFetch>,
                          private Loop::Job {
 public:
  explicit ParkedFetch(FetchHandler& handler) : handler_(handler) {}

  void start(FetchHandler::Round round, const Call& call, Responder responder, std::int64_t bytes_missing) {
    self_ = shared_from_this();
    round_ = std::move(round);
    call_.emplace(call);
    responder_.emplace(std::move(responder));
    responder_->park(self_);
    loop().arm(timer_, round_.deadline);
    go_on(bytes_missing);
  }

  void woken() override { loop().post(*this); }

  void connection_lost() override {
    lost_ = true;
    timer_.cancel();
    if (round_.set->disarm()) finish();
  }

 private:
  Loop& loop() { return call_->request.loop(); }

  void run() override {
    if (lost_) return finish();
    std::int64_t bytes_missing = 0;
    if (FetchHandler::read(round_, loop().now(), bytes_missing)) return finish();
    go_on(bytes_missing);
  }

  void go_on(std::int64_t bytes_missing) {
    while (!round_.set->arm(static_cast<std::uint64_t>(bytes_missing), self_)) {
      if (FetchHandler::read(round_, loop().now(), bytes_missing)) return finish();
    }
  }

  void time_is_up() {
    if (round_.set->disarm()) finish();  // otherwise run() is on its way
  }

  void finish() {
    auto self = std::move(self_);
    timer_.cancel();
    auto& spares = handler_.spares_.of(loop());
    if (lost_) {
      handler_.abandon(round_, spares);
      responder_.reset();
    } else {
      handler_.answer(round_, *call_, *std::exchange(responder_, std::nullopt));
    }
    call_.reset();
    round_ = {};
    lost_ = false;
    spares.parked.give(std::move(self));
  }

  FetchHandler& handler_;
  FetchHandler::Round round_;
  std::optional<Call> call_;
  std::optional<Responder> responder_;
  Timer timer_{[this] { time_is_up(); }};
  std::shared_ptr<ParkedFetch> self_;  // while it waits
  bool lost_ = false;
};

void FetchHandler::handle(Call& call, const FetchRequest& request, Responder responder) {
  auto round = begin(call, request);
  if (!round) return responder.send(FetchResponse{.error_code = round.error().code});
  std::int64_t bytes_missing = 0;
  if (read(*round, call.now, bytes_missing)) return answer(*round, call, std::move(responder));
  const auto parked =
      spares_.of(call.request.loop()).parked.take([this] { return std::make_shared<ParkedFetch>(*this); });
  parked->start(*std::move(round), call, std::move(responder), bytes_missing);
}

Result<FetchHandler::Round> FetchHandler::begin(const Call& call, const FetchRequest& request) {
  const bool by_id = call.version >= kTopicIdsSince;
  const auto replica = replica_of(call, request);
  if (request.isolation_level != kReadUncommitted && request.isolation_level != kReadCommitted) {
    return fail(ErrorCode::kInvalidRequest, "no such isolation level");
  }
  Round round;
  round.limits.max_bytes = std::min(request.max_bytes, fetch_max_bytes_);
  round.limits.read_committed = request.isolation_level == kReadCommitted;
  round.limits.to_log_end = replica == kDebugReplica;
  round.limits.stranger = replica >= 0;
  round.min_bytes = std::min(request.min_bytes, round.limits.max_bytes);
  round.deadline = call.now + Instant(std::max(request.max_wait_ms, 0));

  const bool full = request.session_epoch == FetchSessions::kInitialEpoch ||
                    request.session_epoch == FetchSessions::kFinalEpoch;
  if (full) {
    if (request.session_id != FetchSessions::kNoSession) sessions_.remove(request.session_id);
    round.set = spares_.of(call.request.loop()).sets.take([&] {
      return std::make_shared<FetchSet>(partitions_, by_id);
    });
    round.set->reset(by_id);
    fill(*round.set, request);
    round.wants_session = request.session_epoch == FetchSessions::kInitialEpoch && round.set->size() > 0;
    return round;
  }

  MILENA_TRY(round.set, sessions_.acquire(request.session_id, request.session_epoch, by_id, call.now));
  fill(*round.set, request);
  for (const auto& topic : request.forgotten_topics_data) {
    for (const PartitionId partition : topic.partitions) {
      round.set->forget({topic.topic_id, topic.topic}, partition);
    }
  }
  if (round.set->size() == 0) {
    sessions_.remove(request.session_id);  // nothing left to fetch: the session is over
    return round;
  }
  round.session_id = request.session_id;
  round.incremental = true;
  return round;
}

void FetchHandler::fill(FetchSet& set, const FetchRequest& request) {
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) {
      set.put({topic.topic_id, topic.topic}, asked.partition,
              {.fetch_offset = asked.fetch_offset,
               .current_leader_epoch = known_epoch(asked.current_leader_epoch),
               .last_fetched_epoch = known_epoch(asked.last_fetched_epoch),
               .max_bytes = asked.partition_max_bytes});
    }
  }
}

bool FetchHandler::read(Round& round, Instant now, std::int64_t& bytes_missing) {
  const auto outcome = round.set->evaluate(round.limits);
  bytes_missing = round.min_bytes - static_cast<std::int64_t>(outcome.bytes);
  return bytes_missing <= 0 || outcome.answer_now || now >= round.deadline || round.set->size() == 0;
}

void FetchHandler::answer(Round& round, Call& call, Responder responder) {
  FetchResponse response;
  const std::size_t bound = round.set->answer_bound(round.incremental);
  auto entries = call.arena.array<const FetchEntry*>(bound);
  auto answers = call.arena.array<PartitionAnswer>(bound);
  std::size_t count = 0;
  round.set->answer(round.incremental, [&](const FetchEntry& entry) {
    fill_answer(call, entry, answers[count]);
    entries[count++] = &entry;
  });
  entries = entries.first(count);

  // Neighbours of one topic share an entry, as Kafka groups them.
  response.responses = call.arena.array<TopicAnswer>(count);
  std::size_t topics = 0;
  for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
    const FetchTopic topic = entries[begin]->topic();
    while (end < count && entries[end]->topic() == topic) ++end;
    response.responses[topics++] = {.topic = call.arena.text(topic.name),
                                    .topic_id = topic.id,
                                    .partitions = answers.subspan(begin, end - begin)};
  }
  response.responses = response.responses.first(topics);

  controller::MetadataImagePtr image;  // what the hints say points into it
  if (call.version >= kLeaderHintsSince && std::ranges::any_of(entries, went_astray)) {
    image = metadata_.image();
    add_leader_hints(call, ClusterView(*image, self_, call), entries, response);
  }

  auto& spares = spares_.of(call.request.loop());
  if (round.incremental) {
    response.session_id = round.session_id;
    sessions_.release(round.session_id);
  } else if (round.wants_session) {
    round.set->watch_all();
    response.session_id = sessions_.create(round.set, false, call.now);
  }
  responder.send(response);
  if (response.session_id == FetchSessions::kNoSession) recycle(round, spares);
}

void FetchHandler::recycle(Round& round, LoopSpares& spares) {
  constexpr std::size_t kKeepPartitions = 64;
  if (round.set->capacity() > kKeepPartitions) return;
  round.set->reset(round.set->by_id());
  spares.sets.give(std::move(round.set));
}

void FetchHandler::add_leader_hints(Call& call, const ClusterView& view,
                                    std::span<const FetchEntry* const> entries, FetchResponse& response) {
  std::vector<protocol::BrokerId> leaders;
  std::size_t at = 0;
  for (auto& topic : response.responses) {
    for (auto& partition : topic.partitions) {
      const FetchEntry& entry = *entries[at++];
      if (!went_astray(&entry)) continue;
      const auto* known = entry.topic().name.empty() ? view.image().topic(entry.topic().id)
                                                     : view.image().topic(entry.topic().name);
      const auto* state = known == nullptr ? nullptr : known->partition(entry.partition());
      if (state == nullptr) continue;
      partition.current_leader = {.leader_id = state->leader(), .leader_epoch = state->leader_epoch()};
      if (std::ranges::find(leaders, state->leader()) == leaders.end()) leaders.push_back(state->leader());
    }
  }
  auto nodes = call.arena.array<FetchResponse::NodeEndpoint>(leaders.size());
  std::size_t named = 0;
  for (const auto leader : leaders) {
    const auto node = view.node(leader);
    if (!node) continue;
    nodes[named++] = {.node_id = leader, .host = node->host, .port = node->port, .rack = node->rack};
  }
  response.node_endpoints = nodes.first(named);
}

void FetchHandler::abandon(Round& round, LoopSpares& spares) {
  round.set->abandon();
  if (round.incremental) {
    sessions_.release(round.session_id);
  } else {
    recycle(round, spares);
  }
}

}  // namespace milena::broker
