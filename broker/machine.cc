#include "broker/machine.h"

#include <malloc.h>
#include <netdb.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace milena::broker {
namespace {

std::size_t usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(CPU_COUNT(&set), 1));
}

// The number in a file of the kernel's; none when there is no such file, or it says "max".
std::optional<std::uint64_t> number_in(Fs& fs, const std::string& path) {
  const auto content = read_file(fs, path);
  if (!content) return std::nullopt;
  const std::string_view text = as_text(*content);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && number > 0 ? std::optional(number) : std::nullopt;
}

std::uint64_t memory_bytes(Fs& fs) {
  const auto physical = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return std::min(physical, number_in(fs, "/sys/fs/cgroup/memory.max").value_or(physical));
}

std::size_t raised_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

// A socket can be bound to an address of this machine only.
bool is_bindable(const addrinfo& address) {
  const int socket = ::socket(address.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  const bool bound = ::bind(socket, address.ai_addr, address.ai_addrlen) == 0;
  ::close(socket);
  return bound;
}

bool leads_to_this_machine(std::string_view host) {
  if (is_loopback(host)) return true;
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(std::string(host).c_str(), nullptr, &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (is_bindable(*address)) return true;
  }
  return false;
}

}  // namespace

MachineFacts look_at_machine(Fs& fs) {
  return {.processors = usable_processors(),
          .memory_bytes = memory_bytes(fs),
          .descriptors_max = raised_descriptors(),
          .mappings_max = number_in(fs, "/proc/sys/vm/max_map_count").value_or(MachineFacts{}.mappings_max),
          .is_this_machine = leads_to_this_machine};
}

void give_back_freed_memory() {
  constexpr int kLarge = 64 * 1024;
  // NOLINTBEGIN(concurrency-mt-unsafe): main() calls it before there are other threads
  ::mallopt(M_MMAP_THRESHOLD, kLarge);  // setting it also keeps it from growing
  ::mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
  ::mallopt(M_ARENA_MAX, 2);
  // NOLINTEND(concurrency-mt-unsafe)
}

std::vector<std::pair<std::string, std::string>> environment_variables() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace milena::broker
