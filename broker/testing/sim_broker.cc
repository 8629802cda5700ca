#include "broker/testing/sim_broker.h"

#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "storage/log_directory.h"

namespace milena::broker::testing {

SimBroker::SimBroker(SimRuntime& runtime, MemFs& disk, std::vector<std::string> settings)
    : runtime_(runtime), disk_(disk), settings_(std::move(settings)), rng_(runtime.rng().next()) {}

SimBroker::~SimBroker() { end(); }

std::string SimBroker::start() {
  MILENA_ASSERT(broker_ == nullptr, "a broker is started twice");
  if (boots_ == 0) boot();
  ConfigSources sources{.overrides = settings_};
  sources.overrides.push_back("listeners=PLAINTEXT://127.0.0.1:" + std::to_string(kPort));
  auto settings = StaticConfig::read(sources);
  if (!settings) return settings.error();
  auto config = BrokerConfig::make(*std::move(settings), {.processors = 2, .descriptors_max = 4096});
  if (!config) return config.error();
  has_given_up_ = false;
  FrameServer* server = nullptr;
  broker_ = std::make_unique<Broker>(
      *std::move(config),
      Broker::World{.fs = disk_,
                    .clock = runtime_.clock(),
                    .rng = rng_,
                    .log = log_,
                    .runtime = runtime_,
                    .make_server =
                        [&server](Runtime& runtime, std::span<Loop* const> loops, NetLimits limits,
                                  RequestHandler& handler, const Logger& log) {
                          auto made =
                              std::make_unique<FrameServer>(runtime, loops, std::move(limits), handler, log);
                          server = made.get();
                          return made;
                        },
                    .on_fatal = [this] { has_given_up_ = true; }});
  if (const auto started = broker_->start(); !started) {
    end();
    return started.error();
  }
  server_ = server;
  return "";
}

void SimBroker::stop() { end(); }

void SimBroker::crash(MemFs::Loss loss) {
  // From here on nothing reaches the disk: what the process still does is as good as not done.
  disk_.fail({.code = EIO, .for_good = true});
  end();
  disk_.crash(loss);
  disk_.clear_faults();
  if (loss != MemFs::Loss::kNothing) boot();
}

void SimBroker::boot() {
  (void)disk_.make_directories(parent_directory(storage::kBootIdPath));
  const auto file = disk_.open(std::string(storage::kBootIdPath), OpenMode::kTruncate);
  if (file) (void)(*file)->write_at(0, as_bytes(std::to_string(++boots_)));
}

void SimBroker::end() {
  if (broker_ == nullptr) return;
  server_ = nullptr;
  broker_->stop();
  broker_.reset();
}

std::shared_ptr<FrameConnection> SimBroker::connect(std::shared_ptr<FramePeer> peer) {
  return server_ == nullptr ? nullptr : server_->connect(kPort, std::move(peer));
}

void SimBroker::keep_line(void* self, LogLevel, std::string_view line) {
  static_cast<SimBroker*>(self)->lines_.append(line).push_back('\n');
}

}  // namespace milena::broker::testing
