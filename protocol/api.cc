#include "protocol/api.h"

#include <algorithm>

#include "protocol/api.gen.h"

namespace milena::protocol {

const ApiInfo* find_api(std::int16_t key) {
  const auto at = std::ranges::lower_bound(kApis, key, {}, &ApiInfo::key);
  return at != kApis.end() && at->key == key ? &*at : nullptr;
}

}  // namespace milena::protocol
