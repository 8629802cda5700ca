#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sim/scripts.h"

namespace milena::sim {

World::World(std::uint64_t seed)
    : runtime_(seed),
      disk_(seed),
      is_fsync_(rng().one_in(2)),
      is_strong_(is_fsync_ || rng().one_in(2)),
      broker_(runtime_, disk_, settings()),
      network_(runtime_, broker_) {}

World::~World() = default;

std::vector<std::string> World::settings() {
  std::vector<std::string> out{
      "log.dirs=/d0,/d1",
      "auto.create.topics.enable=false",
      "offsets.topic.num.partitions=2",
      "transaction.state.log.num.partitions=2",
      "num.network.threads=2",
      "background.threads=2",
      "log.flush.offset.checkpoint.interval.ms=500",
      "metadata.log.max.record.bytes.between.snapshots=2000",
      "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000",
      std::string("milena.durability=") + (is_fsync_ ? "fsync" : "page-cache"),
  };
  if (rng().one_in(2)) out.emplace_back("log.roll.ms=700");
  return out;
}

void World::note(std::string what) { events_ += fmt::format("{:>7} ms  {}\n", now().count(), what); }

void World::add(std::string name, Co<> script) {
  scripts_.push_back({std::move(name), std::move(script)});
  scripts_.back().script.start();
}

// Whether the script came to its end.
bool World::finish(std::string name, Co<> script) {
  constexpr Instant kLong{300'000};
  script.start();
  if (runtime_.run_until([&] { return script.is_done() || !history_.failure().empty(); }, kLong))
    return history_.failure().empty();
  history_.fail(fmt::format("{} waits for ever", name));
  return false;
}

void World::start_broker() {
  const std::string why = broker_.start();
  if (!why.empty()) history_.fail("the broker does not start: " + why);
  note(fmt::format("started, durability {}", is_fsync_ ? "fsync" : "page-cache"));
}

void World::crash(MemFs::Loss loss, const char* what) {
  note(what);
  network_.cut();
  broker_.crash(loss);
  if (loss != MemFs::Loss::kNothing && !is_strong_) {
    history_.lost_power();
    lost_power_ = has_lost_power_ = true;
  }
  restart();
}

// What was lost is looked at before clients go on.
void World::restart() {
  runtime_.run_for(Instant{static_cast<std::int64_t>(rng().below(200))});
  network_.is_held = lost_power_;
  start_broker();
  if (!history_.failure().empty()) return;
  finish("auditor", auditor(*this, false));
  network_.is_held = lost_power_ = false;
}

// One of the things that befall a broker.
void World::befall() {
  const auto some = [&](std::int64_t most_ms) {
    runtime_.run_for(Instant{static_cast<std::int64_t>(rng().below(static_cast<std::uint64_t>(most_ms)))});
  };
  switch (rng().below(8)) {
    case 0:
    case 1:
      return crash(MemFs::Loss::kNothing, "kill -9");
    case 2:
      if (is_fsync_ || !is_strong_)
        return crash(MemFs::Loss::kUnsynced, "power cut, nothing unsynced is left");
      return crash(MemFs::Loss::kNothing, "kill -9");
    case 3:
      if (is_fsync_ || !is_strong_) return crash(MemFs::Loss::kSome, "power cut, something unsynced is left");
      return crash(MemFs::Loss::kNothing, "kill -9");
    case 4:
      note("stop");
      broker_.stop();
      return restart();
    case 5: {
      const auto hours = static_cast<std::int64_t>(rng().below(49)) - 24;
      note(fmt::format("the wall clock moves by {} h", hours));
      runtime_.clock().set_wall_ms(wall_ms() + hours * 3'600'000);
      return;
    }
    case 6:
      note("a slow disk");
      runtime_.set_disk_delay(Instant{200});
      some(1500);
      runtime_.set_disk_delay(Instant{1});
      return;
    default:
      note("a full disk");
      disk_.fail({.call = "pwritev", .code = ENOSPC, .for_good = true});
      some(800);
      disk_.clear_faults();
      return;
  }
}

Outcome World::run() {
  start_broker();
  if (history_.failure().empty() && finish("set-up", set_up(*this))) {
    add("p1", producer(*this, "p1", true));
    add("p2", producer(*this, "p2", false));
    add("p3", producer(*this, "p3", true));
    add("c1", consumer(*this, "c1"));
    add("c2", consumer(*this, "c2"));
    add("g1", committer(*this, "g1"));
    add("g2", committer(*this, "g2"));
    add("t1", transactor(*this, "t1"));
    add("t2", transactor(*this, "t2"));
    add("a1", administrator(*this, "a1"));
    const auto blows = 2 + rng().below(4);
    for (std::uint64_t i = 0; i < blows && history_.failure().empty(); ++i) {
      runtime_.run_until([&] { return !history_.failure().empty(); },
                         Instant{static_cast<std::int64_t>(50 + rng().below(900))});
      if (history_.failure().empty()) befall();
    }
    is_closing_ = true;
    note("closing");
    for (auto& [name, script] : scripts_) {
      constexpr Instant kLong{300'000};
      const auto ended = [&] { return script.is_done() || !history_.failure().empty(); };
      if (!runtime_.run_until(ended, kLong)) history_.fail(fmt::format("{} waits for ever", name));
    }
    if (history_.failure().empty()) finish("auditor", auditor(*this, true));
  }
  network_.cut();
  broker_.stop();
  scripts_.clear();
  return {.failure = history_.failure(),
          .hash = network_.hash.value(),
          .frames = network_.hash.frames(),
          .claims = history_.claims(),
          .steps = runtime_.steps(),
          .events = events_,
          .log = broker_.lines()};
}

}  // namespace milena::sim
