// The paths of log directories, as they are configured and compared.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "broker/config/config_values.h"

namespace milena::broker {

// "/data/a" for "/data/./a/".
inline std::string normal_path(const std::string& path) {
  const std::string text = std::filesystem::path(path).lexically_normal().string();
  return text.size() > 1 && text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

// log.dirs, or log.dir where that is not set.
inline std::vector<std::string> configured_log_dirs(const ConfigValues& settings) {
  return settings.list(settings.is_null("log.dirs") ? "log.dir" : "log.dirs");
}

}  // namespace milena::broker
