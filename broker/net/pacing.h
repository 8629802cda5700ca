// Pacing: keeps connections within one machine from being paced.
//
// Where BBR is the system's congestion control, every connection is paced by timers. Between two processes of
// one machine nothing is lost and no queue builds up, so that only costs: large fetches take twice the
// processor time. Pacing cannot be taken off a connection that had it once, so the listening socket hands out
// Reno, which is in every kernel, and connections from elsewhere get back what the system meant them to have.
// Always: a socket that cannot be changed stays as it is.
#pragma once

#include <string>

namespace milena::broker {

class Pacing {
 public:
  // Before the socket listens.
  void avoid_for_accepted(int listening_socket);
  // For a connection from another machine.
  void restore(int accepted_socket) const;

 private:
  std::string system_;  // the congestion control that was replaced, if any
};

}  // namespace milena::broker
