#pragma once

#include "io/env.h"

namespace questlog::io {

/// Locks of open file descriptions on single bytes of a lock file (F_OFD_SETLK): the kernel frees them when the holder
/// dies, and two opens in one process exclude each other too. The exclusive holder of byte `slot` writes its pid and
/// name into a line of its own in the file, so that a refusal can name it.
Result<std::unique_ptr<Lock>> lock_byte(Clock& clock, const std::string& path, int slot, Files::Share share,
                                        std::chrono::milliseconds wait);

/// Whether byte `slot` is held exclusively. A missing lock file is held by no one.
Result<bool> byte_locked(const std::string& path, int slot);

} // namespace questlog::io
