// ActiveController: the active controller of the cluster on the node that leads the metadata quorum.
//
// Owned by ClusterMetadata. send() from any thread; the rest happens on the metadata thread. All messages
// that wait are taken at once: the controller decides each on what those before it have decided, and appends;
// one sync commits them all; the image is published; they are answered.
// Always: an answer leaves when everything that was in the log when it was decided is published, whether it
// brings records or not. What the controller decides on may run ahead of the image; what clients see does
// not. Fails: KAFKA_STORAGE_ERROR for every message whose records, or those before it, cannot be committed.
// After a batch that cannot be replayed nothing is decided any more.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/metadata/controller_gateway.h"
#include "broker/metadata/image_publisher.h"
#include "broker/metadata/metadata_thread.h"
#include "broker/metadata/quorum_driver.h"
#include "controller/controller.h"

namespace milena::broker {

class ActiveController final : public ControllerGateway {
 public:
  // `controller` stands where the publisher does: it is made when the first batch of this node's epoch is
  // committed.
  ActiveController(controller::Controller controller, QuorumDriver& quorum, ImagePublisher& publisher,
                   MetadataThread& thread, const Clock& clock, const Logger& log);

  // Commits what a controller writes first. Before any message.
  Status activate(const controller::Bootstrap& bootstrap);

  void send(controller::ControllerMessage message, Arena& arena, Answer answer) override;

 private:
  struct Waiting {
    controller::ControllerMessage message;
    Arena* arena;
    Answer answer;
  };
  // What has been decided, and may be told when everything below `after` is published.
  struct Decided {
    Answer answer;
    Result<controller::ControllerResponse> response;
    protocol::Offset after;
  };

  void answer_all();
  Decided decide(Waiting waiting);
  Status append(std::span<const controller::MetadataRecord> records);
  Status replay(BytesView batch);
  Status commit();

  const Clock& clock_;
  const Logger& log_;
  QuorumDriver& quorum_;
  ImagePublisher& publisher_;
  MetadataThread& thread_;
  controller::Controller controller_;
  bool is_broken_ = false;  // what was appended cannot be replayed

  Mutex mutex_;
  std::vector<Waiting> waiting_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
