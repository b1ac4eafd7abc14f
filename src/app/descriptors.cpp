#include "app/descriptors.h"

#include <algorithm>
#include <sys/resource.h>

namespace questlog::app {
namespace {

constexpr std::size_t for_the_process = 64;     ///< Standard streams, locks, the poller, the lake's folders.
constexpr std::size_t for_refused_clients = 64; ///< Connections over the limit, while they are told so.
constexpr std::size_t for_a_partition = 6; ///< Its segment, the next one, its directory, its durable end, its index.

} // namespace

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before; // no more than a container allows
    return static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t connections_within(std::size_t descriptors, std::int32_t partitions, std::size_t wanted) {
    const std::size_t reserved =
        for_the_process + for_refused_clients + for_a_partition * static_cast<std::size_t>(partitions);
    if (descriptors <= reserved) return 1;
    return std::min(wanted, descriptors - reserved);
}

} // namespace questlog::app
