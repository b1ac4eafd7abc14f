#pragma once

#include "base/guarded.h"
#include "base/result.h"
#include "io/env.h"

#include <string>
#include <utility>

namespace questlog::io {

/// A scratch directory (Files::scratch_directory) that is made when it is first needed: readers write nothing. Where
/// someone has taken it away, with all that is around it, it is made anew. Any thread.
class ScratchFolder {
public:
    /// `files` outlives it.
    ScratchFolder(Files& files, std::string near) : files_(files), near_(std::move(near)) {}

    Result<std::string> path() {
        return path_.with([this](std::string& path) -> Result<std::string> {
            if (!path.empty()) {
                TRY(found, files_.stat(path));
                if (found.kind == Kind::directory) return path;
            }
            TRY(made, files_.scratch_directory(near_));
            path = std::move(made);
            return path;
        });
    }

private:
    Files& files_;
    std::string near_;
    Guarded<std::string> path_;
};

} // namespace questlog::io
