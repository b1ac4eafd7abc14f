#pragma once

#include "base/result.h"

#include <string_view>

namespace questlog::io {

/// The Error of a failed system call: "cannot <action> <path>: <what the system says>; <what to do>". A full disk or
/// quota is `retry_later`, a missing or already existing path `reject`, all else `internal`.
[[nodiscard]] Error system_error(int error_number, std::string_view action, std::string_view path);

} // namespace questlog::io
