#include "broker/handlers/init_producer_id.h"

#include <utility>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

protocol::InitProducerIdResponse refusal(ErrorCode error) {
  protocol::InitProducerIdResponse response;
  response.error_code = error;
  response.producer_epoch = -1;
  return response;
}

}  // namespace

void InitProducerIdHandler::handle(Call& call, const protocol::InitProducerIdRequest& request,
                                   Responder responder) {
  const bool has_id = request.producer_id != protocol::kNoProducerId;
  const bool has_epoch = request.producer_epoch != -1;
  if (has_id != has_epoch) return responder.send(refusal(ErrorCode::kInvalidRequest));
  if (request.transactional_id) {
    if (request.transactional_id->empty()) return responder.send(refusal(ErrorCode::kInvalidRequest));
    return transactions_.init_producer_id(call, request, std::move(responder));
  }
  ids_.take([responder = std::move(responder)](Result<protocol::ProducerId> id) mutable {
    if (!id) return responder.send(refusal(id.error().code));
    responder.send(protocol::InitProducerIdResponse{.producer_id = *id});
  });
}

}  // namespace milena::broker
