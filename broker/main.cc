// milena: reads the configuration, starts a Broker, waits for a signal, stops it.
//
// milena verify DIR: looks at a log directory of a broker that is not running (broker/verify.h).
// milena wire KIND FILE: prints frames and logs as JSON (broker/wire/command.h).
//
// Exit codes: 0 after a stop by SIGTERM or SIGINT; 1 with one line on stderr when it cannot start, or when
// its last log directory has failed; 105 and above when the command line is wrong (CLI11's). A signal before
// the broker serves, and a second one while it stops, end the process at once, which is as safe as kill -9.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/loop.h"
#include "base/async/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/posix_fs.h"
#include "base/result.h"
#include "base/rng.h"
#include "broker/broker.h"
#include "broker/config/broker_config.h"
#include "broker/machine.h"
#include "broker/verify.h"
#include "broker/wire/command.h"

namespace milena::broker {
namespace {

struct CommandLine {
  std::string file;
  std::vector<std::string> overrides;
  std::optional<std::uint16_t> port;
  std::optional<std::string> data;
};

// Whether or not anybody reads it: a closed stream must not end the process.
void print_line(std::FILE* stream, const std::string& line) {
  std::fputs((line + '\n').c_str(), stream);
  std::fflush(stream);
}

int refuse_to_start(const std::string& why) {
  print_line(stderr, "milena: " + why);
  return 1;
}

std::expected<BrokerConfig, std::string> read_configuration(const CommandLine& line, Fs& fs) {
  ConfigSources sources{.file_name = line.file,
                        .environment = environment_variables(),
                        .overrides = line.overrides,
                        .port = line.port,
                        .data = line.data};
  if (!line.file.empty()) {
    const auto bytes = read_file(fs, line.file);
    if (!bytes)
      return std::unexpected(fmt::format("cannot read {}: {}", line.file, to_string(bytes.error())));
    sources.file_text = as_text(*bytes);
  }
  MILENA_TRY(StaticConfig settings, StaticConfig::read(sources));
  return BrokerConfig::make(std::move(settings), look_at_machine(fs));
}

void tell_where(const BrokerConfig& config, const Broker& broker, const Logger& log) {
  log.info("node {} of cluster {}", config.node_id.value, broker.cluster_id());
  log.info("listening on {}", fmt::join(broker.addresses(), ", "));
  if (const auto http = broker.metrics_address(); !http.empty()) {
    log.info("metrics on http://{}/metrics, health checks on /health/live and /health/ready", http);
  }
  for (const ListenerConfig& listener : config.listeners) {
    if (listener.for_controllers)
      log.info("listener {} stays closed: a single node needs no port for its quorum", listener.name);
  }
  log.info("data in {}", fmt::join(config.log_dirs, ", "));
  log.info("durability {}: {}", to_string(config.durability),
           config.durability == Durability::kFsync
               ? "what is acknowledged survives a power cut"
               : "what is acknowledged survives kill -9, not a power cut");
}

int serve(const CommandLine& line) {
  give_back_freed_memory();
  ignore_fatal_io_signals();
  PosixFs fs;
  const auto config = read_configuration(line, fs);
  if (!config) return refuse_to_start(config.error());

  const Logger log(config->log_level);
  for (const std::string& warning : config->settings.warnings()) log.warn("{}", warning);
  const SystemClock clock;
  SystemRng rng;
  ThreadRuntime runtime;
  Loop control(clock, "milena");
  std::atomic<bool> has_failed = false;
  const auto fail = [&] {
    log.error("every log directory has failed: the broker stops");
    has_failed = true;
    control.post([&] { control.stop(); });
  };
  Broker broker(*config,
                {.fs = fs, .clock = clock, .rng = rng, .log = log, .runtime = runtime, .on_fatal = fail});
  if (const auto started = broker.start(); !started) return refuse_to_start(started.error());
  tell_where(*config, broker, log);

  const StopSignals signals(control, [&](int signal) {
    log.info("stopping: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    control.stop();
  });
  print_line(stdout, fmt::format("BROKERS={}", fmt::join(broker.addresses(), ",")));
  if (const auto http = broker.metrics_address(); !http.empty()) print_line(stdout, "METRICS=" + http);
  control.run();
  broker.stop();
  return has_failed ? 1 : 0;
}

int verify(const VerifyOptions& options) {
  PosixFs fs;
  const auto report = verify_log_directory(fs, options);
  fmt::print("{}", report.text);
  return report.is_fine ? 0 : 1;
}

CLI::App* add_wire(CLI::App& app, wire::CommandOptions& options) {
  auto* command =
      app.add_subcommand("wire", "Print frames, record batches and the broker's own records as JSON");
  const auto names = [](std::span<const std::string_view> of) {
    return CLI::IsMember(std::vector<std::string>(of.begin(), of.end()));
  };
  command->add_option("kind", options.kind, "what the input is; `encode` makes frames of printed ones")
      ->required()
      ->check(names(wire::kCommandKinds));
  command->add_option("files", options.files, "\"-\" or none is the standard input");
  command->add_option("--api", options.api, "of a response: Fetch, or 1");
  command->add_option("--version", options.version, "of a response: the version of its request");
  command->add_option("--requests", options.requests,
                      "of responses: a file with the requests of their connection");
  command->add_option("--records", options.records, "whose the records inside frames are")
      ->check(names(wire::kRecordKinds));
  command->add_option("--framing", options.framing, "whether the size stands in front of each frame")
      ->check(names(wire::kFramings));
  command->add_flag("--hex", options.is_hex, "the bytes are hex digits");
  command->add_flag("--raw", options.is_raw,
                    "bytes as they are, not decoded: so that frames can be encoded again");
  command->add_flag("--pretty", options.is_pretty, "for people: one value a line");
  return command;
}

int print_wire(const wire::CommandOptions& options) {
  PosixFs fs;
  const auto report_error = [](std::string_view why) {
    print_line(stderr, fmt::format("milena wire: {}", why));
  };
  const int code = wire::run_command(
      fs, options, [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); },
      report_error);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  report_error("the output could not be written");
  return 1;
}

}  // namespace
}  // namespace milena::broker

int main(int argc, char** argv) {
  milena::broker::CommandLine line;
  CLI::App app("A Kafka-compatible broker. Nothing is required: the defaults just work.", "milena");
  app.add_option("server.properties", line.file, "configuration in Kafka's format");
  app.add_option("--override", line.overrides, "key=value, stronger than the file and KAFKA_* variables")
      ->allow_extra_args(false);
  app.add_option("--port", line.port, "port of the first listener; 0 picks a free one");
  app.add_option("--data", line.data, "directory of the data (log.dirs)");
  milena::broker::VerifyOptions checked;
  auto* verify = app.add_subcommand("verify", "Look at a log directory of a broker that is not running");
  verify->add_option("directory", checked.directory, "one of log.dirs")->required();
  verify
      ->add_option(
          "--adopt", checked.adopt,
          "orders-0: write the partition.metadata that this partition has lost, with the topic id that the "
          "metadata log has for it; makes it anew, empty, where its directory is gone")
      ->allow_extra_args(false);
  verify->add_option("--metadata", checked.metadata_directory,
                     "the directory that holds __cluster_metadata-0, if it is another one");
  milena::wire::CommandOptions printed;
  const auto* wire = milena::broker::add_wire(app, printed);
  app.set_version_flag("--version", "milena " MILENA_VERSION);
  CLI11_PARSE(app, argc, argv);
  if (verify->parsed()) return milena::broker::verify(checked);
  if (wire->parsed()) return milena::broker::print_wire(printed);
  try {
    return milena::broker::serve(line);
  } catch (const std::exception& error) {  // no thread, no descriptor for an event loop, no memory
    return milena::broker::refuse_to_start(
        fmt::format("the system gives no more threads, descriptors or memory: {}", error.what()));
  }
}
