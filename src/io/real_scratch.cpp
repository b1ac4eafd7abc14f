// RealFiles' scratch directories. Each is held by a lock on the directory itself for as long as its owner lives, so
// that the leftovers of killed processes can be told from directories that are in use.
#include "io/real_files.h"
#include "io/system_error.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace questlog::io {

namespace {

constexpr std::string_view scratch_prefix = ".questlog-scratch-";

/// The directory, locked; not open where it is gone or someone else holds it.
Descriptor hold(const std::string& path) {
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open() || ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) return Descriptor();
    struct stat held {};
    struct stat named {};
    const bool same = ::fstat(directory.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
                      held.st_ino == named.st_ino && held.st_dev == named.st_dev;
    return same ? std::move(directory) : Descriptor(); // a sweeper may have removed it before we held it
}

} // namespace

RealFiles::~RealFiles() {
    scratch_.with([this](std::vector<Scratch>& owned) {
        for (const auto& scratch : owned) // a failure leaves a directory that the next process removes
            if (const auto removed = remove_tree(scratch.path); !removed.ok()) continue;
    });
}

Result<std::string> RealFiles::scratch_directory(const std::string& near) {
    CHECK_OK(make_directories(near));
    TRY(entries, list(near));
    for (const auto& entry : entries) {
        if (entry.kind != Kind::directory || !entry.name.starts_with(scratch_prefix)) continue;
        const std::string left_behind = near + "/" + entry.name;
        if (const auto held = hold(left_behind); held.is_open()) CHECK_OK(remove_tree(left_behind));
    }
    while (true) {
        std::string path = near + "/" + std::string(scratch_prefix) + "XXXXXX";
        if (::mkdtemp(path.data()) == nullptr) return system_error(errno, "make a scratch directory in", near);
        auto held = hold(path);
        if (!held.is_open()) continue;
        scratch_.with([&](std::vector<Scratch>& owned) { owned.push_back({path, std::move(held)}); });
        return path;
    }
}

} // namespace questlog::io
