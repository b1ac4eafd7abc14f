#pragma once

#include "base/result.h"

#include <string>

/// What a cache on the local disk needs beyond io::Files.
namespace questlog::io {

/// A second name for the file, on the same file system: its bytes stay for as long as one of them does. False: there
/// is no `from` any more.
Result<bool> link_file(const std::string& from, const std::string& to);

/// Sets the time of modification to now. A missing file is success.
Status touch_file(const std::string& path);

} // namespace questlog::io
