#include "broker/wire/segment_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/fs.h"
#include "broker/wire/batch_printer.h"
#include "broker/wire/record_printer.h"
#include "protocol/record_batch.h"

namespace milena::wire {

using protocol::kBatchHeaderBytes;
using protocol::RecordBatchHeader;
using protocol::RecordBatchView;

namespace {

constexpr std::size_t kWindowBytes = 1 << 20;

bool is_all_zero(BytesView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

class SegmentPrinter {
 public:
  SegmentPrinter(Input& input, JsonWriter& json, LogKind log)
      : input_(input), json_(json), batch_printer_(json, log) {}

  std::size_t run() {
    while (at_ < input_.size() && !is_over_) {
      if (const auto why = batch()) damage(*why);
    }
    return problems_;
  }

 private:
  // Prints what is at at_ and moves on; or says what is wrong there.
  std::optional<std::string> batch() {
    const auto start = input_.read(at_, kBatchHeaderBytes);
    if (!start) return unreadable(start.error());
    if (is_all_zero(*start)) {
      const std::uint64_t end = end_of_zeros();
      if (end == input_.size()) return reserved_space(), std::nullopt;
      return fmt::format("{} bytes are zero", end - at_);
    }
    if (start->size() < kBatchHeaderBytes)
      return fmt::format("a batch is cut off after {} bytes", start->size());
    const auto header = RecordBatchHeader::parse(*start);
    if (!header) return header.error().why;
    const std::size_t size = header->size_in_bytes();
    if (size > kMaxPieceBytes) return fmt::format("a batch of {} bytes is more than is looked at", size);
    const auto bytes = input_.read(at_, size);
    if (!bytes) return unreadable(bytes.error());
    if (bytes->size() < size)
      return fmt::format("a batch of {} bytes is cut off after {}", size, bytes->size());
    const auto view = RecordBatchView::parse(*bytes);
    if (!view) return view.error().why;
    problems_ += !batch_printer_.print(*view, at_);
    json_.end_line();
    next_offset_ = view->last_offset().value;
    at_ += size;
    return std::nullopt;
  }

  std::string unreadable(const std::string& why) {
    is_over_ = true;
    return why;
  }

  std::uint64_t end_of_zeros() {
    for (std::uint64_t at = at_; at < input_.size();) {
      const auto window = input_.read(at, kWindowBytes);
      if (!window || window->empty()) return at;
      const auto other = std::ranges::find_if(*window, [](std::byte b) { return b != std::byte{0}; });
      at += static_cast<std::uint64_t>(other - window->begin());
      if (other != window->end()) return at;
    }
    return input_.size();
  }

  void reserved_space() {
    json_.begin_object();
    json_.field("position", static_cast<std::int64_t>(at_));
    json_.field("reservedBytes", static_cast<std::int64_t>(input_.size() - at_));
    json_.end_object();
    json_.end_line();
    at_ = input_.size();
  }

  void damage(const std::string& why) {
    const std::uint64_t next = is_over_ ? input_.size() : next_sound_batch();
    ++problems_;
    json_.begin_object();
    json_.field("position", static_cast<std::int64_t>(at_));
    print_error(json_, {.at = at_, .why = why});
    json_.field("skippedBytes", static_cast<std::int64_t>(next - at_));
    json_.end_object();
    json_.end_line();
    at_ = next;
  }

  // The position of the next batch that is whole and right; the end of the input if there is none.
  std::uint64_t next_sound_batch() {
    for (std::uint64_t from = at_ + 1; from + kBatchHeaderBytes <= input_.size();) {
      const auto window = input_.read(from, kWindowBytes + kBatchHeaderBytes);
      if (!window || window->size() < kBatchHeaderBytes) break;
      const std::size_t starts = window->size() - kBatchHeaderBytes + 1;
      std::vector<std::uint64_t> candidates;
      for (std::size_t i = 0; i < starts; ++i) {
        if (may_be_batch(window->subspan(i), from + i)) candidates.push_back(from + i);
      }
      for (const std::uint64_t at : candidates) {
        if (is_sound_batch(at)) return at;
      }
      from += starts;
    }
    return input_.size();
  }

  bool may_be_batch(BytesView bytes, std::uint64_t at) const {
    const auto header = RecordBatchHeader::parse(bytes);
    constexpr std::uint16_t kUnused = 0xff80;
    return header && header->size_in_bytes() <= std::min<std::uint64_t>(kMaxPieceBytes, input_.size() - at) &&
           (header->attributes().bits & kUnused) == 0 && header->base_offset().value > next_offset_ &&
           header->last_offset_delta() >= 0 && header->record_count() >= 0;
  }

  bool is_sound_batch(std::uint64_t at) {
    const auto start = input_.read(at, kBatchHeaderBytes);
    if (!start || start->size() < kBatchHeaderBytes) return false;
    const auto header = RecordBatchHeader::parse(*start);
    const auto bytes = header ? input_.read(at, header->size_in_bytes()) : start;
    const auto view = bytes ? RecordBatchView::parse(*bytes) : std::unexpected(Error{});
    return view && view->crc_matches();
  }

  Input& input_;
  JsonWriter& json_;
  BatchPrinter batch_printer_;
  std::uint64_t at_ = 0;
  std::int64_t next_offset_ = -1;  // the last one of the last batch
  std::size_t problems_ = 0;
  bool is_over_ = false;  // the file cannot be read
};

// The value of one record of __cluster_metadata begins with the byte 1, a segment with a base offset below
// 2^56.
bool is_metadata_value(BytesView start) { return !start.empty() && start[0] == std::byte{1}; }

}  // namespace

LogKind log_kind_of(const std::string& path) {
  const std::string directory = parent_directory(path);
  const std::string_view name = std::string_view(directory).substr(directory.find_last_of('/') + 1);
  if (path.ends_with(".checkpoint") || name.starts_with("__cluster_metadata-")) return LogKind::kMetadata;
  if (name.starts_with("__consumer_offsets-")) return LogKind::kOffsets;
  if (name.starts_with("__transaction_state-")) return LogKind::kTransactions;
  if (name.starts_with("__share_group_state-")) return LogKind::kShareState;
  return LogKind::kPlain;
}

std::size_t print_segment(Input& input, JsonWriter& json, LogKind log) {
  if (log == LogKind::kMetadata) {
    const auto start = input.read(0, 1);
    const auto value = start && is_metadata_value(*start) ? input.whole(kMaxPieceBytes) : start;
    if (value && is_metadata_value(*value)) {
      const bool is_fine = RecordPrinter(json, RecordMeaning::kMetadata).print_metadata(*value);
      json.end_line();
      return is_fine ? 0 : 1;
    }
  }
  return SegmentPrinter(input, json, log).run();
}

}  // namespace milena::wire
