// FakeController: a ControllerGateway that keeps messages until the test answers them.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <variant>

#include "broker/metadata/controller_gateway.h"

namespace milena::broker::testing {

class FakeController final : public ControllerGateway {
 public:
  void send(controller::ControllerMessage message, Arena& /*arena*/, Answer answer) override {
    waiting_.push_back({std::move(message), std::move(answer)});
  }

  std::size_t waiting() const { return waiting_.size(); }
  // The request of the oldest message, which is a Q.
  template <class Q>
  const Q& oldest() const {
    return std::get<Q>(waiting_.front().message.request);
  }
  // Answers the oldest message.
  void answer(Result<controller::ControllerResponse> response) {
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    first.answer(std::move(response));
  }

 private:
  struct Waiting {
    controller::ControllerMessage message;
    Answer answer;
  };
  std::deque<Waiting> waiting_;
};

}  // namespace milena::broker::testing
