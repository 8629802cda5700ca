#include "storage/stray_checkpoint.h"

#include <fmt/format.h>

#include "storage/checkpoint_text.h"

namespace milena::storage {
namespace {

struct Field {
  std::string_view name;
  Offset LogCheckpoint::* value;
};
constexpr std::string_view kHead = "version: 0\n";
constexpr Field kFields[] = {{"log_start_offset: ", &LogCheckpoint::log_start_offset},
                             {"recovery_point: ", &LogCheckpoint::recovery_point},
                             {"high_watermark: ", &LogCheckpoint::high_watermark}};

}  // namespace

std::string encode_stray_checkpoint(const LogCheckpoint& checkpoint) {
  std::string out(kHead);
  for (const Field& field : kFields)
    out += fmt::format("{}{}\n", field.name, (checkpoint.*field.value).value);
  return out;
}

std::optional<LogCheckpoint> decode_stray_checkpoint(std::string_view text) {
  if (!text.starts_with(kHead)) return std::nullopt;
  text.remove_prefix(kHead.size());
  LogCheckpoint out;
  for (const Field& field : kFields) {
    const auto end = text.find('\n');
    if (!text.starts_with(field.name) || end == std::string_view::npos) return std::nullopt;
    const auto value = parse_integer<std::int64_t>(text.substr(field.name.size(), end - field.name.size()));
    if (!value || *value < 0) return std::nullopt;
    out.*field.value = *value;
    text.remove_prefix(end + 1);
  }
  return text.empty() ? std::optional(out) : std::nullopt;
}

}  // namespace milena::storage
