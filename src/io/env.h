#pragma once

#include "base/result.h"
#include "base/strong.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The world comes in through Env. Only io/ touches system time, randomness and files, so that everything above runs
/// on a simulated world with a seed (io/sim_env.h) as well as on the real one (io/real_env.h).
namespace questlog::io {

/// Wall-clock and monotonic time. Any thread.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimestampMs wall_ms() = 0;                ///< May jump in both directions.
    [[nodiscard]] virtual std::chrono::nanoseconds monotonic() = 0; ///< Never goes back; its zero means nothing.
    virtual void sleep(std::chrono::milliseconds duration) = 0;     ///< Simulated: moves both clocks on.
};

/// Random bits for identities (log ids, file names). Any thread.
class Entropy {
public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<std::byte> bytes) = 0;
};

/// One open file. Positions and sizes are bytes. read_at may be called from any thread; one thread writes.
/// Nothing written is durable before sync_data() (contents and the size) has returned success. A failed sync is
/// final: what it covered may be lost although it reads back as good; it must not be retried.
class File {
public:
    virtual ~File() = default; ///< Closes without syncing: the abandon path.

    /// Reads up to into.size() bytes at `position`; fewer only at the end of the file. Restarts on EINTR and short
    /// reads.
    virtual Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) = 0;
    /// Writes all of `bytes` at `position` or fails; after a failure any prefix may have been written. A full disk or
    /// quota is `retry_later`, all else `internal`.
    virtual Status write_at(std::int64_t position, std::span<const std::byte> bytes) = 0;
    virtual Status truncate(std::int64_t size) = 0;
    /// Makes the file `size` bytes long, where it is shorter: the new ones read as zeros and have their space, but need
    /// not be written, so that this costs little. false: the file system cannot, and nothing was done.
    virtual Result<bool> reserve(std::int64_t size) = 0;
    virtual Status sync_data() = 0; ///< fdatasync.
    virtual Result<std::int64_t> size() = 0;
};

/// Eight bytes shared between processes through a mapped file. store() is seen at once by every process that maps the
/// file and survives the death of the process; only sync() makes it survive a power cut, after which a word that was
/// not synced holds any value that was stored since the last sync. load and store are atomic (acquire, release).
class SharedWord {
public:
    virtual ~SharedWord() = default;
    [[nodiscard]] virtual std::uint64_t load() = 0;
    virtual void store(std::uint64_t value) = 0;
    virtual Status sync() = 0;
};

/// Held until destroyed, or until the process dies.
class Lock {
public:
    virtual ~Lock() = default;
};

enum class Open : std::uint8_t {
    read,       ///< Must exist.
    write,      ///< Must exist; read and write.
    create,     ///< Made if missing; read and write; contents kept.
    create_new, ///< Must not exist (`reject` if it does).
};

enum class Kind : std::uint8_t { missing, file, directory };

struct Entry {
    std::string name;
    Kind kind = Kind::file;
};

struct Stat {
    Kind kind = Kind::missing;
    std::int64_t size = 0; ///< Bytes.
    TimestampMs modified{};
};

inline constexpr std::string_view exchange_aside_suffix = ".exchange";

/// Files and directories. Paths are those of the process. Any thread. A directory entry that was made, renamed or
/// removed is durable only once sync_directory() of its parent has returned success. A full disk, and a process that
/// has no file descriptor left to open something with, is `retry_later`.
class Files {
public:
    virtual ~Files() = default;

    virtual Result<std::unique_ptr<File>> open(const std::string& path, Open mode) = 0;
    virtual Status
    make_directories(const std::string& path) = 0; ///< As mkdir -p; syncs each parent it added an entry to.
    virtual Status rename(const std::string& from, const std::string& to) = 0; ///< Replaces `to` if it is a file.
    /// As rename, where there is no `to` yet. False: there is one, and nothing was done.
    virtual Result<bool> rename_new(const std::string& from, const std::string& to) = 0;
    /// Swaps two directory entries: at once where the file system can. Elsewhere by renames, and then `one` is missing
    /// for a moment: `other` is what was `one` then, and what was `other` has exchange_aside_suffix behind its name.
    virtual Status exchange(const std::string& one, const std::string& other) = 0;
    virtual Status remove_file(const std::string& path) = 0; ///< A missing file is success.
    virtual Status remove_tree(const std::string& path) = 0; ///< A missing tree is success.
    /// fsync of the directory itself. `retry_later`: it could not be opened. Any other error is final as that of
    /// File::sync_data().
    virtual Status sync_directory(const std::string& path) = 0;
    virtual Result<std::vector<Entry>> list(const std::string& path) = 0; ///< Sorted by name; `reject` if missing.
    virtual Result<Stat> stat(const std::string& path) = 0; ///< A missing path is Kind::missing, no error.
    /// How much may still be written on the file system of `path`, which exists. A hint: others write there too, a
    /// quota may allow less, and a file system that does not tell is taken for endless.
    virtual Result<std::int64_t> free_bytes(const std::string& path) = 0;

    virtual Result<std::unique_ptr<SharedWord>> map_word(const std::string& path, Open mode) = 0;

    /// Locks byte `slot` of the lock file at `path` (made if missing) for this open; shared or exclusive; the kernel
    /// frees it when the holder dies. Fails with `retry_later`, naming the holder's pid where known, if it is held and
    /// `wait` has passed (zero: at once).
    enum class Share : std::uint8_t { shared, exclusive };
    virtual Result<std::unique_ptr<Lock>> lock(const std::string& path, int slot, Share share,
                                               std::chrono::milliseconds wait) = 0;
    /// Whether someone else holds byte `slot` exclusively right now. Takes no lock.
    virtual Result<bool> locked(const std::string& path, int slot) = 0;

    /// A real directory where a library may write files of its own, for this Files alone. In the real world it lies on
    /// the file system of `near` and is made anew.
    virtual Result<std::string> scratch_directory(const std::string& near) = 0;
    /// Moves the finished real file `scratch_path` to `path` as unsynced bytes: the caller syncs file and directory.
    virtual Status adopt(const std::string& scratch_path, const std::string& path) = 0;
    /// A path under which a library in this process can open the file's present contents, also after the entry is
    /// renamed or removed, for as long as `file` lives.
    virtual Result<std::string> library_path(File& file) = 0;
    /// The same for an entry that stays where it is, and without keeping the file open in the real world: for thousands
    /// of files at a time. Good for as long as the answer lives.
    struct LibraryPath {
        std::string path;
        std::shared_ptr<File> file; ///< Null in the real world.
    };
    virtual Result<LibraryPath> library_path_of(const std::string& path) = 0;
};

/// The three doors to the world. Owned by main or by a test; outlives everything that holds it.
struct Env {
    Clock& clock;
    Files& files;
    Entropy& entropy;
};

} // namespace questlog::io
