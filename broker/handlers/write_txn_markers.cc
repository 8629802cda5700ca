#include "broker/handlers/write_txn_markers.h"

#include <atomic>
#include <memory>
#include <utility>

namespace milena::broker {
namespace {

using protocol::WriteTxnMarkersRequest;
using protocol::WriteTxnMarkersResponse;
using Result = WriteTxnMarkersResponse::WritableTxnMarkerResult;
using TopicResult = Result::WritableTxnMarkerTopicResult;
using PartitionResult = TopicResult::WritableTxnMarkerPartitionResult;

// The answer, in the request's arena, and how much of it is missing.
struct Answer {
  Responder responder;
  WriteTxnMarkersResponse response;
  std::atomic<std::size_t> missing;

  void settle_one() {
    if (missing.fetch_sub(1, std::memory_order_acq_rel) == 1) responder.send(response);
  }
};

WriteTxnMarkersResponse blank_answer(const WriteTxnMarkersRequest& request, Arena& arena,
                                     std::size_t& partitions) {
  WriteTxnMarkersResponse response;
  response.markers = arena.array<Result>(request.markers.size());
  for (std::size_t m = 0; m < request.markers.size(); ++m) {
    const auto& marker = request.markers[m];
    response.markers[m].producer_id = marker.producer_id;
    response.markers[m].topics = arena.array<TopicResult>(marker.topics.size());
    for (std::size_t t = 0; t < marker.topics.size(); ++t) {
      auto& topic = response.markers[m].topics[t];
      topic.name = marker.topics[t].name;
      topic.partitions = arena.array<PartitionResult>(marker.topics[t].partition_indexes.size());
      partitions += topic.partitions.size();
    }
  }
  return response;
}

}  // namespace

void WriteTxnMarkersHandler::handle(Call& call, const WriteTxnMarkersRequest& request, Responder responder) {
  std::size_t partitions = 0;
  const auto response = blank_answer(request, call.arena, partitions);
  // One more than there are partitions, so that nothing is sent while this function still looks at the
  // request.
  const auto answer = std::make_shared<Answer>(std::move(responder), response, partitions + 1);
  for (std::size_t m = 0; m < request.markers.size(); ++m) {
    const auto& asked = request.markers[m];
    const TransactionMarker marker{.producer_id = asked.producer_id,
                                   .producer_epoch = asked.producer_epoch,
                                   .coordinator_epoch = asked.coordinator_epoch,
                                   .commit = asked.transaction_result,
                                   .transaction_version = asked.transaction_version};
    for (std::size_t t = 0; t < asked.topics.size(); ++t) {
      const auto& topic = asked.topics[t];
      for (std::size_t p = 0; p < topic.partition_indexes.size(); ++p) {
        PartitionResult& result = response.markers[m].topics[t].partitions[p];
        result.partition_index = topic.partition_indexes[p];
        writer_.write(marker, topic.name, result.partition_index, [answer, &result](ErrorCode error) {
          result.error_code = error;
          answer->settle_one();
        });
      }
    }
  }
  answer->settle_one();
}

}  // namespace milena::broker
