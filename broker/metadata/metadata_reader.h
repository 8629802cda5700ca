// read_metadata: what a metadata log says, without opening it for writing: for commands that look at the
// directories of a broker that is not running.
#pragma once

#include <string>

#include "base/fs.h"
#include "base/result.h"
#include "controller/image/metadata_image.h"

namespace milena::broker {

// The image of the log in `directory` (__cluster_metadata-0): its newest snapshot and the whole batches
// behind it, up to a torn tail. Changes nothing.
//   KAFKA_STORAGE_ERROR   a file cannot be read
//   CORRUPT_MESSAGE       a snapshot or a batch is not to be understood
Result<controller::MetadataImagePtr> read_metadata(Fs& fs, const std::string& directory);

}  // namespace milena::broker
