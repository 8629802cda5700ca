#include "broker/metadata/metadata_loading.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "base/arena.h"
#include "controller/decisions/finalized_features.h"
#include "controller/records/metadata_batch.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::Offset;

// Replays snapshot and log. A batch behind an unsupported feature level may hold what nobody here can read,
// so levels are looked at as they come.
std::expected<void, std::string> replay(MetadataStore& store, const controller::FeatureRanges& supported,
                                        LoadedMetadata& loaded) {
  const auto check = [&] {
    return controller::check_finalized(loaded.loader.image()->features, loaded.quorum.kraft_version,
                                       supported);
  };
  if (auto snapshot = store.take_snapshot()) {
    loaded.quorum = std::move(snapshot->quorum);
    loaded.loader = controller::MetadataLoader(std::move(snapshot->image));
    MILENA_CHECK(check());
  }
  const Offset from = loaded.loader.next_offset();
  if (store.start_offset() > from) {
    return std::unexpected(fmt::format(
        "its records from offset {} to {} are gone, and no snapshot (*.checkpoint) beside it holds what they "
        "said: put the missing snapshot back",
        from.value, store.start_offset().value));
  }
  std::optional<std::string> refusal;
  Arena arena;
  const auto read =
      store.for_each_batch(loaded.loader.next_offset(), [&](const protocol::RecordBatchView& view) -> Status {
        arena.reset();
        MILENA_TRY(const auto batch, controller::decode_metadata_batch(view, arena));
        loaded.quorum.observe(batch);
        MILENA_TRY(const auto update, loaded.loader.load(batch));
        const bool levels_changed = (update && update->changes.features) || !batch.control.empty();
        if (!levels_changed) return {};
        if (auto checked = check(); !checked) {
          refusal = std::move(checked).error();
          return fail(ErrorCode::kUnsupportedVersion, "unsupported feature level");
        }
        return {};
      });
  if (refusal) return std::unexpected(*std::move(refusal));
  if (!read) return std::unexpected(read.error().why);
  return {};
}

// What formatting wrote down: features, credentials, and the voters of a dynamic quorum.
std::expected<void, std::string> apply_formatting(MetadataStore& store,
                                                  const controller::FeatureRanges& supported,
                                                  LoadedMetadata& loaded) {
  auto read = store.read_bootstrap();
  if (!read) return std::unexpected(read.error().why);
  if (!*read) return {};
  auto& [image, quorum] = **read;
  MILENA_CHECK(controller::check_finalized(image.features, quorum.kraft_version, supported));
  if (image.metadata_version() != 0) {
    loaded.bootstrap.emplace(
        controller::Bootstrap{.features = std::move(image.features), .scram = std::move(image.scram)});
  }
  if (loaded.quorum.voters.empty() && !quorum.voters.empty()) {
    loaded.quorum = std::move(quorum);
    loaded.quorum.in_log = false;  // the first leader repeats them there
  }
  return {};
}

void warn_of_unserved(const controller::FeatureLevels& kept, const Logger& log) {
  if (kept.empty()) return;
  std::vector<std::string> names;
  for (const auto& [name, level] : kept) names.push_back(fmt::format("{} (level {})", name, level));
  log.warn(
      "the cluster uses features that are not served here: {}. They are kept, and clients are not told of "
      "them",
      fmt::join(names, ", "));
}

}  // namespace

std::expected<LoadedMetadata, std::string> load_metadata(MetadataStore& store, const controller::Voter& self,
                                                         const controller::FeatureRanges& supported,
                                                         const Logger& log) {
  LoadedMetadata loaded;
  MILENA_CHECK(replay(store, supported, loaded));
  if (loaded.loader.image()->metadata_version() == 0) {
    MILENA_CHECK(apply_formatting(store, supported, loaded));
  }
  // A log or a formatted directory without voters is of kraft.version 0: there, configuration names them.
  if (loaded.quorum.voters.empty()) {
    const bool begun = loaded.bootstrap || store.end_offset() > Offset(0);
    loaded.quorum.kraft_version = static_cast<std::int16_t>(begun ? 0 : 1);
    loaded.quorum.voters = {self};
  }
  const auto& levels = loaded.bootstrap ? loaded.bootstrap->features : loaded.loader.image()->features;
  if (const auto kept = controller::check_finalized(levels, 0, supported)) warn_of_unserved(*kept, log);
  return loaded;
}

}  // namespace milena::broker
