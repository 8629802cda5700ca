#include "broker/wire/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <expected>
#include <optional>
#include <utility>

#include "broker/wire/frame_printer.h"
#include "broker/wire/input.h"
#include "broker/wire/json_writer.h"
#include "broker/wire/message_encoder.h"
#include "broker/wire/segment_printer.h"
#include "protocol/api.gen.h"
#include "protocol/hex.h"

namespace milena::wire {
namespace {

bool is_same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// "Fetch", "fetch" or "1".
std::optional<std::int16_t> api_key(std::string_view text) {
  for (const protocol::ApiInfo& api : protocol::kApis) {
    if (is_same_name(api.name, text) || std::to_string(api.key) == text) return api.key;
  }
  return std::nullopt;
}

std::optional<LogKind> log_kind(std::string_view kind) {
  if (kind == "metadata") return LogKind::kMetadata;
  if (kind == "offsets") return LogKind::kOffsets;
  if (kind == "transactions") return LogKind::kTransactions;
  if (kind == "share") return LogKind::kShareState;
  return std::nullopt;
}

class Command {
 public:
  Command(Fs& fs, const CommandOptions& options, const Text& out, const Text& report_error)
      : fs_(fs),
        options_(options),
        out_(out),
        report_error_(report_error),
        json_(options.is_pretty ? JsonStyle::kPretty : JsonStyle::kOneLine, out) {}

  int run() {
    if (const auto why = mistake()) return report_error_(*why), 1;
    const std::vector<std::string> standard_input = {"-"};
    bool is_fine = true;
    for (const std::string& path : options_.files.empty() ? standard_input : options_.files) {
      auto input = Input::open(fs_, path, options_.is_hex && options_.kind != "encode");
      const auto problems = input ? print(*input, path) : std::unexpected(input.error());
      if (!problems) report_error_(problems.error());
      is_fine &= problems && *problems == 0;
    }
    return is_fine ? 0 : 1;
  }

 private:
  std::optional<std::string> mistake() const {
    if (options_.kind != "response" || !options_.requests.empty()) return std::nullopt;
    if (options_.api.empty() || options_.version < 0 || options_.version > INT16_MAX)
      return "a response does not say what it is: name --api and --version, or the --requests that it "
             "answers";
    if (!api_key(options_.api)) return fmt::format("{} is no API", options_.api);
    return std::nullopt;
  }

  // How many places of the input are wrong, which the output says; or why there is no output.
  std::expected<std::size_t, std::string> print(Input& input, const std::string& path) {
    if (options_.kind == "encode") return encode(input);
    if (options_.kind == "request") return print_requests(input, json_, frame_options());
    if (options_.kind == "response") return print_answers(input);
    return print_segment(input, json_, log_kind(options_.kind).value_or(log_kind_of(path)));
  }

  FrameOptions frame_options() const {
    FrameOptions options{.print = {.is_raw = options_.is_raw,
                                   .records = log_kind(options_.records).value_or(LogKind::kPlain)}};
    if (options_.framing == "sized") options.framing = Framing::kSized;
    if (options_.framing == "bare") options.framing = Framing::kBare;
    return options;
  }

  std::expected<std::size_t, std::string> print_answers(Input& input) {
    if (options_.requests.empty()) {
      const ApiVersion api{*api_key(options_.api), static_cast<std::int16_t>(options_.version)};
      return print_responses(input, json_, frame_options(), api);
    }
    MILENA_TRY(Input requests, Input::open(fs_, options_.requests, options_.is_hex));
    return print_responses_to(requests, input, json_, frame_options());
  }

  std::expected<std::size_t, std::string> encode(Input& input) {
    MILENA_TRY(const BytesView text, input.whole(kMaxPieceBytes));
    MILENA_TRY(const auto bytes, encode_frames(as_text(text)));
    out_(options_.is_hex ? protocol::to_hex(bytes) + '\n' : std::string(as_text(bytes)));
    return 0;
  }

  Fs& fs_;
  const CommandOptions& options_;
  const Text& out_;
  const Text& report_error_;
  JsonWriter json_;
};

}  // namespace

int run_command(Fs& fs, const CommandOptions& options, const Text& out, const Text& report_error) {
  return Command(fs, options, out, report_error).run();
}

}  // namespace milena::wire
