#include "broker/config/cross_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/result.h"
#include "broker/config/connection_limits.h"
#include "broker/config/log_dir_paths.h"

namespace milena::broker {
namespace {

using Check = std::expected<void, std::string>;

constexpr std::int64_t kMiB = 1024 * 1024;

Check require(bool condition, std::string_view otherwise) {
  if (condition) return {};
  return std::unexpected(std::string(otherwise));
}

// `key` between its bounds `min` and `max`, which are settings, too.
Check check_bounds(const ConfigValues& settings, std::string_view group, std::string_view key) {
  const std::string value = fmt::format("group.{}.{}", group, key);
  const std::string min = fmt::format("group.{}.min.{}", group, key);
  const std::string max = fmt::format("group.{}.max.{}", group, key);
  const auto number = [&](const std::string& name) { return settings.number(name); };
  MILENA_CHECK(require(number(max) >= number(min), max + " must be greater than or equal to " + min));
  MILENA_CHECK(require(number(value) >= number(min), value + " must be greater than or equal to " + min));
  return require(number(value) <= number(max), value + " must be less than or equal to " + max);
}

Check check_groups(const ConfigValues& settings) {
  for (const std::string_view group : {"consumer", "share", "streams"}) {
    const std::string heartbeat = fmt::format("group.{}.heartbeat.interval.ms", group);
    const std::string session = fmt::format("group.{}.session.timeout.ms", group);
    MILENA_CHECK(check_bounds(settings, group, "heartbeat.interval.ms"));
    MILENA_CHECK(check_bounds(settings, group, "session.timeout.ms"));
    MILENA_CHECK(require(settings.number(heartbeat) < settings.number(session),
                         heartbeat + " must be less than " + session));
    MILENA_CHECK(check_bounds(settings, group, "assignment.interval.ms"));
  }
  return {};
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

Check check_cordoned(const ConfigValues& settings) {
  const auto cordoned = settings.list("cordoned.log.dirs");
  if (has(cordoned, "*")) {
    return require(cordoned.size() == 1,
                   "When cordoned.log.dirs is set to *, it must not contain other values");
  }
  std::vector<std::string> known, unknown;
  for (const auto& path : configured_log_dirs(settings)) known.push_back(normal_path(path));
  for (const auto& path : cordoned) {
    if (!has(known, normal_path(path))) unknown.push_back(path);
  }
  return require(unknown.empty(),
                 fmt::format("All entries in cordoned.log.dirs must be present in log.dirs or "
                             "log.dir. Missing entries : {}",
                             fmt::join(unknown, ", ")));
}

}  // namespace

Check check_together(const ConfigValues& settings) {
  const auto number = [&](std::string_view key) { return settings.number(key); };
  MILENA_CHECK(require(!settings.is_set("broker.id") || number("broker.id") == number("node.id"),
                       "You must set `node.id` to the same value as `broker.id`."));
  MILENA_CHECK(require(settings.is_null("log.roll.ms") || number("log.roll.ms") >= 1,
                       "log.roll.ms must be greater than or equal to 1"));
  MILENA_CHECK(require(settings.is_null("log.roll.jitter.ms") || number("log.roll.jitter.ms") >= 0,
                       "log.roll.jitter.ms must be greater than or equal to 0"));
  std::int64_t retention = number("log.retention.hours");
  if (!settings.is_null("log.retention.minutes")) retention = number("log.retention.minutes");
  if (!settings.is_null("log.retention.ms")) retention = number("log.retention.ms");
  MILENA_CHECK(
      require(retention != 0 && (retention > 0 || settings.is_null("log.retention.ms") || retention == -1),
              "log.retention.ms must be unlimited (-1) or, greater than or equal to 1"));
  MILENA_CHECK(require(number("log.cleaner.threads") == 0 ||
                           number("log.cleaner.dedupe.buffer.size") / number("log.cleaner.threads") > kMiB,
                       "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread."));
  MILENA_CHECK(
      require(number("replica.fetch.wait.max.ms") <= number("replica.socket.timeout.ms"),
              "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent "
              "unnecessary socket timeouts"));
  MILENA_CHECK(
      require(number("replica.fetch.wait.max.ms") <= number("replica.lag.time.max.ms"),
              "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to "
              "prevent frequent changes in ISR"));
  const std::int64_t queued = number("queued.max.request.bytes");
  MILENA_CHECK(require(queued <= 0 || queued >= number("socket.request.max.bytes"),
                       "queued.max.request.bytes must be larger or equal to socket.request.max.bytes"));
  MILENA_CHECK(require(
      number("max.connections.per.ip") != 0 || !settings.text("max.connections.per.ip.overrides").empty(),
      "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is "
      "set."));
  const std::int64_t idle = number("connections.max.idle.ms");
  const std::int64_t delay = number("connection.failed.authentication.delay.ms");
  MILENA_CHECK(
      require(idle < 0 || delay < idle, fmt::format("connection.failed.authentication.delay.ms={} should "
                                                    "always be less than connections.max.idle.ms={} to "
                                                    "prevent failed authentication responses from timing out",
                                                    delay, idle)));
  MILENA_CHECK(check_groups(settings));
  return check_cordoned(settings);
}

}  // namespace milena::broker
