#include "broker/net/net_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "broker/net/connection.h"
#include "protocol/api.gen.h"

namespace milena::broker {
namespace {

RequestMemory::Limits memory_of_one(const NetLimits& limits, std::size_t loops) {
  const std::size_t held = limits.request_bytes_max / loops;
  return {.held_max = held,
          .held_per_connection_max = std::max<std::size_t>(held / 16, 2 * 1024 * 1024),
          .partial_max = limits.partial_bytes_max / loops};
}

// "Fetch (1) version 3"
std::string request_text(const protocol::RequestStart& request) {
  const auto* api = protocol::find_api(request.key);
  return fmt::format("{} ({}) version {}", api != nullptr ? api->name : "unknown API", request.key,
                     request.version);
}

// "client id readers, software apache-kafka-java 4.3.1"
std::string client_text(const ConnectionInfo& about, std::string_view client_id) {
  std::string text = client_id.empty() ? "no client id" : fmt::format("client id {}", escaped(client_id));
  if (about.client_software_name.empty()) return text + ", software unknown";
  return text + fmt::format(", software {} {}", escaped(about.client_software_name),
                            escaped(about.client_software_version));
}

}  // namespace

NetLoop::NetLoop(Loop& loop, std::size_t loops, const NetLimits& limits, ConnectionCounts& counts,
                 UnservedRequests& unserved, RequestHandler& handler, const Logger& log)
    : loop_(loop),
      limits_(limits),
      counts_(counts),
      unserved_(unserved),
      handler_(handler),
      log_(log),
      read_scratch_(std::make_unique_for_overwrite<std::byte[]>(kReadScratch)),
      write_scratch_(std::make_unique_for_overwrite<std::byte[]>(kWriteScratch)),
      buffers_(kKeepBuffers),
      requests_(loop),
      memory_(memory_of_one(limits, loops)),
      memory_timer_([this] {
        memory_.tick(loop_.now());
        watch_memory();
      }) {}

NetLoop::~NetLoop() { MILENA_ASSERT(quiet(), "a network loop is destroyed while requests are under way"); }

void NetLoop::watch_memory() {
  if (memory_.anyone_waits() && !memory_timer_.armed()) loop_.arm(memory_timer_, loop_.now() + kMemoryTick);
}

Buffer NetLoop::lend_warm_buffer() {
  if (warm_lent_bytes_ >= kWarmTotal) return {};
  Buffer buffer = buffers_.take(warm_lent_bytes_ < kLargeWarmTotal ? kLargeWarmBytes : kSmallWarmBytes);
  if (buffer) warm_lent_bytes_ += buffer.capacity();
  return buffer;
}

// The buffer itself goes back to its pool.
void NetLoop::take_back_warm_buffer(Buffer buffer) {
  warm_lent_bytes_ -= buffer.capacity();
  if (warm_lent_bytes_ == 0) buffers_.trim(kKeepBuffersIdle);
}

NetLoop::Place NetLoop::add(std::shared_ptr<Connection> connection) {
  return connections_.insert(connections_.end(), std::move(connection));
}

void NetLoop::remove(Place place) {
  counts_.leave((*place)->info().listener, (*place)->info().peer.host);
  connections_.erase(place);
}

void NetLoop::close_all() {
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->stop();
}

void NetLoop::complain(const ConnectionInfo& about, std::string_view what) {
  const Instant now = loop_.now();
  if (now - complaints_since_ >= Instant{1000}) {
    if (complaints_ > kComplaintsPerSecond) {
      log_.warn("{} more connections were closed for such reasons", complaints_ - kComplaintsPerSecond);
    }
    complaints_since_ = now;
    complaints_ = 0;
  }
  if (++complaints_ > kComplaintsPerSecond) return;
  log_.warn("closing connection {} from {} on {}: {}", about.id, about.peer.to_string(), about.listener,
            what);
}

bool NetLoop::may_complain() const {
  return loop_.now() - complaints_since_ >= Instant{1000} || complaints_ < kComplaintsPerSecond;
}

void NetLoop::complain(const ConnectionInfo& about, const protocol::RequestStart& request,
                       std::string_view what) {
  const std::string from = client_text(about, request.client_id);
  if (what != kUnserved) return complain(about, fmt::format("{}; {}, {}", what, request_text(request), from));
  const std::string unserved = fmt::format("{} is not served here; {}", request_text(request), from);
  // Whoever finds the log busy is named at its next attempt.
  if (!may_complain() || !unserved_.is_first(about.peer.host + " " + unserved)) return;
  complain(about, unserved + " (this client is not named again)");
}

}  // namespace milena::broker
