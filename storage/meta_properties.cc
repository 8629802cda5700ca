#include "storage/meta_properties.h"

#include <fmt/format.h>

#include <map>

#include "storage/checkpoint_text.h"

namespace milena::storage {
namespace {

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\f");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\f") - from + 1);
}

// Java escapes ':', '=' and others with a backslash.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

std::map<std::string, std::string> read_properties(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line[0] == '#' || line[0] == '!') continue;
    const auto equals = line.find_first_of("=:");
    if (equals == std::string_view::npos) continue;
    out[std::string(trim(line.substr(0, equals)))] = unescape(trim(line.substr(equals + 1)));
  }
  return out;
}

}  // namespace

std::string encode_meta_properties(const MetaProperties& properties) {
  return fmt::format("#\nversion=1\ncluster.id={}\nnode.id={}\ndirectory.id={}\n", properties.cluster_id,
                     properties.node_id.value, properties.directory_id.to_string());
}

std::optional<MetaProperties> decode_meta_properties(std::string_view text) {
  auto read = read_properties(text);
  const auto node_id = parse_integer<std::int32_t>(read["node.id"]);
  const auto directory_id = read.contains("directory.id") ? Uuid::parse(read["directory.id"]) : Uuid{};
  if (read["version"] != "1" || read["cluster.id"].empty() || !node_id || *node_id < 0 || !directory_id)
    return std::nullopt;
  return MetaProperties{read["cluster.id"], *node_id, *directory_id};
}

}  // namespace milena::storage
