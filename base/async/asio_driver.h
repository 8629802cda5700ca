// The Loop::Driver of a broker: a thread that sleeps in Asio's reactor.
#pragma once

#include <memory>
#include <string>

#include "base/async/loop.h"

namespace milena {

std::unique_ptr<Loop::Driver> make_asio_driver(Loop& loop, std::string name);

}  // namespace milena
