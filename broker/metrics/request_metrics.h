// RequestMetrics: counts the requests on their way to the handlers, their errors, and how long they took.
//
// Owned by Broker; stands between the network and the router. Each loop has numbers of its own, which only it
// changes; a scrape sums them up. The first request of an API on a loop, and its first error, allocate.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/async/loop.h"
#include "broker/handlers/per_loop.h"
#include "broker/metrics/counter.h"
#include "broker/metrics/durations.h"
#include "broker/metrics/registry.h"
#include "broker/net/request.h"

namespace milena::broker {

class RequestMetrics final : public RequestHandler {
 public:
  // `next` handles the requests, and outlives this.
  RequestMetrics(RequestHandler& next, std::span<Loop* const> loops) : next_(next), loops_(loops) {}

  void handle(Request& request, Responder responder) override;
  void finished(const Request& request, std::chrono::nanoseconds took) override;

  std::unique_ptr<MetricSource> source() const;

 private:
  class Source;
  static constexpr std::size_t kApis = 128;        // by key; those beyond count as the last
  static constexpr std::size_t kErrorCodes = 256;  // by code + 1; the same

  using ErrorCounts = std::array<Published<std::uint64_t>, kErrorCodes>;
  // Made by the loop when it is needed first; made(): what a scrape finds, null if it is not there yet.
  template <class T>
  class OnDemand {
   public:
    OnDemand() = default;
    OnDemand(const OnDemand&) = delete;
    OnDemand& operator=(const OnDemand&) = delete;
    ~OnDemand() { delete made(); }

    T& get() {
      T* made = pointer_.load(std::memory_order_relaxed);
      if (made == nullptr) [[unlikely]]
        pointer_.store(made = new T, std::memory_order_release);
      return *made;
    }
    const T* made() const { return pointer_.load(std::memory_order_acquire); }

   private:
    std::atomic<T*> pointer_ = nullptr;
  };
  struct ApiCounts {
    Published<std::uint64_t> requests;
    LoopDurations durations;
    OnDemand<ErrorCounts> errors;
  };
  struct LoopCounts {
    std::array<OnDemand<ApiCounts>, kApis> apis;
    ApiCounts& of(const Request& request);
  };

  RequestHandler& next_;
  PerLoop<LoopCounts> loops_;
};

}  // namespace milena::broker
