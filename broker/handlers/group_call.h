// What a request for the group coordinator says about who asks.
#pragma once

#include <string>
#include <string_view>

#include "broker/handlers/call.h"
#include "coordinator/group/request_context.h"

namespace milena::broker {

// As java.net.InetAddress prints an address without a name: "/127.0.0.1", "/0:0:0:0:0:0:0:1". `numeric` is
// what inet_ntop writes.
std::string java_address(std::string_view numeric);

// Views live as long as the request.
coordinator::RequestContext group_context(const Call& call);

}  // namespace milena::broker
