#include "sim/run.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "sim/scripts.h"
#include "sim/world.h"

namespace milena::sim {
namespace {

World::Options options_of(std::uint64_t seed) {
  SeededRng rng(seed);
  World::Options options{.seed = rng.next(), .is_fsync = rng.one_in(2)};
  options.is_strong = options.is_fsync || rng.one_in(2);
  options.settings = {
      "offsets.topic.num.partitions=2",
      "transaction.state.log.num.partitions=2",
      "log.flush.offset.checkpoint.interval.ms=500",
      "group.min.session.timeout.ms=500",
      "group.initial.rebalance.delay.ms=100",
      "group.consumer.min.session.timeout.ms=500",
      fmt::format("group.consumer.session.timeout.ms={}", World::kConsumerSessionMs),
      "group.consumer.min.heartbeat.interval.ms=100",
      "group.consumer.heartbeat.interval.ms=200",
      "metadata.log.max.record.bytes.between.snapshots=2000",
      "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000",
  };
  if (rng.one_in(2)) options.settings.emplace_back("log.roll.ms=700");
  return options;
}

// What can befall a broker.
class Fate {
 public:
  explicit Fate(World& world) : world_(world) {}

  void strike() {
    switch (world_.rng().below(10)) {
      case 0:
      case 1:
        return kill();
      case 2:
        return cut_power(MemFs::Loss::kUnsynced);
      case 3:
        return cut_power(MemFs::Loss::kSome);
      case 4:
        return cut_power_within_a_call();
      case 5:
        world_.stop_broker();
        return world_.restart();
      case 6:
        return move_the_wall_clock();
      case 7:
        return slow_the_disk();
      case 8:
        return fill_the_disk();
      default:
        return break_a_disk();
    }
  }

 private:
  bool may_lose_power() const { return world_.is_fsync() || !world_.is_strong(); }

  void pass(std::int64_t most_ms) { world_.run_for(world_.up_to(most_ms)); }

  void kill() {
    world_.note("kill -9");
    world_.crash(MemFs::Loss::kNothing);
    start_again();
  }

  // Now and then it ends once more while it recovers, or soon afterwards.
  void start_again() {
    while (world_.rng().one_in(4)) {
      const auto nth = 1 + world_.rng().below(150);
      world_.disk().fail({.nth = nth, .code = EIO, .for_good = true});
      const std::string why = world_.try_start();
      pass(30);
      const auto loss = some_loss();
      world_.note(fmt::format("a start ends at its {}. file operation, loss {}: {}", nth,
                              static_cast<int>(loss), why));
      world_.crash(loss);
    }
    world_.restart();
  }

  MemFs::Loss some_loss() {
    if (!may_lose_power()) return MemFs::Loss::kNothing;
    switch (world_.rng().below(3)) {
      case 0:
        return MemFs::Loss::kNothing;
      case 1:
        return MemFs::Loss::kUnsynced;
      default:
        return MemFs::Loss::kSome;
    }
  }

  void cut_power(MemFs::Loss loss) {
    if (!may_lose_power()) return kill();
    world_.note(loss == MemFs::Loss::kSome ? "power cut, something unsynced is left"
                                           : "power cut, nothing unsynced is left");
    world_.crash(loss);
    start_again();
  }

  // Between two file operations that the broker does in one go.
  void cut_power_within_a_call() {
    const auto nth = 1 + world_.rng().below(60);
    world_.note(fmt::format("power fails at the {}. file operation from now", nth));
    world_.disk().fail({.nth = nth, .code = EIO, .for_good = true});
    pass(100);
    cut_power(world_.rng().one_in(2) ? MemFs::Loss::kSome : MemFs::Loss::kUnsynced);
  }

  void move_the_wall_clock() {
    const auto hours = world_.up_to(49).count() - 24;
    world_.note(fmt::format("the wall clock moves by {} h", hours));
    world_.runtime().clock().set_wall_ms(world_.wall_ms() + hours * 3'600'000);
  }

  void slow_the_disk() {
    world_.note("a slow disk");
    world_.runtime().set_disk_delay(Instant{200});
    pass(1500);
    world_.runtime().set_disk_delay(Instant{1});
  }

  void fill_the_disk() {
    world_.note("a full disk");
    world_.disk().fail({.call = "pwritev", .code = ENOSPC, .for_good = true});
    pass(800);
    world_.disk().clear_faults();
  }

  // One of the log directories fails until the broker is started again, with the disk mended.
  void break_a_disk() {
    const char* const directory = world_.rng().one_in(2) ? "/d0" : "/d1";
    world_.note(fmt::format("the disk of {} fails", directory));
    world_.disk().fail({.code = EIO, .for_good = true, .path_part = directory});
    pass(800);
    if (world_.rng().one_in(2)) {
      world_.stop_broker();
      world_.disk().clear_faults();
    } else {
      world_.note("kill -9");
      world_.crash(MemFs::Loss::kNothing);
    }
    start_again();
  }

  World& world_;
};

void play(World& world) {
  world.start_broker();
  if (!world.is_well() || !world.finish("set-up", set_up(world))) return;
  world.add("p1", producer(world, "p1", true));
  world.add("p2", producer(world, "p2", false));
  world.add("p3", producer(world, "p3", true));
  world.add("c1", consumer(world, "c1"));
  world.add("c2", consumer(world, "c2"));
  world.add("c3", session_consumer(world, "c3"));
  world.add("g1", committer(world, "g1"));
  world.add("g2", committer(world, "g2"));
  world.add("t1", transactor(world, "t1", Transactor::Rules::kVersion1));
  world.add("t2", transactor(world, "t2", Transactor::Rules::kVersion2));
  for (const char* const name : {"m1", "m2", "m3"}) world.add(name, classic_member(world, name));
  for (const char* const name : {"n1", "n2", "n3"}) world.add(name, consumer_member(world, name));
  world.add("d1", diarist(world, "d1"));
  world.add("a1", administrator(world, "a1"));
  world.add("a2", configurator(world, "a2"));
  Fate fate(world);
  const auto blows = 2 + world.rng().below(4);
  for (std::uint64_t i = 0; i < blows && world.is_well(); ++i) {
    world.run_for(Instant{50} + world.up_to(900));
    if (world.is_well()) fate.strike();
  }
  if (world.is_well()) world.close();
  if (world.is_well()) world.finish("auditor", auditor(world, true));
}

}  // namespace

Outcome run(std::uint64_t seed) {
  World world(options_of(seed));
  play(world);
  world.end();
  return {.failure = world.history().failure(),
          .hash = world.network().hash.value(),
          .frames = world.network().hash.frames(),
          .claims = world.history().claims(),
          .steps = world.runtime().steps(),
          .events = world.events(),
          .log = world.broker().lines()};
}

}  // namespace milena::sim
