// ProducerIds: hands out producer ids from blocks that the controller has given to this broker.
//
// Shared by the event loops; thread-safe. No id is handed out twice, ever: a block is recorded in the
// metadata log before its first id is used, and what is left of one at a restart is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "broker/metadata/controller_gateway.h"
#include "protocol/types.h"

namespace milena::broker {

class ProducerIds {
 public:
  using Taker = std::move_only_function<void(Result<protocol::ProducerId>)>;

  // `broker_epoch` is asked for at each block.
  ProducerIds(ControllerGateway& controller, protocol::BrokerId self,
              std::function<std::int64_t()> broker_epoch)
      : controller_(controller), self_(self), broker_epoch_(std::move(broker_epoch)) {}

  // Calls taker at once, or on the metadata thread once a new block is there.
  void take(Taker taker);

 private:
  // The next id of the block; nothing if the block is used up, and then the taker waits for another one.
  std::optional<protocol::ProducerId> id_or_wait(Taker& taker);
  // Asks for a block if somebody waits for one and none is on its way.
  void fetch_block();
  void block_arrived(Result<protocol::ProducerId> first, std::int32_t count);

  ControllerGateway& controller_;
  const protocol::BrokerId self_;
  const std::function<std::int64_t()> broker_epoch_;
  Mutex mutex_;
  protocol::ProducerId next_ MILENA_GUARDED_BY(mutex_) = 0;
  protocol::ProducerId end_ MILENA_GUARDED_BY(mutex_) = 0;
  bool fetching_ MILENA_GUARDED_BY(mutex_) = false;
  std::vector<Taker> waiting_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
