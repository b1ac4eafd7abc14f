#include "io/system_error.h"

#include <cerrno>
#include <system_error>

namespace questlog::io {

namespace {

ErrorKind kind_of(int error_number) {
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE: return ErrorKind::retry_later;
    case ENOENT:
    case ENOTDIR:
    case EEXIST: return ErrorKind::reject;
    default: return ErrorKind::internal;
    }
}

std::string_view advice_for(int error_number) {
    switch (error_number) {
    case ENOSPC: return "; free some space on that disk";
    case EDQUOT: return "; the disk quota is used up: free some space or raise it";
    case EFBIG: return "; raise the limit on file sizes (ulimit -f)";
    case EACCES:
    case EPERM: return "; check who owns it, and run as a user who may";
    case EROFS: return "; choose a data directory on a file system that can be written";
    case EMFILE:
    case ENFILE: return "; raise the limit on open files (ulimit -n)";
    case EIO: return "; the disk failed: look at the system's log (dmesg) before going on";
    default: return "";
    }
}

} // namespace

Error system_error(int error_number, std::string_view action, std::string_view path) {
    return Error{kind_of(error_number),
                 fmt::format("cannot {} {}: {}{}", action, path, std::generic_category().message(error_number),
                             advice_for(error_number)),
                 error_number};
}

} // namespace questlog::io
