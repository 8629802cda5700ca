#include "broker/metrics/request_metrics.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "protocol/api.gen.h"
#include "protocol/error_code.h"

namespace milena::broker {
RequestMetrics::ApiCounts& RequestMetrics::LoopCounts::of(const Request& request) {
  const auto key = static_cast<std::size_t>(request.header().api->key);
  return apis[std::min(key, kApis - 1)].get();
}

void RequestMetrics::handle(Request& request, Responder responder) {
  loops_.of(request.loop()).of(request).requests.add(1);
  next_.handle(request, std::move(responder));
}

void RequestMetrics::finished(const Request& request, std::chrono::nanoseconds took) {
  ApiCounts& counts = loops_.of(request.loop()).of(request);
  counts.durations.add(took);
  for (const auto* error = request.errors(); error != nullptr; error = error->next) {
    const int index = static_cast<int>(error->code) + 1;  // -1 is the lowest
    counts.errors.get()[std::min(static_cast<std::size_t>(index), kErrorCodes - 1)].add(error->times);
  }
}

class RequestMetrics::Source final : public MetricSource {
 public:
  explicit Source(const RequestMetrics& owner) : owner_(owner) {}

  void write(Exposition& out) override {
    const auto sums = sum_up();
    {
      auto metric = out.metric("kafka_network_requestmetrics_requests_total");
      for (const auto& [name, sum] : sums) metric.add({name}, sum.requests);
    }
    {
      auto metric = out.metric("kafka_network_requestmetrics_errors_total");
      for (const auto& [name, sum] : sums) {
        for (const auto& [code, times] : sum.errors) metric.add({name, error_name(code)}, times);
      }
    }
    for (const auto* metric_name :
         {"kafka_network_requestmetrics_totaltimems", "milena_request_duration_seconds"}) {
      auto metric = out.metric(metric_name);
      for (const auto& [name, sum] : sums) metric.add({name}, sum.durations);
    }
  }

 private:
  struct Sum {
    std::uint64_t requests = 0;
    DurationCounts durations;
    std::map<ErrorCode, std::uint64_t> errors;
  };

  std::map<std::string_view, Sum> sum_up() const {
    std::map<std::string_view, Sum> sums;
    owner_.loops_.for_each([&](const LoopCounts& loop) {
      for (std::size_t key = 0; key < kApis; ++key) {
        const auto* counts = loop.apis[key].made();
        const auto* info = protocol::find_api(static_cast<std::int16_t>(key));
        if (counts == nullptr || info == nullptr) continue;
        Sum& sum = sums[info->name];
        sum.requests += counts->requests.get();
        counts->durations.read_into(sum.durations);
        const auto* errors = counts->errors.made();
        if (errors == nullptr) continue;
        for (std::size_t i = 0; i < kErrorCodes; ++i) {
          const auto times = (*errors)[i].get();
          if (times > 0) sum.errors[static_cast<ErrorCode>(static_cast<int>(i) - 1)] += times;
        }
      }
    });
    return sums;
  }

  const RequestMetrics& owner_;
};

std::unique_ptr<MetricSource> RequestMetrics::source() const { return std::make_unique<Source>(*this); }

}  // namespace milena::broker
