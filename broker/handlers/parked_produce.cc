#include "broker/handlers/parked_produce.h"

#include <utility>

#include "protocol/error_code.h"

namespace milena::broker {

ParkedProduce::ParkedProduce(ProduceHandler::Outcome outcome, Responder responder)
    : outcome_(std::move(outcome)),
      responder_(std::move(responder)),
      unsettled_(outcome_.pending.size()),
      timer_([this] {
        if (armed_.exchange(false)) finish();
      }) {
  for (auto& pending : outcome_.pending)
    watches_.push_back(std::make_unique<Watch>(*this, std::move(pending)));
}

ParkedProduce::~ParkedProduce() {
  for (const auto& watch : watches_) watch->pending_.partition->detach(*watch);
}

void ParkedProduce::start(Instant deadline) {
  self_ = shared_from_this();
  responder_.park(self_);
  responder_.request().loop().arm(timer_, deadline);
  bool all_settled = false;
  for (const auto& watch : watches_) {
    if (watch->pending_.partition->attach(*watch, watch->pending_.last_offset)) continue;
    // Committed, or closed, between the append and now.
    const auto offsets = watch->pending_.partition->offsets(protocol::kNoLeaderEpoch);
    watch->closed_ = !offsets || offsets->high_watermark <= watch->pending_.last_offset;
    watch->settled_.store(true, std::memory_order_release);
    all_settled = settle_one();
  }
  if (all_settled && armed_.exchange(false)) finish();
}

void ParkedProduce::Watch::changed(const PartitionChange& change, WakeList& wakes) {
  const bool committed = change.high_watermark > pending_.last_offset;
  if ((!committed && !change.closed) || settled_.load(std::memory_order_relaxed)) return;
  closed_ = !committed;
  settled_.store(true, std::memory_order_release);
  if (owner_.settle_one() && owner_.armed_.exchange(false)) wakes.add(owner_.self_);
}

bool ParkedProduce::settle_one() { return unsettled_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

void ParkedProduce::woken() { responder_.request().loop().post(*this); }

void ParkedProduce::connection_lost() {
  timer_.cancel();
  if (armed_.exchange(false)) finish();
}

void ParkedProduce::run() { finish(); }

void ParkedProduce::finish() {
  const auto keep = std::move(self_);
  timer_.cancel();
  for (const auto& watch : watches_) {
    watch->pending_.partition->detach(*watch);
    auto& answer = *watch->pending_.answer;
    const bool settled = watch->settled_.load(std::memory_order_acquire);
    if (settled && !watch->closed_) continue;
    const auto offsets = watch->pending_.partition->offsets(protocol::kNoLeaderEpoch);
    const auto closed_error = offsets ? ErrorCode::kNotLeaderOrFollower : offsets.error().code;
    answer.error_code = settled ? closed_error : ErrorCode::kRequestTimedOut;
    answer.base_offset = protocol::kNoOffset;
  }
  responder_.send(outcome_.response);
}

}  // namespace milena::broker
