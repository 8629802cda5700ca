#include "controller/raft/quorum_state.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>
#include <limits>
#include <string_view>

#include "protocol/error_code.h"

namespace milena::controller {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFileBytes = std::size_t{64} * 1024;

std::unexpected<Error> corrupt(const char* why) { return fail(ErrorCode::kCorruptMessage, why); }

// An int32 field of at least `min`. A field that is absent and not `required` leaves `value` alone.
Status read_int(const json::object& object, std::string_view name, std::int32_t min, bool required,
                std::int32_t& value) {
  const json::value* field = object.if_contains(json::string_view(name.data(), name.size()));
  if (field == nullptr) return required ? Status(corrupt("quorum-state lacks a field")) : Status();
  const std::int64_t* number = field->if_int64();
  if (number == nullptr || *number < min || *number > std::numeric_limits<std::int32_t>::max()) {
    return corrupt("quorum-state has a number that is out of range");
  }
  value = static_cast<std::int32_t>(*number);
  return {};
}

Status read_voters(const json::object& object, std::vector<protocol::BrokerId>& voters) {
  const json::value* field = object.if_contains("currentVoters");
  if (field == nullptr || field->is_null()) return {};
  if (!field->is_array()) return corrupt("quorum-state has voters that are no list");
  for (const json::value& voter : field->get_array()) {
    const json::object* entry = voter.if_object();
    if (entry == nullptr) return corrupt("quorum-state has a voter that is no object");
    std::int32_t id = 0;
    MILENA_CHECK(read_int(*entry, "voterId", 0, true, id));
    voters.push_back(id);
  }
  return {};
}

Status read_directory(const json::object& object, Uuid& directory) {
  const json::value* field = object.if_contains("votedDirectoryId");
  if (field == nullptr) return {};
  const json::string* text = field->if_string();
  const auto id = text != nullptr ? Uuid::parse({text->data(), text->size()}) : std::nullopt;
  if (!id) return corrupt("quorum-state has a directory id that is none");
  directory = *id;
  return {};
}

}  // namespace

std::string encode_quorum_state(const QuorumState& state, std::int16_t kraft_version) {
  if (kraft_version > 0) {
    return fmt::format(
        R"({{"leaderId":{},"leaderEpoch":{},"votedId":{},"votedDirectoryId":"{}","data_version":1}})",
        state.leader_id.value, state.leader_epoch.value, state.voted_id.value,
        state.voted_directory_id.to_string());
  }
  std::vector<std::string> voters;
  voters.reserve(state.current_voters.size());
  for (const auto id : state.current_voters) voters.push_back(fmt::format(R"({{"voterId":{}}})", id.value));
  return fmt::format(
      R"({{"clusterId":"","leaderId":{},"leaderEpoch":{},"votedId":{},"appliedOffset":0,"currentVoters":[{}],)"
      R"("data_version":0}})",
      state.leader_id.value, state.leader_epoch.value, state.voted_id.value, fmt::join(voters, ","));
}

Result<QuorumState> decode_quorum_state(BytesView content) {
  if (content.size() > kMaxFileBytes) return corrupt("quorum-state is too long");
  json::parse_options options;
  options.max_depth = 4;
  boost::system::error_code error;
  const std::string_view text = as_text(content);
  const json::value parsed = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !parsed.is_object()) return corrupt("quorum-state is not a JSON object");
  const json::object& object = parsed.get_object();
  std::int32_t version = 0;
  MILENA_CHECK(read_int(object, "data_version", 0, true, version));
  if (version > 1) return corrupt("quorum-state has an unknown data_version");
  QuorumState state;
  MILENA_CHECK(read_int(object, "leaderId", -1, true, state.leader_id.value));
  MILENA_CHECK(read_int(object, "leaderEpoch", 0, true, state.leader_epoch.value));
  MILENA_CHECK(read_int(object, "votedId", -1, false, state.voted_id.value));
  if (version == 0) {
    MILENA_CHECK(read_voters(object, state.current_voters));
  } else {
    MILENA_CHECK(read_directory(object, state.voted_directory_id));
  }
  return state;
}

}  // namespace milena::controller
