#include "io/local_entry.h"

#include "io/system_error.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace questlog::io {

Result<bool> link_file(const std::string& from, const std::string& to) {
    if (::link(from.c_str(), to.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    return system_error(errno, "link " + from + " to", to);
}

Status touch_file(const std::string& path) {
    if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0 || errno == ENOENT) return {};
    return system_error(errno, "touch", path);
}

} // namespace questlog::io
