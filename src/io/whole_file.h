#pragma once

#include "base/result.h"
#include "io/env.h"

#include <string>
#include <string_view>

/// Small files that are read and written as a whole.
namespace questlog::io {

inline constexpr std::string_view temporary_suffix = ".tmp";

Result<std::string> read_text_file(Files& files, const std::string& path);

/// A whole file under a temporary name, then its name in `directory`, synced: it is there with all its bytes, or what
/// was there before is. For one writer at a time.
Status write_file_durably(Files& files, const std::string& directory, const std::string& path, std::string_view bytes);

/// The same of a file that must not be there yet. False: there is one, and it stays as it is; whoever made it may not
/// have synced its name yet, so it is synced. Any number of writers at a time; `temporary` is on the same file system,
/// and this writer's alone.
Result<bool> write_new_file_durably(Files& files, const std::string& directory, const std::string& path,
                                    std::string_view bytes, const std::string& temporary);

} // namespace questlog::io
