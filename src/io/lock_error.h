#pragma once

#include "base/result.h"

#include <cerrno>

namespace questlog::io {

/// The error of Files::lock() where somebody else holds it. Any other tells why nobody could be asked.
[[nodiscard]] inline Error held_by_another(Error error) {
    error.system_errno = EWOULDBLOCK;
    return error;
}

[[nodiscard]] inline bool is_held_by_another(const Error& error) {
    return error.kind == ErrorKind::retry_later && error.system_errno == EWOULDBLOCK;
}

} // namespace questlog::io
