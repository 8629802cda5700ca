#include "broker/handlers/produce_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "broker/handlers/parked_produce.h"

namespace milena::broker {

void ProduceService::handle(Call& call, const protocol::ProduceRequest& request, Responder responder) {
  if (!check_.has_questions(call, request)) return append(call, request, {}, std::move(responder));
  check_.ask(call, request, std::move(responder),
             [this, call, request](const ProduceHandler::Verdicts& verdicts, Responder answerer) mutable {
               append(call, request, verdicts, std::move(answerer));
             });
}

void ProduceService::append(Call& call, const protocol::ProduceRequest& request,
                            const ProduceHandler::Verdicts& verdicts, Responder responder) {
  auto outcome = handler_.append(call, request, verdicts, codecs_.of(call.request.loop()));
  if (request.acks == 0) {
    return outcome.failed ? responder.close("a produce with acks=0 failed") : responder.send_nothing();
  }
  if (outcome.pending.empty()) return responder.send(outcome.response);
  const Instant deadline = call.now + Instant(std::max(request.timeout_ms, 0));
  std::make_shared<ParkedProduce>(std::move(outcome), std::move(responder))->start(deadline);
}

}  // namespace milena::broker
