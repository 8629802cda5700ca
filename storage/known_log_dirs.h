// The file .milena-log-dirs in each log directory: which directories the node had at its last start, and
// where, so that a start that misses one can name it (docs/formats/known_log_dirs.md). Only messages depend
// on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"

namespace milena::storage {

inline constexpr std::string_view kKnownLogDirsName = ".milena-log-dirs";

struct KnownLogDir {
  Uuid id{};
  bool holds_metadata_log = false;
  std::string path{};
  bool operator==(const KnownLogDir&) const = default;
};

std::string encode_known_log_dirs(const std::vector<KnownLogDir>& directories);
// None when the text is damaged or of another version.
std::optional<std::vector<KnownLogDir>> decode_known_log_dirs(std::string_view text);

}  // namespace milena::storage
