#include "broker/metrics/process_metrics.h"

#include <unistd.h>

#include <charconv>
#include <vector>

#include "base/bytes.h"

namespace milena::broker {
namespace {

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

// What follows `key` and spaces.
std::optional<double> number_after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + key.size());
  const auto digits = text.find_first_not_of(' ');
  return digits == std::string_view::npos ? std::nullopt : number(text.substr(digits));
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto space = text.find(' ');
    if (space != 0) out.push_back(text.substr(0, space));
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return out;
}

}  // namespace

std::optional<std::string> ProcessMetrics::text_of(const std::string& path) {
  const auto bytes = read_file(fs_, path);
  if (!bytes) return std::nullopt;
  return std::string(as_text(*bytes));
}

void ProcessMetrics::write(Exposition& out) {
  write_io(out);
  write_stat(out);
  write_descriptors(out);
}

// proc(5): fields are counted from 1, and the second is a name in parentheses that may contain spaces.
void ProcessMetrics::write_stat(Exposition& out) {
  constexpr std::size_t kUserTime = 14, kSystemTime = 15, kThreads = 20, kStartTime = 22, kVirtual = 23,
                        kResidentPages = 24, kFirstAfterName = 3;
  const auto text = text_of("/proc/self/stat");
  if (!text || text->rfind(')') == std::string::npos) return;
  const auto fields = words(std::string_view(*text).substr(text->rfind(')') + 1));
  const auto field = [&](std::size_t index) {
    const std::size_t at = index - kFirstAfterName;
    return at < fields.size() ? number(fields[at]).value_or(0) : 0;
  };
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  out.add("process_cpu_seconds_total", (field(kUserTime) + field(kSystemTime)) / ticks_per_second);
  out.add("process_resident_memory_bytes",
          field(kResidentPages) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  out.add("process_virtual_memory_bytes", field(kVirtual));
  out.add("process_threads", field(kThreads));
  if (!started_at_) {
    const auto uptime = text_of("/proc/uptime").and_then([](const std::string& up) { return number(up); });
    if (!uptime) return;
    const double age = *uptime - field(kStartTime) / ticks_per_second;
    started_at_ = static_cast<double>(clock_.wall_ms()) / 1000 - age;
  }
  out.add("process_start_time_seconds", *started_at_);
}

void ProcessMetrics::write_io(Exposition& out) {
  const auto text = text_of("/proc/self/io");
  if (!text) return;
  // Not the field of cancelled writes, whose name ends alike.
  if (const auto read = number_after(*text, "\nread_bytes:")) {
    out.add("kafka_server_kafkaserver_linux_disk_read_bytes", *read);
  }
  if (const auto written = number_after(*text, "\nwrite_bytes:")) {
    out.add("kafka_server_kafkaserver_linux_disk_write_bytes", *written);
  }
}

void ProcessMetrics::write_descriptors(Exposition& out) {
  if (const auto open = fs_.list("/proc/self/fd")) {
    constexpr std::size_t kOfTheListing = 1;
    out.add("process_open_fds", open->size() - std::min(open->size(), kOfTheListing));
  }
  const auto limits = text_of("/proc/self/limits");
  if (!limits) return;
  if (const auto most = number_after(*limits, "Max open files")) out.add("process_max_fds", *most);
}

}  // namespace milena::broker
