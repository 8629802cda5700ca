// change_metadata: how a request that changes the cluster's metadata is answered: the controller decides on
// the metadata thread, and the answer leaves when the records are on stable storage and in force.
//
// The next request of the connection waits for that, whatever it is: it may read the metadata, or write to
// the topic that is being created. Other connections see the change when the image is published.
#pragma once

#include <memory>
#include <utility>

#include "broker/handlers/call.h"
#include "broker/metadata/metadata_log.h"
#include "broker/net/request.h"

namespace milena::broker {

// On the request's loop, before its handler returns. `verb(Controller&, now_ms, Arena&)` returns an Outcome.
// `respond(Responder, response)` runs once that is committed; a metadata log that cannot be written closes
// the connection, as a broker that has lost its controller does.
template <class Response, class Verb, class Respond>
void change_metadata(MetadataLog& log, Responder responder, Verb verb, Respond respond) {
  struct Change {
    Responder responder;
    Verb verb;
    Respond respond;
    controller::MetadataImagePtr image{};  // the response may point into it
    Response response{};
  };
  responder.request().hold_successors();
  auto change = std::make_shared<Change>(Change{std::move(responder), std::move(verb), std::move(respond)});
  log.submit({.decide =
                  [change](controller::Controller& controller, std::int64_t now_ms) {
                    change->image = controller.image();
                    auto outcome = change->verb(controller, now_ms, change->responder.request().arena());
                    change->response = outcome.response;
                    return std::move(outcome.records);
                  },
              .done =
                  [change](Status committed) {
                    if (!committed) return change->responder.close("the metadata log cannot be written");
                    change->respond(std::move(change->responder), change->response);
                  }});
}

// The usual case: the outcome's response is the answer.
template <class Response, class Verb>
void change_metadata(MetadataLog& log, Responder responder, Verb verb) {
  change_metadata<Response>(log, std::move(responder), std::move(verb),
                            [](Responder answer, const Response& response) { answer.send(response); });
}

}  // namespace milena::broker
