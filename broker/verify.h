// milena verify: looks at a log directory of a broker that is not running, and adopts partitions that have
// lost their partition.metadata, or their whole directory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fs.h"

namespace milena::broker {

struct VerifyOptions {
  std::string directory;
  std::optional<std::string>
      metadata_directory;          // where __cluster_metadata-0 lies; found by itself when possible
  std::vector<std::string> adopt;  // "orders-0"
};

struct VerifyReport {
  std::string text;     // for stdout: a line for each partition
  bool is_fine = true;  // nothing is wrong, and everything that was to be adopted is
};

// Adopting writes partition.metadata with the topic id that the metadata has for that name, and makes an
// empty partition where the directory is gone. Nothing else is changed.
VerifyReport verify_log_directory(Fs& fs, const VerifyOptions& options);

}  // namespace milena::broker
