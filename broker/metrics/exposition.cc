#include "broker/metrics/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <ostream>
#include <streambuf>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "broker/metrics/utf8.h"

namespace milena::broker {
namespace {

constexpr std::array kQuantiles{0.5, 0.75, 0.95, 0.98, 0.99, 0.999};
constexpr double kMsPerSecond = 1000;

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
    case MetricType::kSummary:
      return prometheus::MetricType::Summary;
  }
  return prometheus::MetricType::Untyped;
}

// Appends to a string: without it the text of a scrape would be copied once more.
class StringBuffer final : public std::streambuf {
 public:
  explicit StringBuffer(std::string& text) : text_(text) {}

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    text_.append(bytes, static_cast<std::size_t>(count));
    return count;
  }
  int_type overflow(int_type c) override {
    if (!traits_type::eq_int_type(c, traits_type::eof())) text_.push_back(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

 private:
  std::string& text_;
};

prometheus::ClientMetric::Histogram histogram_of(const DurationCounts& durations) {
  prometheus::ClientMetric::Histogram out;
  out.sample_sum = durations.sum_seconds();
  for (std::size_t i = 0; i < durations.counts.size(); ++i) {
    out.sample_count += durations.counts[i];
    const double bound = i < kDurationBounds.size() ? static_cast<double>(kDurationBounds[i].count()) / 1e6
                                                    : std::numeric_limits<double>::infinity();
    out.bucket.push_back({.cumulative_count = out.sample_count, .upper_bound = bound});
  }
  return out;
}

prometheus::ClientMetric::Summary summary_of(const DurationCounts& durations) {
  prometheus::ClientMetric::Summary out;
  out.sample_count = durations.count();
  out.sample_sum = durations.sum_seconds() * kMsPerSecond;
  for (const double q : kQuantiles) {
    out.quantile.push_back({.quantile = q, .value = durations.quantile(q) * kMsPerSecond});
  }
  return out;
}

}  // namespace

struct Exposition::Metric::Family {
  prometheus::ClientMetric& add(Labels values) {
    MILENA_ASSERT(values.size() == labels.size(), "a sample has a value for each label of its metric");
    prometheus::ClientMetric& sample = out.metric.emplace_back();
    sample.label.reserve(labels.size());
    auto label = labels.begin();
    for (const std::string_view value : values) {
      sample.label.push_back({.name = std::string(*label++), .value = valid_utf8(value)});
    }
    return sample;
  }

  std::vector<std::string_view> labels;
  prometheus::MetricFamily out;
};

Exposition::Metric::Metric(Exposition& owner, const MetricInfo& info)
    : owner_(owner), info_(info), family_(std::make_unique<Family>()) {
  family_->labels = label_names(info);
  family_->out.name = info.name;
  family_->out.help = info.meaning;
  family_->out.type = type_of(info.type);
}

Exposition::Metric::~Metric() {
  if (family_->out.metric.empty()) return;
  StringBuffer buffer(owner_.text_);
  std::ostream stream(&buffer);
  std::vector<prometheus::MetricFamily> families;
  families.push_back(std::move(family_->out));
  prometheus::TextSerializer().Serialize(stream, families);
}

void Exposition::Metric::add(Labels values, double value) {
  prometheus::ClientMetric& sample = family_->add(values);
  MILENA_ASSERT(info_.type == MetricType::kCounter || info_.type == MetricType::kGauge,
                "a histogram or a summary is not one number");
  (info_.type == MetricType::kCounter ? sample.counter.value : sample.gauge.value) = value;
}

void Exposition::Metric::add(Labels values, const DurationCounts& durations) {
  prometheus::ClientMetric& sample = family_->add(values);
  if (info_.type == MetricType::kSummary) {
    sample.summary = summary_of(durations);
  } else {
    MILENA_ASSERT(info_.type == MetricType::kHistogram, "durations are histograms or summaries");
    sample.histogram = histogram_of(durations);
  }
}

Exposition::Metric Exposition::metric(std::string_view name) {
  const MetricInfo* const info = find_metric(name);
  MILENA_ASSERT(info != nullptr, "a metric that the table does not have");
  MILENA_ASSERT(written_.insert(info->name).second, "a metric is written once in a scrape");
  return {*this, *info};
}

std::string Exposition::finish() && {
  {
    auto omitted = metric("milena_metrics_left_out");
    for (const auto& [what, count] : left_out_) omitted.add({what}, count);
  }
  return std::move(text_);
}

}  // namespace milena::broker
