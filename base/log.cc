#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace milena {

struct Logger::Impl {
  std::shared_ptr<spdlog::logger> lines;
  Sink sink = nullptr;
  void* context = nullptr;
};

Logger::Logger(LogLevel level) : impl_(std::make_unique<Impl>()), level_(level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %L %v");
  impl_->lines = std::make_shared<spdlog::logger>("milena", std::move(sink));
  impl_->lines->set_level(spdlog::level::trace);
  impl_->lines->flush_on(spdlog::level::trace);
}

Logger::Logger(LogLevel level, Sink sink, void* context)
    : impl_(std::make_unique<Impl>(Impl{nullptr, sink, context})), level_(level) {}

Logger::~Logger() = default;

void Logger::write(LogLevel level, std::string_view line) const {
  if (impl_->sink != nullptr) return impl_->sink(impl_->context, level, line);
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err};
  impl_->lines->log(kLevels[static_cast<int>(level)], spdlog::string_view_t(line.data(), line.size()));
}

std::string escaped(std::string_view text, std::size_t max) {
  std::string out;
  for (char c : text.substr(0, max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e || c == '\\') {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  if (text.size() > max) out += "...";
  return out;
}

}  // namespace milena
