#include "sim/world.h"

#include <fmt/format.h>

#include <utility>

#include "sim/scripts.h"

namespace milena::sim {
namespace {

constexpr Instant kForEver{300'000};

}  // namespace

World::World(Options options)
    : options_(std::move(options)),
      runtime_(options_.seed),
      disk_(options_.seed),
      broker_(runtime_, disk_, settings()),
      network_(runtime_, broker_) {}

World::~World() = default;

std::vector<std::string> World::settings() const {
  std::vector<std::string> out{
      "log.dirs=/d0,/d1",
      "auto.create.topics.enable=false",
      "num.network.threads=2",
      "background.threads=2",
      std::string("milena.durability=") + (options_.is_fsync ? "fsync" : "page-cache"),
  };
  out.insert(out.end(), options_.settings.begin(), options_.settings.end());
  return out;
}

void World::note(std::string what) { events_ += fmt::format("{:>7} ms  {}\n", now().count(), what); }

void World::run_for(Instant duration) {
  runtime_.run_until([&] { return !is_well(); }, duration);
}

void World::add(std::string name, Co<> script) {
  scripts_.push_back({std::move(name), std::move(script)});
  scripts_.back().script.start();
}

bool World::finish(const std::string& name, Co<> script) {
  script.start();
  if (runtime_.run_until([&] { return script.is_done() || !is_well(); }, kForEver)) return is_well();
  history_.fail(fmt::format("{} waits for ever", name));
  return false;
}

void World::start_broker() {
  const std::string why = broker_.start();
  if (!why.empty()) history_.fail("the broker does not start: " + why);
  note(fmt::format("started, durability {}", options_.is_fsync ? "fsync" : "page-cache"));
}

std::string World::try_start() {
  network_.is_held = lost_power_;
  return broker_.start();
}

void World::stop_broker() {
  note("stop");
  broker_.stop();
}

void World::crash(MemFs::Loss loss) {
  network_.cut();
  broker_.crash(loss);
  if (loss == MemFs::Loss::kNothing || options_.is_fsync) return;
  history_.lost_power();
  lost_power_ = has_lost_power_ = true;
}

void World::restart() {
  runtime_.run_for(up_to(200));
  network_.is_held = lost_power_;
  start_broker();
  if (is_well()) finish("auditor", auditor(*this, false));
  network_.is_held = lost_power_ = false;
}

void World::close() {
  is_closing_ = true;
  note("closing");
  for (auto& [name, script] : scripts_) {
    const auto ended = [&] { return script.is_done() || !is_well(); };
    if (!runtime_.run_until(ended, kForEver)) history_.fail(fmt::format("{} waits for ever", name));
  }
}

void World::end() {
  network_.cut();
  broker_.stop();
  scripts_.clear();
}

}  // namespace milena::sim
