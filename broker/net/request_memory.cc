#include "broker/net/request_memory.h"

#include <limits>

namespace milena::broker {

void RequestMemory::hold(Account& account, std::size_t bytes) {
  account.held_ += bytes;
  held_.add(bytes);
}

void RequestMemory::release(Account& account, std::size_t bytes) {
  account.held_ -= bytes;
  held_.subtract(bytes);
}

void RequestMemory::set_partial(Account& account, std::size_t bytes, std::size_t announced, Instant now) {
  const bool moved = bytes != account.partial_;
  const bool large = announced > kSmallFrame;
  if (!moved && large == account.large_) return;
  partial_.set(partial_.get() - account.partial_ + bytes);
  account.partial_ = bytes;
  account.large_ = large;
  if (account.line_ == &waiting_) return;
  account.moved_at_ = now;
  stand_in(account, large ? moving_ : account.home_);
}

std::size_t RequestMemory::allowance(const Account& account) const {
  constexpr auto kUnlimited = std::numeric_limits<std::size_t>::max();
  if (partial_.get() < limits_.partial_max) return kUnlimited;
  if (!account.large_) return kSmallFrame;
  const std::size_t others = moving_.size() - (account.line_ == &moving_ ? 1 : 0);
  return others == 0 ? kUnlimited : 0;
}

void RequestMemory::wait(Account& account) { stand_in(account, waiting_); }

void RequestMemory::forget(Account& account) {
  stand_in(account, account.home_);
  set_partial(account, 0, 0, {});
  release(account, account.held_);
}

void RequestMemory::tick(Instant now) {
  for (std::size_t n = waiting_.size(); n > 0 && !waiting_.empty(); --n) {
    Account& account = *waiting_.front();
    account.moved_at_ = now;
    stand_in(account, account.large_ ? moving_ : account.home_);
    account.retry_read();
  }
  while (!waiting_.empty() && partial_.get() >= limits_.partial_max && !moving_.empty() &&
         moving_.front()->moved_at_ + kStallTolerance <= now) {
    moving_.front()->reclaim();
  }
}

// At the end of the line, also when it stands in that line already.
void RequestMemory::stand_in(Account& account, Line& line) {
  line.splice(line.end(), *account.line_, account.place_);
  account.line_ = &line;
}

}  // namespace milena::broker
