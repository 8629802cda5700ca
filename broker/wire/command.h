// milena wire: prints frames, record batches and the broker's own records as JSON, and encodes frames from
// it.
//
// Read-only; needs no broker, and harms none that runs on the same files. Usage: docs/WIRE.md.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fs.h"

namespace milena::wire {

struct CommandOptions {
  std::string kind = {};                // one of kCommandKinds
  std::vector<std::string> files = {};  // none: the standard input
  std::string api = {};                 // of responses: a name or a key
  int version = -1;                     // likewise; -1 not told
  std::string requests = {};            // the file with the requests that the responses answer
  std::string records = "records";      // what those inside frames are, as `kind` says it of a file
  std::string framing = "detect";       // or sized, bare
  bool is_hex = false;                  // the input, or what is encoded, is hex digits
  bool is_raw = false;
  bool is_pretty = false;
};

inline constexpr std::string_view kCommandKinds[] = {"request", "response",     "records", "metadata",
                                                     "offsets", "transactions", "share",   "encode"};
inline constexpr std::string_view kRecordKinds[] = {"records", "metadata", "offsets", "transactions",
                                                    "share"};
inline constexpr std::string_view kFramings[] = {"detect", "sized", "bare"};

// The exit code: 0, or 1 if something could not be read or decoded. JSON and encoded bytes go to `out`, what
// is wrong with the command or a file to `report_error`, as a sentence.
using Text = std::function<void(std::string_view)>;
int run_command(Fs& fs, const CommandOptions& options, const Text& out, const Text& report_error);

}  // namespace milena::wire
