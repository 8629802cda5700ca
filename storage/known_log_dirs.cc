#include "storage/known_log_dirs.h"

#include <fmt/format.h>

#include "storage/checkpoint_text.h"

namespace milena::storage {
namespace {

constexpr std::string_view kMetadataWord = "metadata";
constexpr std::string_view kDataWord = "data";

}  // namespace

std::string encode_known_log_dirs(const std::vector<KnownLogDir>& directories) {
  std::vector<std::string> lines;
  for (const KnownLogDir& directory : directories) {
    if (directory.path.contains('\n')) continue;
    lines.push_back(fmt::format("{} {} {}", directory.id.to_string(),
                                directory.holds_metadata_log ? kMetadataWord : kDataWord, directory.path));
  }
  return encode_checkpoint(lines);
}

std::optional<std::vector<KnownLogDir>> decode_known_log_dirs(std::string_view text) {
  const auto lines = decode_checkpoint(text);
  if (!lines) return std::nullopt;
  std::vector<KnownLogDir> out;
  for (std::string_view line : *lines) {
    const auto id = Uuid::parse(take_field(line));
    const auto word = take_field(line);
    if (!id || (word != kMetadataWord && word != kDataWord) || line.empty()) return std::nullopt;
    out.push_back({.id = *id, .holds_metadata_log = word == kMetadataWord, .path = std::string(line)});
  }
  return out;
}

}  // namespace milena::storage
