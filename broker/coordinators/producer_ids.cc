#include "broker/coordinators/producer_ids.h"

#include <memory>
#include <utility>

#include "protocol/allocate_producer_ids.gen.h"
#include "protocol/error_code.h"

namespace milena::broker {

void ProducerIds::take(Taker taker) {
  if (const auto id = id_or_wait(taker)) return taker(*id);
  fetch_block();
}

std::optional<protocol::ProducerId> ProducerIds::id_or_wait(Taker& taker) {
  const MutexLock lock(mutex_);
  if (next_ == end_) {
    waiting_.push_back(std::move(taker));
    return std::nullopt;
  }
  const auto id = next_;
  ++next_;
  return id;
}

void ProducerIds::fetch_block() {
  {
    const MutexLock lock(mutex_);
    if (waiting_.empty() || std::exchange(fetching_, true)) return;
  }
  using protocol::AllocateProducerIdsResponse;
  auto arena = std::make_shared<Arena>();
  Arena& memory = *arena;
  ask_controller<AllocateProducerIdsResponse>(
      controller_,
      {.request = protocol::AllocateProducerIdsRequest{.broker_id = self_, .broker_epoch = broker_epoch_()}},
      memory, [this, arena = std::move(arena)](const Result<AllocateProducerIdsResponse>& response) {
        if (!response) return block_arrived(std::unexpected(response.error()), 0);
        if (response->error_code != ErrorCode::kNone) {
          return block_arrived(fail(response->error_code, "no block of producer ids"), 0);
        }
        block_arrived(response->producer_id_start, response->producer_id_len);
      });
}

void ProducerIds::block_arrived(Result<protocol::ProducerId> first, std::int32_t count) {
  std::vector<Taker> waiting;
  {
    const MutexLock lock(mutex_);
    waiting.swap(waiting_);
    fetching_ = false;
    if (first) {
      next_ = *first;
      end_ = *first + count;
    }
  }
  for (auto& taker : waiting) {
    if (first) {
      take(std::move(taker));
    } else {
      taker(std::unexpected(first.error()));
    }
  }
}

}  // namespace milena::broker
