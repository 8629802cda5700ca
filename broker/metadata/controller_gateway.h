// ControllerGateway: how the rest of the broker talks to the active controller of the cluster: in messages,
// wherever the controller is. Today it is in this process (ActiveController).
//
// Thread-safe; outlives everyone who has it.
#pragma once

#include <functional>
#include <utility>
#include <variant>

#include "base/arena.h"
#include "base/result.h"
#include "controller/controller_message.h"

namespace milena::broker {

class ControllerGateway {
 public:
  using Answer = std::move_only_function<void(Result<controller::ControllerResponse>)>;

  virtual ~ControllerGateway() = default;

  // What the message points to lives until `answer` has run, and so does `arena`, which the response points
  // to. `answer` runs once, maybe before send() returns, on a thread of the metadata's. It runs when what the
  // controller has decided is committed and this node has published it.
  // An error: the controller has not answered. What it was asked for may still come into force.
  //   KAFKA_STORAGE_ERROR   the metadata log cannot be written
  virtual void send(controller::ControllerMessage message, Arena& arena, Answer answer) = 0;
};

// The same for one who knows what the answer is: `done` gets a Result<Response>.
template <class Response, class Done>
void ask_controller(ControllerGateway& gateway, controller::ControllerMessage message, Arena& arena,
                    Done done) {
  gateway.send(std::move(message), arena,
               [done = std::move(done)](Result<controller::ControllerResponse> answer) mutable {
                 if (!answer) return done(Result<Response>(std::unexpected(answer.error())));
                 done(Result<Response>(std::get<Response>(std::move(*answer))));
               });
}

}  // namespace milena::broker
