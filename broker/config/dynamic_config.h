// DynamicConfig: the configuration of this node as it is now: server.properties and its like, over it what
// AlterConfigs stored for all brokers, over that what it stored for this one.
//
// Owned by the broker, which lets it follow the metadata image; follow(), subscribe() and check() on the
// metadata thread, or while there is none. current() from any thread.
// Always:  a change is in force, in every subscriber, before follow() returns, and so before the request that
//          made it is answered; after a restart the stored values are in force before clients are served.
// Fails:   what is stored but must not change, or does not parse (an older version, or Kafka, stored it), is
//          left out with a line in the log.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "broker/config/config_values.h"
#include "controller/decisions/config_changes.h"
#include "controller/image/metadata_image.h"
#include "protocol/types.h"

namespace milena::broker {

class DynamicConfig {
 public:
  using Subscriber = std::function<void(const ConfigValues& now)>;

  // What is stored and applied, and what comes of it. Immutable.
  struct State {
    ConfigMap for_all;
    ConfigMap for_this;
    ConfigValues values;
  };

  // `file` outlives this.
  DynamicConfig(const ConfigValues& file, protocol::BrokerId self, const Logger& log);

  // Takes in what the image stores for brokers; tells the subscribers when anything has changed.
  void follow(const controller::MetadataImage& image);
  // Called with what is in force now, at once, and with everything that comes later.
  void subscribe(Subscriber subscriber);

  std::shared_ptr<const State> state() const;
  std::shared_ptr<const ConfigValues> current() const;

  // Whether AlterConfigs may store `result` for the broker resource of this name ("" for all brokers), which
  // has come about by `edits`. The error is Kafka's sentence.
  std::expected<void, std::string> check(const std::string& resource, const ConfigMap& result,
                                         const controller::ConfigEdits& edits) const;

 private:
  void report_ignored(const ConfigMap& stored, bool for_all) const;
  ConfigValues laid_over(const ConfigMap& for_all, const ConfigMap& for_this) const;

  const ConfigValues& file_;
  const protocol::BrokerId self_;
  const Logger& log_;

  // The metadata thread's.
  ConfigMap stored_for_all_;
  ConfigMap stored_for_this_;
  std::vector<Subscriber> subscribers_;

  mutable Mutex mutex_;
  std::shared_ptr<const State> state_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
