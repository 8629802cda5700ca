// TransactionalProducer: one connection and one transactional id; begins, produces, commits, and begins
// again.
//
// The classic flow: AddPartitionsToTxn v3 for all partitions, batches, EndTxn v3. One thread. The next
// transaction may begin while the broker still writes the markers of the last one; then the coordinator
// says CONCURRENT_TRANSACTIONS, and the request is made again after a millisecond. Any other error ends the
// run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/histogram.h"
#include "bench/load/options.h"
#include "bench/load/produce_connection.h"
#include "bench/load/report.h"
#include "bench/load/wire_client.h"

namespace milena::bench {

class TransactionalProducer {
 public:
  // What all producers of a run count together.
  struct Tally {
    Report::Work work;
    std::uint64_t transactions = 0;
    std::uint64_t retries = 0;
    Histogram produce;  // from a batch's turn to its answer
    Histogram commit;   // from the end of a transaction's time until its commit is answered
  };

  TransactionalProducer(const Options& options, WireClient& client, int number,
                        std::shared_ptr<const std::vector<std::byte>> batch, Tally& tally);

  int socket() { return producer_.pipe().socket(); }
  bool is_idle() const { return step_ == Step::kIdle; }

  void begin();
  // Takes what has come, and does whatever can be done now.
  void go_on(bool readable, std::int64_t now_ns);
  // When go_on() is to be called if nothing comes; empty while only an answer helps.
  std::optional<std::int64_t> wake_ns() const;

 private:
  enum class Step { kIdle, kRetryAdd, kAdd, kProduce, kRetryEnd, kEnd };

  bool advance(std::int64_t now_ns);
  void take_batches(std::int64_t now_ns);
  // Sends a frame to the coordinator; its answer is due in `step`.
  void ask(const std::vector<std::byte>& frame, Step step);
  // Whether the coordinator did as asked; otherwise it will be asked again.
  bool succeeded(ErrorCode error, const char* request, Step retry, std::int64_t now_ns);
  ErrorCode added(BytesView frame) const;
  ErrorCode ended(BytesView frame) const;

  Tally& tally_;
  std::string transactional_id_;
  Producer identity_;
  ProduceConnection producer_;
  std::vector<std::byte> add_partitions_;  // frames
  std::vector<std::byte> end_transaction_;
  std::int64_t open_ns_;
  Step step_ = Step::kIdle;
  std::int64_t end_ns_ = 0;  // of the transaction at hand
  std::int64_t retry_ns_ = 0;
};

}  // namespace milena::bench
