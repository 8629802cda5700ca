// Logger: lines for people, on stderr. An object, not a global: every broker owns one.
//
// Thread-safe. Text that came from a peer passes through escaped(), so that nobody can forge a line.
#pragma once

#include <fmt/core.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace milena {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

class Logger {
 public:
  using Sink = void (*)(void* context, LogLevel level, std::string_view line);

  // Writes lines at `level` and above to stderr.
  explicit Logger(LogLevel level = LogLevel::kInfo);
  // Hands every line to `sink` instead: for tests.
  Logger(LogLevel level, Sink sink, void* context);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  bool enabled(LogLevel level) const { return level >= level_; }

  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(LogLevel::kDebug)) write(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(LogLevel::kInfo)) write(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(LogLevel::kWarn)) write(LogLevel::kWarn, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    write(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void write(LogLevel level, std::string_view line) const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
  LogLevel level_;
};

// Control characters and bytes above 0x7e as \xNN, at most `max` bytes of the source, then "...".
std::string escaped(std::string_view text, std::size_t max = 200);

}  // namespace milena
