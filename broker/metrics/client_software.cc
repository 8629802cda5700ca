#include "broker/metrics/client_software.h"

namespace milena::broker {

std::shared_ptr<const void> ClientSoftware::count(std::string_view name, std::string_view version) {
  Key key{name.substr(0, kTextMax), version.substr(0, kTextMax)};
  {
    const MutexLock lock(counts_->mutex);
    if (!counts_->open.contains(key) && counts_->open.size() >= counts_->limit) key = {"other", "other"};
    ++counts_->open[key];
  }
  struct Registration {
    Registration(std::shared_ptr<Counts> counts_, Key key_)
        : counts(std::move(counts_)), key(std::move(key_)) {}
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() {
      const MutexLock lock(counts->mutex);
      const auto at = counts->open.find(key);
      if (--at->second == 0) counts->open.erase(at);
    }
    const std::shared_ptr<Counts> counts;
    const Key key;
  };
  return std::make_shared<const Registration>(counts_, std::move(key));
}

class ClientSoftware::Source final : public MetricSource {
 public:
  explicit Source(std::shared_ptr<Counts> counts) : counts_(std::move(counts)) {}

  void write(Exposition& out) override {
    const auto open = [this] {
      const MutexLock lock(counts_->mutex);
      return counts_->open;
    }();
    auto metric = out.metric("milena_connections_by_software");
    for (const auto& [software, connections] : open) {
      metric.add({software.first, software.second}, connections);
    }
  }

 private:
  const std::shared_ptr<Counts> counts_;
};

std::unique_ptr<MetricSource> ClientSoftware::source() const { return std::make_unique<Source>(counts_); }

}  // namespace milena::broker
