// How parties wait for a partition to change, without polling and without locks held across threads.
//
// A PartitionWatch hangs on one partition and hears of every change under that partition's mutex. It decides
// there and then, without locking or waiting, whether somebody has to be woken; that somebody, a Wakeable,
// goes onto the WakeList of the thread that made the change, which runs it after the mutex is released. So no
// lock is ever held while another is taken, and a change costs O(watches that care).
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "protocol/types.h"

namespace milena::broker {

// Something that waits, usually a parked request. woken() is called at most once per add(), on whichever
// thread made the change, with no lock held; it hands over to its own event loop.
class Wakeable {
 public:
  virtual ~Wakeable() = default;
  virtual void woken() = 0;

 private:
  friend class WakeList;
  std::shared_ptr<Wakeable> next_;
};

// Those to wake once the mutex is released. Allocates nothing: the list runs through the Wakeables, so one
// Wakeable may be on one list at a time (whoever adds it makes sure of that).
class WakeList {
 public:
  WakeList() = default;
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;
  ~WakeList() { run(); }

  void add(std::shared_ptr<Wakeable> sleeper) {
    sleeper->next_ = std::move(first_);
    first_ = std::move(sleeper);
  }
  void run() {
    while (first_ != nullptr) {
      auto sleeper = std::move(first_);
      first_ = std::move(sleeper->next_);
      sleeper->woken();
    }
  }

 private:
  std::shared_ptr<Wakeable> first_;
};

// What happened to a partition.
struct PartitionChange {
  std::uint64_t readable_bytes = 0;  // became readable below the high watermark
  protocol::Offset high_watermark = protocol::kNoOffset;
  bool closed = false;  // deleted or offline: nothing will ever come again
};

// A party that hangs on one partition. The owner detaches it (Partition::detach) before destroying it.
class PartitionWatch {
 public:
  PartitionWatch() = default;
  PartitionWatch(const PartitionWatch&) = delete;
  PartitionWatch& operator=(const PartitionWatch&) = delete;
  virtual ~PartitionWatch() = default;

  // Runs under the partition's mutex: must not lock, wait, or call the partition.
  virtual void changed(const PartitionChange& change, WakeList& wakes) = 0;

 private:
  friend class Partition;
  PartitionWatch* previous_ = nullptr;
  PartitionWatch* next_ = nullptr;
  bool attached_ = false;
};

}  // namespace milena::broker
