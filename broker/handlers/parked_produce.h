// ParkedProduce: a Produce request with acks=-1 that waits until its records are committed, or its time is
// up.
//
// Lives on the request's loop; only woken() and the watches run elsewhere. Keeps itself alive until it has
// answered. A partition that is still waiting at the deadline is answered with REQUEST_TIMED_OUT (its records
// may be committed later), one that was closed meanwhile with the error of its state: after its topic was
// deleted UNKNOWN_TOPIC_OR_PARTITION.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/async/timer_queue.h"
#include "broker/handlers/produce.h"
#include "broker/net/request.h"
#include "broker/partition/watch.h"

namespace milena::broker {

class ParkedProduce final : public Wakeable,
                            public Parked,
                            public std::enable_shared_from_this<ParkedProduce>,
                            private Loop::Job {
 public:
  ParkedProduce(ProduceHandler::Outcome outcome, Responder responder);
  ~ParkedProduce() override;

  // Answers at `deadline` at the latest.
  void start(Instant deadline);

  void woken() override;
  void connection_lost() override;

 private:
  class Watch final : public PartitionWatch {
   public:
    Watch(ParkedProduce& owner, ProduceHandler::Pending pending)
        : owner_(owner), pending_(std::move(pending)) {}
    void changed(const PartitionChange& change, WakeList& wakes) override;

   private:
    friend class ParkedProduce;
    ParkedProduce& owner_;
    ProduceHandler::Pending pending_;
    std::atomic<bool> settled_ = false;
    bool closed_ = false;  // written before settled_ is set
  };

  bool settle_one();  // true when it was the last
  void run() override;
  void finish();

  ProduceHandler::Outcome outcome_;
  Responder responder_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::atomic<std::size_t> unsettled_;
  std::atomic<bool> armed_ = true;  // nobody has decided to answer yet
  Timer timer_;
  std::shared_ptr<ParkedProduce> self_;
};

}  // namespace milena::broker
