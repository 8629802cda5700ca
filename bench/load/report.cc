#include "bench/load/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/load/time.h"

namespace milena::bench {

void Stretch::begin() {
  broker_cpu_s_ = meter_.cpu_seconds();
  client_cpu_s_ = own_cpu_seconds();
  began_ns_ = now_ns();
}

void Stretch::end() {
  seconds_ = static_cast<double>(now_ns() - began_ns_) / kSecond;
  client_cpu_s_ = own_cpu_seconds() - client_cpu_s_;
  if (broker_cpu_s_) broker_cpu_s_ = *meter_.cpu_seconds() - *broker_cpu_s_;
}

Report::Report(std::string_view mode) { fields_.emplace_back("mode", fmt::format("\"{}\"", mode)); }

void Report::add(std::string_view key, std::int64_t value) {
  fields_.emplace_back(key, std::to_string(value));
}

void Report::add(std::string_view key, std::optional<double> value) {
  fields_.emplace_back(key, value ? fmt::format("{:.6g}", *value) : "null");
}

void Report::add_latency(std::string_view key, const Histogram& histogram) {
  const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1000; };
  fields_.emplace_back(
      key, fmt::format(R"({{"p50": {:.1f}, "p90": {:.1f}, "p99": {:.1f}, "p999": {:.1f}, "max": {:.1f}}})",
                       us(histogram.at(0.5)), us(histogram.at(0.9)), us(histogram.at(0.99)),
                       us(histogram.at(0.999)), us(histogram.max())));
}

void Report::add_work(const Work& work, const Stretch& stretch, const Meter& meter) {
  const auto requests = static_cast<double>(work.requests);
  const double gigabytes = static_cast<double>(work.bytes) * 1e-9;
  const std::optional<double> cpu = stretch.broker_cpu_s();
  const auto per = [&](double unit, double factor) {
    return cpu && unit > 0 ? std::optional(*cpu * factor / unit) : std::nullopt;
  };
  errors_ = work.errors;
  add("seconds", std::optional(stretch.seconds()));
  add("requests", static_cast<std::int64_t>(work.requests));
  add("records", static_cast<std::int64_t>(work.records));
  add("bytes", static_cast<std::int64_t>(work.bytes));
  add("errors", static_cast<std::int64_t>(work.errors));
  add("broker_cpu_s", cpu);
  add("client_cpu_s", std::optional(stretch.client_cpu_s()));
  const std::optional<std::int64_t> resident = meter.resident_kb();
  add("broker_rss_kb", resident ? std::optional(static_cast<double>(*resident)) : std::nullopt);
  add("cpu_us_per_request", per(requests, 1e6));
  add("cpu_s_per_gb", per(gigabytes, 1));
  add("requests_per_s", std::optional(requests / stretch.seconds()));
  add("mb_per_s", std::optional(gigabytes * 1000 / stretch.seconds()));
}

std::string Report::json() const {
  std::string text = "{";
  for (const auto& [key, value] : fields_) {
    fmt::format_to(std::back_inserter(text), "{}\"{}\": {}", text.size() > 1 ? ", " : "", key, value);
  }
  return text + "}";
}

}  // namespace milena::bench
