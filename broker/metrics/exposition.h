// Exposition: one scrape in the making: samples in, Prometheus' text format 0.0.4 out.
//
// Made for each scrape, by one thread. A metric at a time is turned into text, so that memory is what the
// text takes and little more. Only metrics of the table can be written, each once, with the labels that it
// has there.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "broker/metrics/durations.h"
#include "broker/metrics/metric_table.h"

namespace milena::broker {

class Exposition {
 public:
  // What the text format is called in HTTP.
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  // The samples of one metric. Becomes text when it is destroyed; nothing, if there are none.
  class Metric {
   public:
    using Labels = std::initializer_list<std::string_view>;

    Metric(Exposition& owner, const MetricInfo& info);
    ~Metric();
    Metric(const Metric&) = delete;
    Metric& operator=(const Metric&) = delete;

    // `values`: one for each label of the table. Bytes that are no UTF-8 are replaced.
    void add(Labels values, double value);
    template <class T>
    void add(Labels values, T value) {
      add(values, static_cast<double>(value));
    }
    // A histogram, in seconds; a summary, in milliseconds.
    void add(Labels values, const DurationCounts& durations);

   private:
    struct Family;
    Exposition& owner_;
    const MetricInfo& info_;
    const std::unique_ptr<Family> family_;
  };

  Metric metric(std::string_view name);
  void add(std::string_view name, double value) { metric(name).add({}, value); }
  template <class T>
  void add(std::string_view name, T value) {
    add(name, static_cast<double>(value));
  }

  // So many label sets of this kind are beyond the limits.
  void leave_out(std::string_view what, std::size_t count) { left_out_[what] += count; }

  std::string finish() &&;

 private:
  std::string text_;
  std::set<std::string_view> written_;
  std::map<std::string_view, std::size_t> left_out_;
};

}  // namespace milena::broker
