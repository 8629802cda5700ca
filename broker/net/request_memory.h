// RequestMemory: how many bytes of requests one loop holds, and who waits when they are too many.
//
// Belongs to one loop; not thread-safe; no clock of its own. Two accounts are kept:
//   held     requests from their last byte until their reply is written. At the limit nobody reads any more.
//   partial  frames under way. At the limit a connection reads on only if its frame is small (kSmallFrame),
//   or
//            already waits in the kernel as a whole (the connection looks), or no other large frame moves: so
//            one always gets through, and two large ones cannot starve each other. A frame that stands still
//            for kStallTolerance while others wait is given up: whoever announces much and sends little pays,
//            nobody else.
// Always:  partial bytes stay below the limit plus one frame plus kSmallFrame per connection.
#pragma once

#include <cstddef>
#include <list>

#include "base/clock.h"
#include "broker/metrics/counter.h"

namespace milena::broker {

class RequestMemory {
 public:
  struct Limits {
    std::size_t held_max = 0;
    std::size_t held_per_connection_max = 0;
    std::size_t partial_max = 0;
  };
  static constexpr std::size_t kSmallFrame = 4096;
  static constexpr Instant kStallTolerance{500};

  // One connection's share. Forgotten before it is destroyed.
  class Account {
   public:
    // There may be room now: ask again.
    virtual void retry_read() = 0;
    // Others need the memory: drop the frame under way, which drops the connection.
    virtual void reclaim() = 0;

   protected:
    Account() = default;
    ~Account() = default;

   private:
    friend class RequestMemory;
    std::size_t held_ = 0;
    std::size_t partial_ = 0;
    bool large_ = false;  // the frame under way is
    Instant moved_at_{};
    // This account's place in a line: its own when it stands in none. Changing lines allocates nothing.
    std::list<Account*> home_{this};
    std::list<Account*>* line_ = &home_;
    std::list<Account*>::iterator place_ = home_.begin();
  };

  explicit RequestMemory(Limits limits) : limits_(limits) {}

  void hold(Account& account, std::size_t bytes);
  void release(Account& account, std::size_t bytes);
  // A connection with too many bytes in unanswered requests waits for its own replies.
  bool may_handle(const Account& account) const { return account.held_ < limits_.held_per_connection_max; }

  // What the connection has of the frame under way, and the size that frame announced; zeros between frames.
  void set_partial(Account& account, std::size_t bytes, std::size_t announced, Instant now);
  // Nobody may read until replies are written.
  bool exhausted() const { return held_.get() >= limits_.held_max; }
  // Bytes of its frame that the connection may read now, if not exhausted. Zero: look whether the rest of the
  // frame is in the kernel, or wait().
  std::size_t allowance(const Account& account) const;
  void wait(Account& account);
  void forget(Account& account);

  bool anyone_waits() const { return !waiting_.empty(); }
  // Every few milliseconds while anyone waits.
  void tick(Instant now);

  // Any thread.
  std::size_t held() const { return held_.get(); }
  std::size_t partial() const { return partial_.get(); }

 private:
  using Line = std::list<Account*>;
  void stand_in(Account& account, Line& line);

  const Limits limits_;
  Published<std::size_t> held_;
  Published<std::size_t> partial_;
  Line moving_;   // large frames under way whose connection does not wait; the longest still first
  Line waiting_;  // the longest first
};

}  // namespace milena::broker
