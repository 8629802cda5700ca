// MetadataSource: where handlers get the current metadata image.
#pragma once

#include "controller/image/metadata_image.h"

namespace milena::broker {

class MetadataSource {
 public:
  virtual ~MetadataSource() = default;
  // The newest published image. Thread-safe; hold the pointer while views into it are in use.
  virtual controller::MetadataImagePtr image() const = 0;
};

}  // namespace milena::broker
