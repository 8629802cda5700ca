// null_broker [--port N] [--data DIR]: what serving Kafka's produce and fetch costs when nothing is decided.
//
// Prints BROKERS=127.0.0.1:PORT when it listens and ends on SIGTERM or SIGINT. Without --data its files lie
// in a directory of its own under /tmp, which is removed at the end.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "bench/null_broker/server.h"
#include "bench/null_broker/stop.h"

namespace {

struct Options {
  std::uint16_t port = 0;
  std::string data;
};

[[noreturn]] void show_usage() {
  std::fprintf(stderr, "usage: null_broker [--port N] [--data DIR]\n");
  std::exit(2);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) show_usage();
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    if (name == "--port") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), options.port);
      if (error != std::errc{} || end != value.data() + value.size()) show_usage();
    } else if (name == "--data") {
      options.data = value;
    } else {
      show_usage();
    }
  }
  return options;
}

int stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

void allow_many_files() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  Options options = parse(argc, argv);
  const bool own_directory = options.data.empty();
  if (own_directory) {
    options.data = "/tmp/null_broker-XXXXXX";
    if (mkdtemp(options.data.data()) == nullptr) milena::bench::stop_with_errno("make a directory");
  } else {
    std::filesystem::create_directories(options.data);
  }
  const int stop = stop_signals();
  allow_many_files();
  {
    milena::bench::Server server(options.port, options.data);
    std::printf("BROKERS=127.0.0.1:%u\n", unsigned{server.port()});
    std::fflush(stdout);
    server.run(stop);
  }
  if (own_directory) std::filesystem::remove_all(options.data);
  return 0;
}
