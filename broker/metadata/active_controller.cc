#include "broker/metadata/active_controller.h"

#include <span>
#include <utility>

#include "base/assert.h"
#include "protocol/error_code.h"

namespace milena::broker {

ActiveController::ActiveController(controller::Controller controller, QuorumDriver& quorum,
                                   ImagePublisher& publisher, MetadataThread& thread, const Clock& clock,
                                   const Logger& log)
    : clock_(clock),
      log_(log),
      quorum_(quorum),
      publisher_(publisher),
      thread_(thread),
      controller_(std::move(controller)) {}

Status ActiveController::activate(const controller::Bootstrap& bootstrap) {
  Arena arena;
  MILENA_CHECK(append(controller_.activate(clock_.now().count(), bootstrap, arena)));
  return commit();
}

void ActiveController::send(controller::ControllerMessage message, Arena& arena, Answer answer) {
  bool is_first = false;
  {
    const MutexLock lock(mutex_);
    is_first = waiting_.empty();
    waiting_.emplace_back(std::move(message), &arena, std::move(answer));
  }
  if (is_first) thread_.post([this] { answer_all(); });
}

void ActiveController::answer_all() {
  std::vector<Waiting> messages;
  {
    const MutexLock lock(mutex_);
    messages.swap(waiting_);
  }
  std::vector<Decided> decided;
  decided.reserve(messages.size());
  for (Waiting& waiting : messages) decided.push_back(decide(std::move(waiting)));
  const Status committed = commit();
  for (Decided& one : decided) {
    if (one.response && one.after > publisher_.next_offset()) {
      MILENA_ASSERT(!committed, "a quorum of one commits what it has synced");
      one.response = std::unexpected(committed.error());
    }
    one.answer(std::move(one.response));
  }
  if (quorum_.is_writable()) publisher_.write_snapshot_if_due();
}

ActiveController::Decided ActiveController::decide(Waiting waiting) {
  Result<controller::ControllerResponse> response = [&]() -> Result<controller::ControllerResponse> {
    if (is_broken_) return fail(ErrorCode::kKafkaStorageError, "the metadata log cannot be written");
    auto outcome = controller::decide(controller_, waiting.message, clock_.now().count(),
                                      quorum_.kraft_version(), *waiting.arena);
    MILENA_CHECK(append(outcome.records));
    return std::move(outcome.response);
  }();
  return {
      .answer = std::move(waiting.answer), .response = std::move(response), .after = quorum_.end_offset()};
}

Status ActiveController::append(std::span<const controller::MetadataRecord> records) {
  if (records.empty()) return {};
  MILENA_TRY(auto batches, controller_.encode(records, quorum_.epoch(), clock_.wall_ms()));
  for (auto& batch : batches) {
    MILENA_TRY(const BytesView appended, quorum_.append(std::move(batch)));
    if (const auto replayed = replay(appended); !replayed) {
      is_broken_ = true;
      log_.error("the controller cannot go on: {}", replayed.error().why);
      return replayed;
    }
  }
  return {};
}

Status ActiveController::replay(BytesView bytes) {
  MILENA_TRY(const auto view, protocol::RecordBatchView::parse(bytes));
  Arena arena;
  MILENA_TRY(const auto batch, controller::decode_metadata_batch(view, arena));
  MILENA_TRY(const auto update, controller_.replay(batch));
  (void)update;
  return {};
}

Status ActiveController::commit() {
  MILENA_TRY(const auto batches, quorum_.commit());
  return publisher_.publish(batches);
}

}  // namespace milena::broker
