#include "bench/load/transactional_producer.h"

#include <array>

#include "base/arena.h"
#include "bench/load/fail.h"
#include "bench/load/producer_ids.h"
#include "protocol/add_partitions_to_txn.gen.h"
#include "protocol/api.gen.h"
#include "protocol/end_txn.gen.h"
#include "protocol/error_code.h"
#include "protocol/frame.h"

namespace milena::bench {
namespace {

using namespace milena::protocol;

constexpr int kVersion = 3;  // of both requests
constexpr std::int64_t kRetryAfterNs = 1'000'000;
// In a request: size, API key, version come first.
constexpr std::size_t kCorrelationIdAt = 4 + 2 + 2;

template <class M>
std::vector<std::byte> encoded(const M& request) {
  Arena arena;
  const BytesView frame = flatten(encode_request(request, kVersion, 0, kClientId, arena), arena);
  return {frame.begin(), frame.end()};
}

std::vector<std::byte> add_partitions_frame(std::string_view transactional_id, Producer producer,
                                            const Options& options) {
  std::vector<PartitionId> partitions;
  for (int i = 0; i < options.partitions; ++i) partitions.emplace_back(i);
  std::array<AddPartitionsToTxnRequest::AddPartitionsToTxnTopic, 1> topics{};
  topics[0].name = options.topic;
  topics[0].partitions = partitions;
  AddPartitionsToTxnRequest request;
  request.v3_and_below_transactional_id = transactional_id;
  request.v3_and_below_producer_id = producer.id;
  request.v3_and_below_producer_epoch = producer.epoch;
  request.v3_and_below_topics = topics;
  return encoded(request);
}

std::vector<std::byte> end_transaction_frame(std::string_view transactional_id, Producer producer) {
  EndTxnRequest request;
  request.transactional_id = transactional_id;
  request.producer_id = producer.id;
  request.producer_epoch = producer.epoch;
  request.committed = true;
  return encoded(request);
}

template <class Response>
Response read(BytesView frame, Arena& arena) {
  const auto response = parse_response(frame, *find_api(Response::kInfo.key), kVersion);
  if (!response) fail_run("{}: malformed", Response::kInfo.name);
  const auto message = decode<Response>(response->body, kVersion, arena);
  if (!message) fail_run("{}: malformed: {}", Response::kInfo.name, message.error().why);
  return *message;
}

}  // namespace

TransactionalProducer::TransactionalProducer(const Options& options, WireClient& client, int number,
                                             std::shared_ptr<const std::vector<std::byte>> batch,
                                             Tally& tally)
    : tally_(tally),
      transactional_id_(fmt::format("{}-{}", options.topic, number)),
      identity_(new_producer(client, transactional_id_)),
      producer_([&] {
        const ProduceFrame::Settings settings{
            .topic = options.topic, .acks = -1, .transactional_id = transactional_id_, .producer = identity_};
        return ProduceConnection(options.broker, ProduceFrame(settings, std::move(batch)), settings,
                                 options.in_flight, options.partitions, number % options.partitions);
      }()),
      add_partitions_(add_partitions_frame(transactional_id_, identity_, options)),
      end_transaction_(end_transaction_frame(transactional_id_, identity_)),
      open_ns_(std::int64_t{options.transactional_ms} * 1'000'000) {}

void TransactionalProducer::begin() { ask(add_partitions_, Step::kAdd); }

void TransactionalProducer::go_on(bool readable, std::int64_t now_ns) {
  do {
    readable = readable && producer_.pipe().receive();
    while (advance(now_ns)) continue;
    producer_.pipe().send();
  } while (readable);
}

std::optional<std::int64_t> TransactionalProducer::wake_ns() const {
  switch (step_) {
    case Step::kRetryAdd:
    case Step::kRetryEnd:
      return retry_ns_;
    case Step::kProduce:
      return end_ns_;
    default:
      return std::nullopt;
  }
}

// Does one thing; false when there is nothing to do now.
bool TransactionalProducer::advance(std::int64_t now_ns) {
  switch (step_) {
    case Step::kIdle:
      return false;
    case Step::kRetryAdd:
    case Step::kRetryEnd:
      if (now_ns < retry_ns_) return false;
      step_ == Step::kRetryAdd ? ask(add_partitions_, Step::kAdd) : ask(end_transaction_, Step::kEnd);
      return true;
    case Step::kAdd: {
      const auto answer = producer_.pipe().next_answer();
      if (!answer) return false;
      if (succeeded(added(answer->frame), "AddPartitionsToTxn", Step::kRetryAdd, now_ns)) {
        step_ = Step::kProduce;
        end_ns_ = now_ns + open_ns_;
      }
      return true;
    }
    case Step::kProduce: {
      take_batches(now_ns);
      if (now_ns < end_ns_) {
        while (producer_.pipe().has_free_slot()) producer_.put(now_ns);
        return false;
      }
      if (!producer_.pipe().is_idle()) return false;
      ask(end_transaction_, Step::kEnd);
      return true;
    }
    case Step::kEnd: {
      const auto answer = producer_.pipe().next_answer();
      if (!answer) return false;
      if (succeeded(ended(answer->frame), "EndTxn", Step::kRetryEnd, now_ns)) {
        step_ = Step::kIdle;
        ++tally_.transactions;
        tally_.commit.add(now_ns - end_ns_);
      }
      return true;
    }
  }
  std::unreachable();
}

void TransactionalProducer::take_batches(std::int64_t now_ns) {
  while (const auto done = producer_.next_done()) {
    require_success("Produce", done->error);
    ++tally_.work.requests;
    tally_.work.records += static_cast<std::uint64_t>(producer_.frame().records());
    tally_.work.bytes += producer_.frame().batch_size();
    tally_.produce.add(now_ns - done->due_ns);
  }
}

void TransactionalProducer::ask(const std::vector<std::byte>& frame, Step step) {
  RequestPipe& pipe = producer_.pipe();
  RequestPipe::Request& request = pipe.next_request();
  request.head = frame;
  request.rest = {};
  request.tail = {};
  store_be(request.head.data() + kCorrelationIdAt, pipe.next_correlation_id());
  pipe.put();
  pipe.send();
  step_ = step;
}

bool TransactionalProducer::succeeded(ErrorCode error, const char* request, Step retry, std::int64_t now_ns) {
  if (error == ErrorCode::kNone) return true;
  if (error != ErrorCode::kConcurrentTransactions) require_success(request, error);
  ++tally_.retries;
  retry_ns_ = now_ns + kRetryAfterNs;
  step_ = retry;
  return false;
}

ErrorCode TransactionalProducer::added(BytesView frame) const {
  Arena arena;
  const auto response = read<AddPartitionsToTxnResponse>(frame, arena);
  for (const auto& topic : response.results_by_topic_v3_and_below) {
    for (const auto& partition : topic.results_by_partition) {
      if (partition.partition_error_code != ErrorCode::kNone) return partition.partition_error_code;
    }
  }
  return ErrorCode::kNone;
}

ErrorCode TransactionalProducer::ended(BytesView frame) const {
  Arena arena;
  return read<EndTxnResponse>(frame, arena).error_code;
}

}  // namespace milena::bench
