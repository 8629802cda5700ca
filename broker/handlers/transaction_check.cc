#include "broker/handlers/transaction_check.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/saturating.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::ProduceRequest;
using PartitionData = ProduceRequest::TopicProduceData::PartitionProduceData;

constexpr int kAddsPartitions = 12;  // of Produce: the broker adds them to the transaction
constexpr int kKnowsAbortable = 11;  // of Produce: TRANSACTION_ABORTABLE exists

// What a producer of this version understands. PRODUCER_FENCED is no answer to Produce; and what it should
// try again later is something that it does try again, without looking for new leaders.
ErrorCode error_for_producer(ErrorCode error, int version) {
  switch (error) {
    case ErrorCode::kProducerFenced:
      return ErrorCode::kInvalidProducerEpoch;
    case ErrorCode::kTransactionAbortable:
      return version >= kKnowsAbortable ? error : ErrorCode::kInvalidTxnState;
    case ErrorCode::kCoordinatorLoadInProgress:
    case ErrorCode::kCoordinatorNotAvailable:
    case ErrorCode::kNotCoordinator:
      return ErrorCode::kNotEnoughReplicas;
    case ErrorCode::kConcurrentTransactions:
      return version >= kAddsPartitions ? error : ErrorCode::kNotEnoughReplicas;
    default:
      return error;
  }
}

}  // namespace

// One produce request that asks. Keeps itself alive while it waits.
class TransactionCheck::Attempt final : public Parked, public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(TransactionCheck& owner, const Call& call, Responder responder, Then then)
      : owner_(owner),
        loop_(call.request.loop()),
        version_(call.version),
        give_up_at_(after(call.now, owner.options_.patience)),
        responder_(std::move(responder)),
        then_(std::move(then)),
        retry_([this] { ask(); }) {}

  void start(Call& call, const ProduceRequest& request) {
    transactional_id_ = *request.transactional_id;
    for (const auto& topic : request.topic_data) {
      for (const auto& data : topic.partition_data) look_at(call, topic, data);
    }
    if (open_questions_.empty()) return finish();
    responder_->park(weak_from_this());
    ask();
    if (responder_) call.request.hold_successors();
  }

  void connection_lost() override {
    retry_.cancel();
    responder_.reset();
    self_.reset();
  }

 private:
  struct Question {
    const PartitionData* data = nullptr;
    std::string topic;
    std::int32_t partition = 0;
  };

  void look_at(Call& call, const ProduceRequest::TopicProduceData& topic, const PartitionData& data) {
    if (!data.records) return;
    const auto header = protocol::RecordBatchHeader::parse(data.records->bytes);
    if (!header || !header->is_transactional() || !header->has_producer_id()) return;
    auto partition = topic.topic_id.is_zero() ? owner_.partitions_.find(topic.name, data.index)
                                              : owner_.partitions_.find(topic.topic_id, data.index);
    if (partition == nullptr) return;  // refused for that when it is appended to
    const coordinator::ProducerIdentity producer{header->producer_id(), header->producer_epoch()};
    if (open_questions_.empty()) producer_ = producer;
    if (producer != producer_) {
      verdicts_[&data] = {.error = ErrorCode::kInvalidProducerIdMapping};
      return;
    }
    const auto ticket = partition->begin_verification(producer.id, producer.epoch, call.wall_ms);
    if (!ticket) {
      verdicts_[&data] = {.error = ticket.error().code};
      return;
    }
    verdicts_[&data] = {.ticket = ticket->value_or(0)};
    if (*ticket) open_questions_.push_back({&data, partition->topic_name(), data.index.value});
  }

  void ask() {
    using coordinator::AddOrVerifyPartitions;
    using Mode = AddOrVerifyPartitions::Mode;
    partitions_.clear();
    for (const Question& question : open_questions_) {
      partitions_.push_back({question.topic, question.partition});
    }
    self_ = shared_from_this();
    const AddOrVerifyPartitions request{
        .transactional_id = transactional_id_,
        .producer = producer_,
        .partitions = partitions_,
        .mode = version_ >= kAddsPartitions ? Mode::kAddByVersion2 : Mode::kVerify};
    owner_.transactions_.add_or_verify_partitions(
        request, [self = self_](std::span<const ErrorCode> errors) mutable {
          if (self->loop_.here()) return self->answered(errors);
          auto& loop = self->loop_;
          loop.post([self = std::move(self), kept = std::vector(errors.begin(), errors.end())] {
            self->answered(kept);
          });
        });
  }

  void answered(std::span<const ErrorCode> errors) {
    if (!responder_) return;  // the connection is gone
    const bool is_busy = std::ranges::find(errors, ErrorCode::kConcurrentTransactions) != errors.end();
    if (is_busy && version_ >= kAddsPartitions && loop_.now() < give_up_at_) {
      loop_.arm(retry_, after(loop_.now(), owner_.options_.backoff));
      return;
    }
    for (std::size_t i = 0; i < open_questions_.size(); ++i) {
      verdicts_[open_questions_[i].data].error = error_for_producer(errors[i], version_);
    }
    finish();
  }

  void finish() {
    const auto keep = std::move(self_);
    Responder responder = *std::exchange(responder_, std::nullopt);
    then_(std::move(verdicts_), std::move(responder));
  }

  TransactionCheck& owner_;
  Loop& loop_;
  const std::int16_t version_;
  const Instant give_up_at_;
  std::optional<Responder> responder_;
  Then then_;
  std::string transactional_id_;
  coordinator::ProducerIdentity producer_;
  std::vector<Question> open_questions_;
  std::vector<coordinator::TopicPartition> partitions_;  // of the questions, while the coordinator is asked
  ProduceHandler::Verdicts verdicts_;
  Timer retry_;
  std::shared_ptr<Attempt> self_;  // while it waits
};

bool TransactionCheck::has_questions(const Call& call, const ProduceRequest& request) const {
  const bool asks = call.version >= kAddsPartitions || verify_.load(std::memory_order_relaxed);
  return asks && request.transactional_id && ProduceHandler::has_transactional_batch(request);
}

void TransactionCheck::ask(Call& call, const ProduceRequest& request, Responder responder, Then then) {
  std::make_shared<Attempt>(*this, call, std::move(responder), std::move(then))->start(call, request);
}

}  // namespace milena::broker
