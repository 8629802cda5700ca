#include "bench/load/options.h"

#include <CLI/CLI.hpp>
#include <map>

#include "bench/load/fail.h"

namespace milena::bench {
namespace {

using protocol::CompressionType;
using Mode = Options::Mode;

const CLI::AsSizeValue kSizes(false);  // 64K is 65536

class CommandLine {
 public:
  CommandLine(int argc, char** argv) {
    app_.require_subcommand(1);
    add_produce();
    add_fetch();
    add_latency();
    add_idle();
    add_metadata();
    add_partitions();
    add_group();
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      std::exit(app_.exit(error));
    }
    options_.broker = parse_address(broker_);
    if ((options_.extent.bytes == 0) == (options_.extent.seconds == 0)) {
      fail_run("give either --bytes or --seconds");
    }
  }

  const Options& options() const { return options_; }

 private:
  CLI::App* add_mode(const char* name, const char* what, Mode mode, int connections) {
    CLI::App* command = app_.add_subcommand(name, what);
    // Comes before the options of the mode, which may change what it sets.
    command->preparse_callback([this, mode, connections](std::size_t) {
      options_.mode = mode;
      options_.connections = connections;
      options_.extent.seconds = mode == Mode::kPartitions || mode == Mode::kGroup ? 1 : 0;
      options_.shape.batch_bytes = mode == Mode::kLatency ? 16 * 1024 : 64 * 1024;
    });
    command->add_option("--broker", broker_, "HOST:PORT")->required();
    command->add_option("--pid", options_.pid, "process id of the broker, to measure it");
    command->add_option("--topic", options_.topic)->capture_default_str();
    command->add_option("--partitions", options_.partitions)
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->add_flag("--create", options_.create, "create the topic first, unless it is there");
    command->add_option("--connections", options_.connections, fmt::format("default {}", connections))
        ->check(CLI::PositiveNumber);
    return command;
  }

  void add_extent(CLI::App* command) {
    command->add_option("--warmup-bytes", options_.warmup_bytes, "before the measured stretch")
        ->transform(kSizes);
    command->add_option("--bytes", options_.extent.bytes, "of batches, in all")->transform(kSizes);
    command->add_option("--seconds", options_.extent.seconds);
  }

  void add_seconds(CLI::App* command) {
    command->add_option("--seconds", options_.extent.seconds)->required()->check(CLI::PositiveNumber);
  }

  void add_records(CLI::App* command) {
    command->add_option("--in-flight", options_.in_flight, "requests under way on a connection")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->add_option("--record-bytes", options_.shape.record_bytes)
        ->capture_default_str()
        ->transform(kSizes);
    command->add_option("--acks", options_.acks)->capture_default_str()->check(CLI::IsMember({-1, 0, 1}));
  }

  void add_batch_bytes(CLI::App* command, const char* what) {
    command->add_option("--batch-bytes", options_.shape.batch_bytes, what)->transform(kSizes);
  }

  void add_produce() {
    CLI::App* command = add_mode("produce", "append batches", Mode::kProduce, 4);
    add_extent(command);
    add_records(command);
    add_batch_bytes(command, "as they travel, default 65536; 0: one record a batch");
    command->add_option("--codec", options_.shape.codec, "none, gzip, snappy, lz4, zstd")
        ->transform(
            CLI::Transformer(std::map<std::string, CompressionType>{{"none", CompressionType::kNone},
                                                                    {"gzip", CompressionType::kGzip},
                                                                    {"snappy", CompressionType::kSnappy},
                                                                    {"lz4", CompressionType::kLz4},
                                                                    {"zstd", CompressionType::kZstd}}));
    command->add_flag("--idempotent", options_.idempotent, "a producer id for each connection");
    auto* transactional =
        command->add_option("--transactional-ms", options_.transactional_ms,
                            "each connection commits transactions that are open for so long; 0: none");
    command->add_option("--rate", options_.rate, "records per second over all, in open loop; 0: no limit")
        ->excludes(transactional);
  }

  void add_fetch() {
    CLI::App* command = add_mode("fetch", "read batches", Mode::kFetch, 4);
    add_extent(command);
    command->add_option("--max-bytes", options_.max_bytes)->capture_default_str()->transform(kSizes);
    command->add_option("--partition-max-bytes", options_.partition_max_bytes)
        ->capture_default_str()
        ->transform(kSizes);
    command->add_option("--max-wait-ms", options_.max_wait_ms)->capture_default_str();
    command->add_flag("--sessions", options_.sessions, "incremental fetch sessions (KIP-227)");
    command
        ->add_option_function<std::string>(
            "--from", [this](const std::string& from) { options_.from_latest = from == "latest"; })
        ->check(CLI::IsMember({"earliest", "latest"}));
  }

  void add_latency() {
    CLI::App* command = add_mode("latency", "append at a rate, and see records arrive", Mode::kLatency, 1);
    add_seconds(command);
    add_records(command);
    command->add_option("--rate", options_.rate, "records per second over all")
        ->required()
        ->check(CLI::PositiveNumber);
    add_batch_bytes(command, "at most, for records that are due together; default 16384");
  }

  void add_idle() {
    CLI::App* command = add_mode("idle", "open connections, and leave them alone", Mode::kIdle, 10'000);
    add_seconds(command);
  }

  void add_metadata() {
    CLI::App* command = add_mode("metadata", "ask for all topics", Mode::kMetadata, 1);
    add_seconds(command);
  }

  void add_partitions() {
    CLI::App* command = add_mode("partitions", "create many, and fetch from all", Mode::kPartitions, 1);
    command->add_option("--count", options_.partitions, "partitions to create")
        ->required()
        ->check(CLI::PositiveNumber);
    command->add_option("--seconds", options_.extent.seconds, "of each row of fetches, default 1");
  }

  void add_group() {
    CLI::App* command =
        add_mode("group", "rebalance a group, a member for each connection", Mode::kGroup, 100);
    command
        ->add_option_function<std::string>(
            "--protocol",
            [this](const std::string& protocol) { options_.consumer_protocol = protocol == "consumer"; },
            "classic or consumer (KIP-848), default classic")
        ->check(CLI::IsMember({"classic", "consumer"}));
    command->add_option("--rounds", options_.rounds, "rebalances; the median counts")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
  }

  CLI::App app_{"Speaks Kafka's protocol as fast as a broker can listen, and measures the broker."};
  Options options_;
  std::string broker_;
};

}  // namespace

Options parse_options(int argc, char** argv) { return CommandLine(argc, argv).options(); }

}  // namespace milena::bench
