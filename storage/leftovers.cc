#include "storage/leftovers.h"

#include <algorithm>
#include <limits>

#include "storage/batch_scanner.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

using Names = std::vector<std::string>;

class Resolver {
 public:
  Resolver(const SegmentPlace& place, Names& names) : place_(place), names_(names) {}

  Result<bool> run() {
    const std::size_t before = names_.size();
    MILENA_CHECK(remove_if([](std::string_view name) {
      return is_partition_file_name(name) && (name.ends_with(".tmp") || name.ends_with(kDeletedSuffix));
    }));
    Offset lowest_cleaned = std::numeric_limits<std::int64_t>::max();
    for (const std::string& name : names_) {
      const auto parsed = parse_segment_file_name(name);
      if (parsed && name.ends_with(kCleanedSuffix))
        lowest_cleaned = std::min(lowest_cleaned, parsed->base_offset);
    }
    MILENA_CHECK(remove_if([&](std::string_view name) {
      const auto parsed = parse_segment_file_name(name);
      return parsed && name.ends_with(kSwapSuffix) && parsed->base_offset >= lowest_cleaned;
    }));
    MILENA_CHECK(remove_if([](std::string_view name) {
      return is_partition_file_name(name) && name.ends_with(kCleanedSuffix);
    }));
    MILENA_TRY(const bool swapped, finish_swaps());
    return swapped || names_.size() != before;
  }

 private:
  Status remove_if(auto unwanted) {
    for (const std::string& name : names_) {
      if (!unwanted(std::string_view(name))) continue;
      const std::string path = join(place_.directory, name);
      if (const auto removed = place_.fs.remove(path); !removed)
        return place_.health.fail(removed.error(), path);
    }
    std::erase_if(names_, unwanted);
    return {};
  }

  // The replaced segments go first; while they do, the .swap files still say what is to happen.
  Result<bool> finish_swaps() {
    Offset from = std::numeric_limits<std::int64_t>::max();
    Offset to = -1;
    for (const std::string& name : names_) {
      const auto parsed = parse_segment_file_name(name);
      if (!parsed || parsed->suffix != ".log.swap") continue;
      from = std::min(from, parsed->base_offset);
      MILENA_TRY(const Offset end, end_offset(name, parsed->base_offset));
      to = std::max(to, end);
    }
    MILENA_CHECK(remove_if([&](std::string_view name) {
      const auto parsed = parse_segment_file_name(name);
      return parsed && !name.ends_with(kSwapSuffix) && parsed->base_offset >= from &&
             parsed->base_offset < to;
    }));
    bool any = false;
    for (std::string& name : names_) {
      if (!parse_segment_file_name(name) || !name.ends_with(kSwapSuffix)) continue;
      const std::string target = name.substr(0, name.size() - kSwapSuffix.size());
      const std::string path = join(place_.directory, name);
      if (const auto renamed = place_.fs.rename(path, join(place_.directory, target)); !renamed)
        return place_.health.fail(renamed.error(), path);
      name = target;
      any = true;
    }
    std::ranges::sort(names_);
    names_.erase(std::ranges::unique(names_).begin(), names_.end());
    return any;
  }

  Result<Offset> end_offset(const std::string& name, Offset base_offset) {
    const std::string path = join(place_.directory, name);
    const auto failed = [&](const IoError& error) { return place_.health.fail(error, path); };
    const auto file = place_.fs.open(path, OpenMode::kRead);
    if (!file) return failed(file.error());
    const auto size = (*file)->size();
    if (!size) return failed(size.error());
    BatchScanner scanner(**file, 0, *size, BatchScanner::kWalkBytes);
    Offset end = base_offset;
    for (;;) {
      const auto step = scanner.next();
      if (!step) return failed(step.error());
      if (*step != BatchScanner::Step::kBatch) return end;
      end = scanner.header().last_offset() + 1;
    }
  }

  const SegmentPlace& place_;
  Names& names_;
};

}  // namespace

Result<bool> resolve_leftovers(const SegmentPlace& place, std::vector<std::string>& names) {
  return Resolver(place, names).run();
}

}  // namespace milena::storage
