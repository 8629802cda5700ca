#include "broker/wire/frame_printer.h"

#include <fmt/format.h>

#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "broker/wire/batch_printer.h"
#include "protocol/api.gen.h"
#include "protocol/error_code.h"
#include "protocol/schema_table.h"

namespace milena::wire {

using protocol::kSchemaTable;
using protocol::MessageKind;

namespace {

constexpr auto kApiVersionsKey = static_cast<std::int16_t>(protocol::ApiKey::kApiVersions);
constexpr std::size_t kMaxWaitingRequests = 100'000;

constexpr std::size_t kRequestStartBytes = 8;

struct RequestStart {
  std::int16_t key;
  std::int16_t version;
  std::int32_t correlation_id;
};

std::optional<RequestStart> request_start(BytesView frame) {
  ByteReader in(frame);
  const auto key = in.fixed<std::int16_t>();
  const auto version = in.fixed<std::int16_t>();
  const auto correlation_id = in.fixed<std::int32_t>();
  if (!correlation_id) return std::nullopt;
  return RequestStart{*key, *version, *correlation_id};
}

bool looks_like_request(BytesView bytes) {
  const auto start = request_start(bytes);
  const auto* message = start ? kSchemaTable.find(MessageKind::kRequest, start->key) : nullptr;
  if (message == nullptr) return false;
  if (start->key != kApiVersionsKey && !message->has_version(start->version)) return false;
  ByteReader in(bytes.subspan(kRequestStartBytes));
  const auto client_id_size = in.fixed<std::int16_t>();
  return client_id_size && *client_id_size >= -1 && std::cmp_less_equal(*client_id_size, in.left());
}

// Of the response to a request: an ApiVersions request of a version that the broker lacks is answered in
// version 0.
std::int16_t answered_version(ApiVersion api, BytesView body) {
  ByteReader in(body);
  const auto error = api.key == kApiVersionsKey ? in.fixed<std::int16_t>() : std::nullopt;
  const bool is_refused = error && *error == static_cast<std::int16_t>(ErrorCode::kUnsupportedVersion);
  return is_refused ? 0 : api.version;
}

void print_rest(JsonWriter& json, std::string_view name, const ByteReader& in) {
  if (in.left() == 0) return;
  json.key(name);
  json.bytes(in.rest());
}

// One line for each frame; `print` prints the fields of one, and says what is wrong.
class FrameLines {
 public:
  FrameLines(Input& input, Framing framing, JsonWriter& json, const LooksLikeFrame& looks_like_frame)
      : source_(input, framing, looks_like_frame), json_(json) {}

  std::size_t run(const std::function<std::optional<PrintError>(ByteReader)>& print) {
    std::size_t problems = 0;
    for (;;) {
      const std::uint64_t position = source_.position();
      const auto frame = source_.next();
      if (frame && !*frame) return problems;
      json_.begin_object();
      if (!frame) {
        json_.field("position", static_cast<std::int64_t>(position));
        print_error(json_, {.at = position, .why = frame.error()});
      } else {
        problems += !line(**frame, print);
      }
      json_.end_object();
      json_.end_line();
      if (!frame) return problems + 1;
    }
  }

 private:
  bool line(const FrameSource::Frame& frame,
            const std::function<std::optional<PrintError>(ByteReader)>& print) {
    json_.field("position", static_cast<std::int64_t>(frame.position));
    json_.field("size", static_cast<std::int64_t>(frame.announced));
    auto error = print(ByteReader(frame.bytes, frame.position));
    if (frame.bytes.size() < frame.announced && !error) {
      error = PrintError{.at = frame.position + frame.bytes.size(),

                         .why = fmt::format("the frame is cut off after {} bytes", frame.bytes.size())};
    }
    if (error) print_error(json_, *error);
    return !error;
  }

  FrameSource source_;
  JsonWriter& json_;
};

// What the responses of a connection answer, from its requests: in their order, each found by its correlation
// id, so that requests without a response (acks=0) are passed over.
class RequestLog {
 public:
  RequestLog(Input& input, Framing framing) : source_(input, framing, looks_like_request) {}

  std::optional<ApiVersion> take(std::int32_t correlation_id) {
    for (std::size_t i = 0;; ++i) {
      if (i == waiting_.size() && (i == kMaxWaitingRequests || !read())) return std::nullopt;
      if (waiting_[i].correlation_id != correlation_id) continue;
      const ApiVersion api{waiting_[i].key, waiting_[i].version};
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      return api;
    }
  }

 private:
  bool read() {
    const auto frame = source_.next();
    const auto start = frame && *frame ? request_start((*frame)->bytes) : std::nullopt;
    if (start) waiting_.push_back(*start);
    return start.has_value();
  }

  FrameSource source_;
  std::deque<RequestStart> waiting_;
};

}  // namespace

std::optional<PrintError> print_request(JsonWriter& json, const PrintOptions& options, ByteReader in,
                                        std::size_t& damaged_batches) {
  const auto start = request_start(in.rest());
  if (!start) return PrintError{.at = in.position(), .why = "this is too short for the header of a request"};
  const auto* message = kSchemaTable.find(MessageKind::kRequest, start->key);
  const bool is_known = message != nullptr && message->has_version(start->version);
  const bool is_flexible = message != nullptr && message->is_flexible(start->version);
  json.key("requestHeader");
  const std::uint64_t position = in.position();
  MessagePrinter printer(json, options);
  if (auto error = printer.print(*kSchemaTable.find("RequestHeader"), is_flexible ? 2 : 1, in)) return error;
  if (!is_known) {
    print_rest(json, "body", in);
    const std::string why = message == nullptr ? fmt::format("there is no API {}", start->key)
                                               : fmt::format("{} has no version {}, only {} to {}",
                                                             kSchemaTable.name_of(*message), start->version,
                                                             message->min_version, message->max_version);
    return PrintError{.at = position, .why = why};
  }
  json.key("request");
  auto error = printer.print(*message, start->version, in);
  damaged_batches += printer.damaged_batches();
  if (!error) print_rest(json, "trailingBytes", in);
  return error;
}

std::optional<PrintError> print_response(JsonWriter& json, const PrintOptions& options, ApiVersion api,
                                         ByteReader in, std::size_t& damaged_batches) {
  const auto* message = kSchemaTable.find(MessageKind::kResponse, api.key);
  const auto* named = protocol::find_api(api.key);
  json.field("apiKey", api.key);
  if (named != nullptr) json.field("apiKeyName", named->name);
  json.field("apiVersion", api.version);
  if (message == nullptr)
    return PrintError{.at = in.position(), .why = fmt::format("there is no API {}", api.key)};
  json.key("responseHeader");
  MessagePrinter printer(json, options);
  const bool is_flexible = api.key != kApiVersionsKey && message->is_flexible(api.version);
  if (auto error = printer.print(*kSchemaTable.find("ResponseHeader"), is_flexible ? 1 : 0, in)) return error;
  json.key("response");
  auto error = printer.print(*message, answered_version(api, in.rest()), in);
  damaged_batches += printer.damaged_batches();
  if (!error) print_rest(json, "trailingBytes", in);
  return error;
}

std::size_t print_requests(Input& input, JsonWriter& json, const FrameOptions& options) {
  std::size_t damaged_batches = 0;
  const std::size_t problems =
      FrameLines(input, options.framing, json, looks_like_request).run([&](ByteReader in) {
        return print_request(json, options.print, in, damaged_batches);
      });
  return problems + damaged_batches;
}

std::size_t print_responses(Input& input, JsonWriter& json, const FrameOptions& options, ApiVersion api) {
  const auto looks_like_response = [&](BytesView bytes) {
    JsonWriter nowhere = JsonWriter::nowhere();
    std::size_t damaged = 0;
    return !print_response(nowhere, {.is_raw = true}, api, ByteReader(bytes), damaged);
  };
  std::size_t damaged_batches = 0;
  const std::size_t problems =
      FrameLines(input, options.framing, json, looks_like_response).run([&](ByteReader in) {
        return print_response(json, options.print, api, in, damaged_batches);
      });
  return problems + damaged_batches;
}

std::size_t print_responses_to(Input& requests, Input& input, JsonWriter& json, const FrameOptions& options) {
  RequestLog log(requests, options.framing);
  std::size_t damaged_batches = 0;
  const auto print = [&](ByteReader in) -> std::optional<PrintError> {
    ByteReader start = in;
    const auto correlation_id = start.fixed<std::int32_t>();
    if (!correlation_id) return PrintError{.at = in.position(), .why = "this is too short for a response"};
    const auto api = log.take(*correlation_id);
    if (api) return print_response(json, options.print, *api, in, damaged_batches);
    json.field("correlationId", *correlation_id);
    return PrintError{.at = in.position(), .why = "there is no request with this correlation id"};
  };
  const auto never = [](BytesView) { return false; };
  const Framing framing = options.framing == Framing::kDetect ? Framing::kSized : options.framing;
  const std::size_t problems = FrameLines(input, framing, json, never).run(print);
  return problems + damaged_batches;
}

}  // namespace milena::wire
