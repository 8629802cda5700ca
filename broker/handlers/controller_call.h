// call_controller: how a request is answered that the controller decides: it is sent there as a message, and
// the answer leaves when what was decided is committed and in force here.
//
// The next request of the connection waits for that, whatever it is: it may read the metadata, or write to
// the topic that is being created. Other connections see the change when the image is published.
#pragma once

#include <utility>

#include "broker/metadata/controller_gateway.h"
#include "broker/net/request.h"

namespace milena::broker {

// On the request's loop, before its handler returns. What the message points to lives as long as the request.
// `respond(Responder, const Response&)` runs when the controller has answered; a controller that cannot
// answer closes the connection, as a broker that has lost its controller does.
template <class Response, class Respond>
void call_controller(ControllerGateway& controller, Responder responder,
                     controller::ControllerMessage message, Respond respond) {
  responder.request().hold_successors();
  Arena& arena = responder.request().arena();
  ask_controller<Response>(controller, std::move(message), arena,
                           [responder = std::move(responder),
                            respond = std::move(respond)](const Result<Response>& response) mutable {
                             if (!response) return responder.close("the metadata log cannot be written");
                             respond(std::move(responder), *response);
                           });
}

// The usual case: the controller's response is the answer.
template <class Response>
void call_controller(ControllerGateway& controller, Responder responder,
                     controller::ControllerMessage message) {
  call_controller<Response>(controller, std::move(responder), std::move(message),
                            [](Responder answer, const Response& response) { answer.send(response); });
}

}  // namespace milena::broker
