#include "bench/load/fetch_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "bench/load/fail.h"
#include "bench/load/wire_client.h"
#include "protocol/api.gen.h"
#include "protocol/error_code.h"
#include "protocol/frame.h"

namespace milena::bench {
namespace {

using namespace milena::protocol;

constexpr int kVersion = 12;
constexpr std::int32_t kNoSession = -1;  // as an epoch

}  // namespace

FetchConnection::FetchConnection(const Options& options, std::vector<Partition> partitions)
    : options_(options),
      socket_(connect_to(options.broker)),
      partitions_(std::move(partitions)),
      place_of_(static_cast<std::size_t>(options.partitions)),
      session_epoch_(options.sessions ? 0 : kNoSession) {
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    place_of_[static_cast<std::size_t>(partitions_[i].index)] = i + 1;
  }
}

FetchConnection::~FetchConnection() { ::close(socket_); }

void FetchConnection::ask(std::int64_t now_ns) {
  arena_.reset(16 << 20);
  const bool all = session_epoch_ <= 0;
  const auto count = static_cast<std::size_t>(
      std::ranges::count_if(partitions_, [all](const Partition& one) { return all || one.changed; }));
  const auto asked = arena_.array<FetchRequest::FetchTopic::FetchPartition>(count);
  auto* next = asked.data();
  for (Partition& one : partitions_) {
    if (!all && !one.changed) continue;
    next->partition = one.index;
    next->fetch_offset = one.next_offset;
    next->partition_max_bytes = options_.partition_max_bytes;
    ++next;
    one.changed = false;
  }
  std::array<FetchRequest::FetchTopic, 1> topics{};
  topics[0].topic = options_.topic;
  topics[0].partitions = asked;
  FetchRequest request;
  request.max_wait_ms = options_.max_wait_ms;
  request.min_bytes = 1;
  request.max_bytes = options_.max_bytes;
  request.session_id = session_id_;
  request.session_epoch = session_epoch_;
  if (count > 0) request.topics = topics;
  const BytesView frame =
      flatten(encode_request(request, kVersion, ++correlation_id_, kClientId, arena_), arena_);
  request_.assign(frame.begin(), frame.end());
  sent_ = 0;
  waiting_ = true;
  asked_ns_ = now_ns;
  send();
}

void FetchConnection::send() {
  while (sent_ < request_.size()) {
    const ssize_t taken = ::send(socket_, request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL);
    if (taken < 0) {
      if (errno == EAGAIN) return;
      fail_run_with_errno("send");
    }
    sent_ += static_cast<std::size_t>(taken);
  }
}

bool FetchConnection::receive(Answer& answer) {
  for (bool more = true; more;) {
    more = reader_.fill(socket_);
    if (const auto frame = reader_.next()) {
      read(*frame, answer);
      waiting_ = false;
      return true;
    }
  }
  return false;
}

void FetchConnection::read(BytesView frame, Answer& answer) {
  arena_.reset(16 << 20);
  const auto response = parse_response(frame, *find_api(FetchRequest::kInfo.key), kVersion);
  if (!response || response->correlation_id != correlation_id_)
    fail_run("Fetch: not the answer to what was asked");
  const auto message = decode<FetchResponse>(response->body, kVersion, arena_);
  if (!message) fail_run("Fetch: malformed answer: {}", message.error().why);
  answer = {};
  if (message->error_code != ErrorCode::kNone) {
    count_error(message->error_code, answer);
    session_id_ = 0;
    session_epoch_ = options_.sessions ? 0 : kNoSession;
    return;
  }
  if (options_.sessions) {
    // A broker that opens no session names none, and hears of all partitions again.
    session_id_ = message->session_id;
    session_epoch_ = session_id_ == 0 ? 0 : session_epoch_ + 1;
  }
  for (const auto& topic : message->responses) {
    for (const auto& partition : topic.partitions) read(partition, answer);
  }
}

void FetchConnection::read(const FetchResponse::FetchableTopicResponse::PartitionData& from, Answer& answer) {
  Partition* const partition = find(from.partition_index.value);
  if (partition == nullptr) fail_run("Fetch: partition {} was not asked for", from.partition_index.value);
  if (from.error_code != ErrorCode::kNone) return count_error(from.error_code, answer);
  if (!from.records) return;
  const std::int64_t before = partition->next_offset;
  BatchIterator batches(from.records->bytes);
  for (;;) {
    const auto batch = batches.next();
    if (!batch) fail_run("Fetch: not a record batch: {}", batch.error().why);
    if (!*batch) break;
    partition->next_offset = (*batch)->last_offset().value + 1;
    answer.records += static_cast<std::uint64_t>((*batch)->record_count());
    answer.bytes += (*batch)->size_in_bytes();
    if (see_) see_(**batch);
  }
  if (!from.records->bytes.empty() && partition->next_offset == before) fail_run("Fetch: no whole batch");
  if (!options_.from_latest && partition->next_offset >= from.high_watermark.value) {
    partition->next_offset = partition->start_offset;
  }
  partition->changed = partition->next_offset != before;
}

FetchConnection::Partition* FetchConnection::find(std::int32_t index) {
  const auto at = static_cast<std::size_t>(index);
  return at < place_of_.size() && place_of_[at] > 0 ? &partitions_[place_of_[at] - 1] : nullptr;
}

void FetchConnection::count_error(ErrorCode error, Answer& answer) {
  ++answer.errors;
  fmt::print(stderr, "load: Fetch: {}\n", error_name(error));
}

}  // namespace milena::bench
