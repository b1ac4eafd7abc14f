#include "event/message_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace questlog::event {

MessageHash hash_of(std::string_view message_id) {
    const XXH128_hash_t hash = XXH3_128bits(message_id.data(), message_id.size());
    return {hash.high64, hash.low64};
}

} // namespace questlog::event
