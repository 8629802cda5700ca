// A __transaction_state of anything: replaying it ends, and the machine works afterwards: what is open ends.
//
// Input: a FuzzedLog.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "coordinator/runtime/testing/fuzzed_log.h"
#include "coordinator/transaction/transaction_machine.h"

namespace {

using namespace milena;               // NOLINT(google-build-using-namespace)
using namespace milena::coordinator;  // NOLINT(google-build-using-namespace)

// As a shard and its shell do, with a log that never fails and partitions that take every marker.
class Shell {
 public:
  explicit Shell(TransactionMachine& machine) : machine_(machine) {}

  Now now{Instant{1'000}, 1'700'000'000'000};
  TransactionOutcome out;

  void settle() {
    std::vector<TransactionErrand> errands;
    for (;;) {
      for (const EncodedRecord& record : out.records()) {
        machine_.replay({.offset = ++offset_, .key = record.key, .value = record.value});
      }
      for (auto& errand : out.errands()) errands.push_back(std::move(errand));
      const auto next = out.take_next();
      if (!next) break;
      next(out);
    }
    for (const auto& errand : errands) {
      if (const auto* id = std::get_if<TakeProducerId>(&errand)) {
        machine_.producer_id_arrived(now, id->ticket, ++last_id_, out);
      } else {
        machine_.markers_written(now, std::get<WriteMarkers>(errand), out);
      }
      settle();
    }
  }

 private:
  TransactionMachine& machine_;
  protocol::Offset offset_ = 1'000'000;
  protocol::ProducerId last_id_ = 1'000'000;
};

void use(TransactionMachine& machine) {
  Shell shell(machine);
  machine.loaded(shell.now, shell.out);
  shell.settle();
  std::vector<std::string> ids;
  for (const auto& [id, transaction] : machine.transactions()) {
    MILENA_ASSERT(!transaction.is_preparing(), "what was decided is completed");
    ids.push_back(id);
  }
  for (const std::string& id : ids) {
    const ProducerIdentity producer = machine.transactions().at(id).producer;
    const protocol::EndTxnRequest end{.transactional_id = id,
                                      .producer_id = producer.id,
                                      .producer_epoch = producer.epoch,
                                      .committed = true};
    for (const std::int16_t version : {std::int16_t{4}, std::int16_t{5}}) {
      machine.handle(shell.now, 1, {version}, end, shell.out);
      shell.settle();
    }
    protocol::InitProducerIdRequest init{.transactional_id = id, .transaction_timeout_ms = 1'000};
    for (int i = 0; i < 2; ++i) {  // the first may have to abort
      machine.handle(shell.now, 2, {5}, init, shell.out);
      shell.settle();
    }
    MILENA_ASSERT(machine.transactions().at(id).state == TransactionState::kEmpty, "a new producer begins");
    std::string_view names[] = {id};
    machine.handle(shell.now, 3, {0}, protocol::DescribeTransactionsRequest{.transactional_ids = names},
                   shell.out);
    shell.settle();
  }
  machine.handle(shell.now, 4, {2}, protocol::ListTransactionsRequest{.duration_filter = 0}, shell.out);
  shell.settle();
  for (int i = 0; i < 200 && !machine.transactions().empty(); ++i) {
    const auto next = machine.next_deadline();
    const Instant by = std::max(*next - shell.now.instant, Instant{0});
    shell.now.instant += by;
    shell.now.wall_ms += by.count();
    while (machine.fire(shell.now, shell.out)) shell.settle();
  }
  MILENA_ASSERT(machine.transactions().empty(), "every id expires");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  testing_support::FuzzedLog log(std::as_bytes(std::span(data, size)));
  TransactionMachine machine(std::make_shared<TransactionConfig>(), 7);
  while (const auto record = log.next()) machine.replay(*record);
  use(machine);
  return 0;
}
